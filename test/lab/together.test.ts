import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { Analyzer } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import { CaptureError } from '../../src/capture/source.js';
import type { Finding } from '../../src/findings/finding.js';
import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';
import { lab } from './recorded.js';

/** Rules that are told aloud, and those that these explain. */
const said = (findings: readonly Finding[]) =>
  new Set(findings.flatMap(({ rule, explains }) => [rule, ...explains.map((each) => each.rule)]));
const loud = (findings: readonly Finding[]) =>
  findings.filter(({ severity, confidence }) => severity !== 'info' && confidence !== 'hint');

/** Between machines that their context lacks: that the switch of the context is there shows in no frame, so it is not asked. */
const UNSEEN = /^\/C-vlan\/(native-mismatch|vid-not-allowed-on-trunk), context: lost vlan\//;

/** What one run says of several files, without those that cannot be read at all. */
async function findingsOf(files: readonly string[], context: HostContext | null): Promise<Finding[]> {
  const analyzer = new Analyzer({ context, several: files.length > 1 });
  for (const file of files) {
    try {
      await analyzer.read(await openCapture(file));
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
    }
  }
  return analyzer.analysis().findings;
}

// The recorded captures lie outside the repository.
if (existsSync(lab)) {
  const scenarios = readdirSync(lab, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('/truth.json'))
    .map((name) => join(lab, dirname(name)));

  it('all captures of a scenario in one run tell what each tells alone', async () => {
    const wrong: string[] = [];
    for (const folder of scenarios) {
      const { healthy } = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as { healthy: boolean };
      const files = readdirSync(folder)
        .filter((name) => /\.pcap(ng)?$/.test(name))
        .map((name) => join(folder, name));
      const stored = join(folder, 'context.json');
      const contexts = existsSync(stored) ? [null, parseContext(JSON.parse(readFileSync(stored, 'utf8')))] : [null];
      for (const context of contexts) {
        const alone: Finding[] = [];
        for (const file of files) alone.push(...(await findingsOf([file], context)));
        const findings = await findingsOf(files, context);
        const where = `${folder.slice(lab.length)}${context ? ', context' : ''}`;
        for (const { rule, title } of loud(findings)) {
          if (healthy || !said(alone).has(rule)) wrong.push(`${where}: new ${rule}: ${title}`);
        }
        for (const { rule, title } of loud(alone))
          if (!said(findings).has(rule)) wrong.push(`${where}: lost ${rule}: ${title}`);
      }
    }
    expect(wrong.filter((each) => !UNSEEN.test(each))).toEqual([]);
    expect(scenarios.length).toBeGreaterThan(100);
  }, 600_000);
}
