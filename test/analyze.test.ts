import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Analyzer } from '../src/analyze.js';
import { openCapture } from '../src/capture/open.js';
import { analyze, CaptureError, UnknownRuleError } from '../src/index.js';
import type { CaptureFacts, Rule } from '../src/rules/rule.js';
import { diagnosis, silentRule } from './support/diagnosis.js';
import { root } from './support/fixtures.js';

const demo = join(root, 'fixtures/demo/vepa.pcap');
const folder = mkdtempSync(join(tmpdir(), 'netdiag-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Says one thing about each capture when it ends. */
function speaking(say: (facts: CaptureFacts, capture: number) => Parameters<typeof diagnosis>[0]): Rule {
  return {
    ...silentRule('capture/spoken'),
    create: ({ captures, report }) => ({
      captureEnd: (capture) =>
        report(diagnosis({ key: `${capture}`, segment: -1, capture, ...say(captures[capture], capture) })),
    }),
  };
}

describe('analyze', () => {
  it('describes its captures', async () => {
    const { captures } = await analyze([demo, demo]);
    expect(captures).toHaveLength(2);
    // As tcpdump shows them: three frames out, 03:04:55.283803 to 03:04:57.335878.
    expect(captures[1]).toMatchObject({
      name: demo,
      frames: 3,
      first: '2026-11-21T03:04:55.283803000Z',
      last: '2026-11-21T03:04:57.335878000Z',
      directions: 'all',
      protocols: { arp: 3 },
    });
  });

  it('rejects for an input that cannot be read', async () => {
    await expect(analyze([demo, '/nonexistent.pcap'])).rejects.toBeInstanceOf(CaptureError);
  });

  it('rejects unknown rules', async () => {
    await expect(analyze([demo], { select: ['quux'] })).rejects.toBeInstanceOf(UnknownRuleError);
  });

  it('ends when it is told to', async () => {
    const { captures } = await analyze([demo], { signal: AbortSignal.abort() });
    expect(captures).toMatchObject([{ frames: 0 }]);
  });
});

describe('Analyzer', () => {
  it('gives rules what is known of each capture, and findings their times', async () => {
    const known: unknown[] = [];
    const rule = speaking(({ info, frames, inbound, outbound, bytes, first, last }) => {
      known.push([info.name, frames, inbound, outbound, bytes, last - first]);
      return { first, last };
    });
    const analyzer = new Analyzer({}, { rules: [rule] });
    await analyzer.read(await openCapture(demo));
    expect(known).toEqual([[demo, 3, 0, 3, 144, 2_052_075_000]]);
    expect(analyzer.analysis().findings).toMatchObject([
      { first: '2026-11-21T03:04:55.283803000Z', last: '2026-11-21T03:04:57.335878000Z', segment: { interface: null } },
    ]);
  });

  it('goes on after a capture that cannot be read', async () => {
    const page = join(folder, 'page.pcap');
    writeFileSync(page, Buffer.concat([readFileSync(demo).subarray(0, 24)]));
    const analyzer = new Analyzer({}, { rules: [speaking(() => ({}))] });
    await expect(
      analyzer.read({
        info: (await openCapture(page)).info,
        progress: { read: 0, total: 0 },
        run: () => Promise.reject(new CaptureError(page, 'unreadable', 'do not read it')),
      }),
    ).rejects.toBeInstanceOf(CaptureError);
    await analyzer.read(await openCapture(demo));
    const { captures, findings } = analyzer.analysis();
    expect(captures).toMatchObject([{ name: demo }]);
    expect(findings).toMatchObject([{ segment: { capture: 0 } }]);
  });

  it('leaves out what is suppressed, and says why', async () => {
    const analyzer = new Analyzer(
      { suppressions: [{ rule: 'capture/spoken', subject: { capture: 1 }, reason: 'known since spring' }] },
      { rules: [speaking((_, capture) => ({ subject: { capture } }))] },
    );
    for (let i = 0; i < 3; i++) await analyzer.read(await openCapture(demo));
    const { findings, suppressed, summary } = analyzer.analysis();
    expect(findings.map(({ subject }) => subject.capture).sort()).toEqual([0, 2]);
    expect(suppressed).toMatchObject([{ rule: 'capture/spoken', reason: 'known since spring' }]);
    expect(summary).toEqual({ error: 0, warning: 2, info: 0 });
  });
});

describe('what nobody understands', () => {
  it('is counted by name', async () => {
    // The EtherTypes are those in the frames: 0x88f7 twice, 0x1234 once; IP protocols 89 and 253; an UDP payload.
    const ethernet = (type: number, payload: number[]) => [
      2,
      0,
      0,
      0,
      0,
      1,
      2,
      0,
      0,
      0,
      0,
      2,
      type >> 8,
      type & 255,
      ...payload,
    ];
    const ipv4 = (protocol: number, payload: number[]) => {
      const length = 20 + payload.length;
      return ethernet(0x0800, [
        0x45,
        0,
        0,
        length,
        0,
        0,
        0,
        0,
        64,
        protocol,
        0,
        0,
        192,
        0,
        2,
        1,
        192,
        0,
        2,
        2,
        ...payload,
      ]);
    };
    const udp = [0x30, 0x39, 0x30, 0x3a, 0, 12, 0, 0, 1, 2, 3, 4];
    const frames = [
      ethernet(0x88f7, [1, 2]),
      ethernet(0x88f7, [1]),
      ethernet(0x1234, [1]),
      ipv4(89, [2]),
      ipv4(253, [2]),
      ipv4(17, udp),
    ];
    const header = Buffer.alloc(24);
    for (const [at, value] of [
      [0, 0xa1b2c3d4],
      [16, 65535],
      [20, 1],
    ])
      header.writeUInt32LE(value, at);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    const records = frames.flatMap((frame) => {
      const record = Buffer.alloc(16);
      for (const at of [8, 12]) record.writeUInt32LE(frame.length, at);
      return [record, Buffer.from(frame)];
    });
    const file = join(folder, 'unknown.pcap');
    writeFileSync(file, Buffer.concat([header, ...records]));
    const { captures } = await analyze([file]);
    expect(captures[0].undecoded).toEqual({ PTP: 2, 'EtherType 0x1234': 1, 'IP protocol 253': 1, OSPF: 1 });
    expect(captures[0].protocols).toEqual({ ethernet: 6, ipv4: 3, udp: 1 });
  });
});
