import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import { XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.js';
import { CaptureError } from '../../src/capture/source.js';
import { provingFrames } from '../../src/commands/evidence/proving-frames.js';
import { run } from '../../src/commands/program.js';
import { parseContext } from '../../src/network/context/parse.js';
import { FORMATS, type Format, loadReporter } from '../../src/report/reporter.js';
import { root } from '../support/fixtures.js';
import { fakeIo } from '../support/io.js';
import { sarif } from '../support/sarif.js';
import { shared } from '../support/shared.js';

/** Captures of the lab are many: each so manyth goes through all formats. */
const given = process.env.NETDIAG_FORMATS_STRIDE;
const STRIDE = Number(given ?? 16);
/** Of the public ones the large are left out, in bytes, unless a stride is given. */
const LARGEST = given === undefined ? 2_000_000 : Number.POSITIVE_INFINITY;

/** What a terminal obeys, and what no XML may hold; newlines are the report's own. */
const CONTROL = /(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const look = { width: 100, color: false, detail: 'verbose' } as const;
const isAnalysis = new Ajv.default({ allErrors: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(join(root, 'docs/schema/findings-1.json'), 'utf8')),
);

function filesIn(folder: string): string[] {
  if (shared === null) return [];
  return readdirSync(join(shared, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

const captures = [
  join(root, 'fixtures/demo/vepa.pcap'),
  ...filesIn('captures/public/files').filter((path) => statSync(path).size <= LARGEST),
  ...filesIn('captures/lab')
    .filter((path) => /\.pcap(ng)?$/.test(path))
    .filter((_, i) => i % STRIDE === 0),
];

/** The rules of the findings that a report for machines holds, one for each finding. */
const TELLS: Partial<Record<Format, (report: string) => string[]>> = {
  json: (report) => JSON.parse(report).findings.map(({ rule }: { rule: string }) => rule),
  ndjson: (report) => {
    const findings = linesOf(report).filter(({ type }) => type === 'finding');
    return findings.map(({ rule }) => String(rule));
  },
  sarif: (report) => sarif(report).results.map(({ ruleId }: { ruleId: string }) => ruleId),
};

function linesOf(report: string): Record<string, unknown>[] {
  return report
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Rules that stand in a report less often than there are findings of them. */
function missing(report: string, rules: readonly string[]): string[] {
  return [...new Set(rules)].filter((rule) => {
    const times = rules.filter((each) => each === rule).length;
    return report.split(rule).length - 1 < times;
  });
}

describe('a capture in every format', () => {
  it.each(captures.map((path) => [relative(join(root, '..'), path), path]))(
    '%s',
    { timeout: 60_000 },
    async (_, path) => {
      const contextFile = join(path, '../context.json');
      const context = existsSync(contextFile) ? parseContext(JSON.parse(readFileSync(contextFile, 'utf8'))) : null;
      const analysis = await analyze([path], { context }).catch((error: unknown) => {
        if (error instanceof CaptureError) return null;
        throw error;
      });
      if (analysis === null) return;
      const rules = analysis.findings.map(({ rule }) => rule).sort();
      const frames = await provingFrames(analysis, {});
      for (const format of FORMATS) {
        const report = (await loadReporter(format))(analysis, { ...look, frames });
        expect(CONTROL.exec(report)?.[0], format).toBe(undefined);
        expect(missing(report, rules), format).toEqual([]);
        const tells = TELLS[format];
        if (tells !== undefined) expect(tells(report).sort(), format).toEqual(rules);
        if (format === 'json') {
          isAnalysis(JSON.parse(report));
          expect(isAnalysis.errors ?? []).toEqual([]);
        }
        if (format === 'junit') expect(XMLValidator.validate(report)).toBe(true);
      }
      for (const format of ['text', 'ndjson']) {
        const io = fakeIo({ cwd: root });
        const status = await run(['frames', path, '--format', format], io);
        expect([0, 3]).toContain(status);
        expect(CONTROL.exec(io.written.stdout)?.[0], `frames ${format}`).toBe(undefined);
        const lines = io.written.stdout.split('\n').length - 1;
        expect(lines).toBe(analysis.captures[0].frames);
        if (format === 'ndjson') linesOf(io.written.stdout || '{}');
      }
    },
  );
});
