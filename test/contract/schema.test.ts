import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.js';
import { parseConfig } from '../../src/commands/config.js';
import { reportJson } from '../../src/report/json.js';
import { captureOf, contextOf, fixtureCases, root } from '../support/fixtures.js';
import { netdiag } from '../support/netdiag.js';

type Schema = { [key: string]: unknown };

const schema = (name: string): Schema => JSON.parse(readFileSync(join(root, `docs/schema/${name}.json`), 'utf8'));

/** The same, but no object may have keys that are not described: nothing is forgotten in the schema. */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, strict(value)]));
  return 'properties' in copy && copy.type === 'object' ? { additionalProperties: false, ...copy } : copy;
}

const ajv = new Ajv.default({ allErrors: true, allowUnionTypes: true });

describe('the schema of findings', () => {
  const isAnalysis = ajv.compile(strict({ ...schema('findings-1'), $id: 'strict' }) as Schema);

  it('describes every key of every report on our fixtures', async () => {
    for (const fixture of fixtureCases()) {
      const analysis = await analyze([captureOf(fixture)], { context: contextOf(fixture) });
      isAnalysis(JSON.parse(reportJson(analysis)));
      expect(isAnalysis.errors ?? [], fixture.folder).toEqual([]);
    }
  });

  it('holds for what the program prints, of damaged and empty captures and pasted text too', async () => {
    for (const file of ['fixtures/demo/vepa.pcap', 'fixtures/rules/capture/damaged-file']) {
      const captures = file.endsWith('.pcap') ? [file] : fixtureCases('capture/damaged-file').map(captureOf);
      for (const capture of captures) {
        isAnalysis(JSON.parse((await netdiag(['analyze', capture, '--format', 'json'])).stdout));
        expect(isAnalysis.errors ?? [], capture).toEqual([]);
      }
    }
  });

  it('refuses what is no finding', () => {
    expect(isAnalysis({ schema: 'netdiag.findings/1' })).toBe(false);
  });
});

describe('the schema of configurations', () => {
  const isConfig = ajv.compile(schema('config'));
  const accepts = (json: unknown) => {
    try {
      parseConfig(json, 'netdiag.config.json');
      return true;
    } catch {
      return false;
    }
  };
  const example = /```json\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/configuration.md'), 'utf8'))?.[1] ?? '';

  it.each<[unknown, boolean]>([
    [JSON.parse(example), true],
    [{}, true],
    [{ $schema: './node_modules/netdiag/docs/schema/config.json' }, true],
    [{ thresholds: { 'arp/unanswered': { requests: 5 } } }, true],
    [{ thresholds: { 'arp/unanswered': { requests: 0 } } }, false],
    [{ thresholds: { 'arp/unanswered': 5 } }, false],
    [{ thresholds: [] }, false],
    [{ selct: [] }, false],
    [{ vxlanPorts: [70000] }, false],
    [{ severity: { arp: 'fatal' } }, false],
    [{ suppressions: [{ rule: 'arp/unanswered' }] }, false],
    [{ suppressions: [{ reason: 'all of it' }] }, false],
    [{ suppressions: [{ rule: 'arp/unanswered', reason: 'known' }] }, true],
  ])('says the same of %j as the program', (json, isGood) => {
    expect(accepts(json)).toBe(isGood);
    expect(isConfig(json)).toBe(isGood);
  });

  it('knows no rules: the program does', () => {
    for (const thresholds of [
      { 'arp/unanswered': { requsts: 5 } },
      { 'arp/unanswerd': { requests: 5 } },
      { arp: { requests: 5 } },
    ]) {
      expect(isConfig({ thresholds })).toBe(true);
      expect(accepts({ thresholds })).toBe(false);
    }
  });
});
