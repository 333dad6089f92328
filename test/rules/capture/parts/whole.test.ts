import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { Analyzer, analyze } from '../../../../src/analyze.js';
import { openCapture } from '../../../../src/capture/open.js';
import { Capture } from '../../../support/wire.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-whole-'));
afterAll(() => rmSync(folder, { recursive: true }));

const cut = new Capture().ask('02:00:00:00:00:01', '10.0.0.1', '10.0.0.2').file().subarray(0, -20);
const write = (...path: string[]) => {
  mkdirSync(join(folder, ...path.slice(0, -1)), { recursive: true });
  const file = join(folder, ...path);
  writeFileSync(file, cut);
  return file;
};
const named = async (...files: string[]) =>
  (await analyze(files)).findings.map(({ summary }) => /frames? of (.*?) (?:was|were) read/.exec(summary)?.[1]);

describe('the name of a capture in a sentence', () => {
  it('is without its folders', async () => {
    expect(await named(write('a', 'x.pcap'), write('b', 'y.pcap'))).toEqual(['x.pcap', 'y.pcap']);
  });

  it('is "standard input" for -', async () => {
    const analyzer = new Analyzer({});
    await analyzer.read(await openCapture('-', { stdin: Readable.from([cut]) }));
    expect(analyzer.analysis().findings[0].summary).toMatch(/frames? of standard input (was|were) read/);
  });
});
