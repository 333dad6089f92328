import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { toMatchFindings } from '../../src/vitest.js';
import { root } from '../support/fixtures.js';

const example = join(root, 'docs/examples/vitest');
const capture = join(example, 'captures/vepa.pcap');
const folder = mkdtempSync(join(tmpdir(), 'netdiag-vitest-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('passes on the example, from its file and from the findings given', async () => {
  expect(await toMatchFindings(capture)).toMatchObject({ pass: true });
  const { findings } = JSON.parse(readFileSync(join(example, 'captures/vepa.expect.json'), 'utf8'));
  expect(await toMatchFindings(capture, findings)).toMatchObject({ pass: true });
});

it('fails with what differs', async () => {
  const { pass, message } = await toMatchFindings(capture, []);
  expect(pass).toBe(false);
  expect(message()).toContain('+ arp/unanswered');
});

it('says how to get an expectation', async () => {
  copyFileSync(capture, join(folder, 'x.pcap'));
  await expect(toMatchFindings(join(folder, 'x.pcap'))).rejects.toThrow('netdiag check --update');
  await expect(toMatchFindings(7)).rejects.toThrow(TypeError);
});
