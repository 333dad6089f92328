import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { netdiag } from '../support/netdiag.js';

/** A gateway sends redirects: ARP in frames 1, 2, 5, 6, then ICMP and more. */
const MIXED = join(root, 'fixtures/rules/icmp/redirect/two-subnets/capture.pcap');
/** Three ARP requests without an answer. */
const VEPA = join(root, 'fixtures/demo/vepa.pcap');
const folder = mkdtempSync(join(tmpdir(), 'netdiag-filter-'));

const numbersOf = (ndjson: string) =>
  ndjson
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).number);

describe('--filter', () => {
  it('leaves frames their numbers, and counts those that it lets through', async () => {
    const { stdout } = await netdiag(['frames', MIXED, '--format', 'ndjson', '-f', 'arp', '-c', '4']);
    expect(numbersOf(stdout)).toEqual([1, 2, 5, 6]);
  });

  it('decides what analyze examines, on files and on standard input', async () => {
    const find = async (filter: string, input?: Uint8Array) => {
      const capture = input === undefined ? MIXED : '-';
      const run = await netdiag(['analyze', capture, '-f', filter, '--format', 'json'], input && { input });
      return { status: run.status, ...JSON.parse(run.stdout) };
    };
    const arp = await find('arp');
    expect(arp.captures[0].protocols).toEqual({ ethernet: arp.captures[0].frames, arp: arp.captures[0].frames });
    const rest = await find('not arp', readFileSync(MIXED));
    expect(rest.findings.map(({ rule }: { rule: string }) => rule)).toContain('icmp/redirect');
    expect(arp.findings.map(({ rule }: { rule: string }) => rule)).not.toContain('icmp/redirect');
    const all = JSON.parse((await netdiag(['analyze', MIXED, '--format', 'json'])).stdout);
    expect(arp.captures[0].frames + rest.captures[0].frames).toBe(all.captures[0].frames);
  });

  it('applies to a stream, and to what is written of it', async () => {
    const file = join(folder, 'stream.pcapng');
    const input = readFileSync(MIXED);
    const { status } = await netdiag(['live', '-', '-f', 'not arp', '-w', file, '--fail-on', 'never'], { input });
    expect(status).toBe(0);
    expect((await netdiag(['frames', file, '-f', 'arp'])).stdout).toBe('');
    expect((await netdiag(['frames', file, '-f', 'icmp'])).stdout).toContain('ICMP');
  });

  it.each(['analyze', 'frames', 'report'])('tells %s in one line that it is wrong', async (command) => {
    const { status, stdout, stderr } = await netdiag([command, VEPA, '-f', 'arp and']);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^netdiag: --filter "arp and": .*syntax error: see pcap-filter\(7\) for the language\n$/);
  });

  it('tells that it makes no sense for this link type', async () => {
    const { status, stderr } = await netdiag(['analyze', VEPA, '-f', 'type mgt', '--format', 'json']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^netdiag: --filter "type mgt": .*802\.11.*\n$/);
  });
});
