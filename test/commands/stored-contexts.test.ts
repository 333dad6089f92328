import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.js';
import { contextComments, MAX_CONTEXT } from '../../src/capture/live/stored-context.js';
import type { AnalyzeSettings } from '../../src/commands/analyze-settings.js';
import { run } from '../../src/commands/program.js';
import { withStoredContexts } from '../../src/commands/stored-context.js';
import { H1 } from '../support/bridge.js';
import { fakeIo } from '../support/io.js';
import { Capture } from '../support/wire.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-contexts-'));

/** A pcapng file of questions in vain, which tells that a bridge port of its machine is in some state. */
function file(name: string, state: string | null, start: number): string {
  const path = join(folder, name);
  const veth = { link_type: 'ether', flags: ['UP', 'LOWER_UP'], linkinfo: { info_kind: 'veth' } };
  const host = (ifindex: number, address: string, local: string, nsid: number) => ({
    'ip -d -j link': [{ ...veth, ifindex, ifname: 'eth0', link_index: ifindex + 10, link_netnsid: nsid, address }],
    'ip -j addr': [{ ifindex, ifname: 'eth0', addr_info: [{ family: 'inet', local, prefixlen: 24 }] }],
  });
  const port = (ifindex: number, nsid: number) => ({
    ...veth,
    ifindex: ifindex + 10,
    ifname: `p${ifindex}`,
    link_index: ifindex,
    link_netnsid: nsid,
    master: 'br0',
    linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
  });
  const row = (ifindex: number) => ({
    ifindex,
    ifname: `p${ifindex - 10}`,
    master: 'br0',
    state: state ?? 'forwarding',
  });
  const context = {
    vantage: 'h1/eth0',
    namespaces: {
      h1: host(2, H1, '10.0.0.1', 0),
      h2: host(3, '02:00:00:00:00:02', '10.0.0.2', 0),
      sw: {
        'ip -d -j link': [
          { ...veth, ifindex: 8, ifname: 'br0', linkinfo: { info_kind: 'bridge' } },
          port(2, 1),
          port(3, 2),
        ],
        'bridge -d -j link': [row(12), row(13)],
      },
    },
  };
  const bytes = asks(start).file();
  writeFileSync(path, state === null ? bytes : withComments(bytes, contextComments(context)));
  return path;
}

function asks(start: number): Capture {
  const capture = new Capture();
  for (let i = 0; i < 3; i++) capture.at(start + i * 1.02).ask(H1, '10.0.0.1', '10.0.0.2');
  return capture;
}

/** The file with comments in its section header, which is 28 bytes long without them. */
function withComments(bytes: Buffer, comments: readonly string[]): Buffer {
  const options = comments.map((comment) => {
    const text = Buffer.from(comment);
    const head = Buffer.alloc(4);
    head.writeUInt16LE(1, 0);
    head.writeUInt16LE(text.length, 2);
    return Buffer.concat([head, text, Buffer.alloc(-text.length & 3)]);
  });
  const body = Buffer.concat([...options, Buffer.alloc(4)]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(28 + body.length, 0);
  const old = bytes.readUInt32LE(4);
  return Buffer.concat([bytes.subarray(0, 4), length, bytes.subarray(8, 24), body, length, bytes.subarray(old)]);
}

const settings = (analysis: object = {}) => ({ analysis, hostJson: null }) as unknown as AnalyzeSettings;
const told = async (inputs: readonly string[]) =>
  (await analyze(inputs, { ...withStoredContexts(settings(), inputs).analysis })).findings
    .map(({ rule, confidence, segment }) => `${segment.capture} ${rule} ${confidence}`)
    .sort();

describe('contexts that files hold', () => {
  // At other times, else what both show is said once.
  const [closed, open, mute] = [
    file('closed', 'disabled', 0),
    file('open', 'forwarding', 100),
    file('mute', null, 200),
  ];

  it('are each for its own file, in whatever order they are given', async () => {
    expect(await told([closed])).toEqual(['0 bridge/port-not-forwarding certain']);
    expect(await told([closed, open])).toEqual(['0 bridge/port-not-forwarding certain', '1 arp/unanswered likely']);
    expect(await told([open, closed])).toEqual(['0 arp/unanswered likely', '1 bridge/port-not-forwarding certain']);
  });

  it('say nothing of files that hold none', async () => {
    expect(await told([closed, mute])).toEqual(['0 bridge/port-not-forwarding certain', '1 arp/unanswered likely']);
  });

  it('are used for a report and for its evidence, which has to give the same', async () => {
    const io = fakeIo({ cwd: folder });
    expect(await run(['report', closed, open, '--evidence', 'proof.pcapng'], io)).toBe(0);
    expect(io.written.stdout).toContain('bridge/port-not-forwarding');
    expect(io.written.stdout).toContain('arp/unanswered');
    expect((await analyze([join(folder, 'proof.pcapng')])).captures[0].frames).toBe(6);
  });

  it('are no more than one file may hold', () => {
    const large = { namespaces: {}, filler: 'x'.repeat(MAX_CONTEXT - 100) };
    const path = join(folder, 'large');
    writeFileSync(path, withComments(asks(0).file(), contextComments(large)));
    const owners = (inputs: readonly string[]) => [
      ...(withStoredContexts(settings(), inputs).analysis.own?.keys() ?? []),
    ];
    expect(owners([closed, open])).toEqual([closed, open]);
    expect(owners([path, closed])).toEqual([path]);
    expect(owners([closed, path, open])).toEqual([closed]);
  });

  it('are outweighed by what the user gives', () => {
    const given = withStoredContexts(settings({ context: { devices: [] } }), [closed, open]);
    expect(given.analysis.own).toBeUndefined();
    const at = withStoredContexts(settings({ vantage: { namespace: 'h1', interface: 'eth0' } }), [closed, open]);
    expect(at.analysis.own).toBeUndefined();
    expect(withStoredContexts(settings(), [closed, mute]).analysis.own?.size).toBe(1);
  });
});
