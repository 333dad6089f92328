import { describe, expect, it } from 'vitest';
import { A, arpReply, arpRequest, B, ipv4, ONE, TWO, tcpSegment, tunnelled } from '../../support/tunnel.js';
import { Capture, inShort, mac, u16, type Way } from '../../support/wire.js';

const only = { select: ['vxlan/bad-inner-checksum'] };
const CLIENT = '192.168.5.1';
const SERVER = '192.168.5.2';

function syn(checksum: 'right' | 'wrong' | 'unfinished', sequence = 1000): number[] {
  const segment = tcpSegment(CLIENT, SERVER, { checksum, sequence });
  return [...mac(B), ...mac(A), 8, 0, ...ipv4(CLIENT, SERVER, 6, segment)];
}

function send(kinds: readonly ('right' | 'wrong' | 'unfinished')[], way?: Way, step = 0): Capture {
  const capture = new Capture();
  for (const [i, kind] of kinds.entries()) tunnelled(capture.at(i), syn(kind, 1000 + i * step), way ? { way } : {});
  return capture;
}

describe('vxlan/bad-inner-checksum', () => {
  it('is certain about three that came in', async () => {
    const capture = send(['wrong', 'wrong', 'wrong', 'right'], { direction: 'in' });
    expect(inShort(await capture.findings(only))).toEqual([['vxlan/bad-inner-checksum', 'certain', [1, 2, 3]]]);
  });

  it('is likely where directions are unknown, a hint where no checksum is right', async () => {
    expect(inShort(await send(['wrong', 'wrong', 'wrong', 'right']).findings(only))).toEqual([
      ['vxlan/bad-inner-checksum', 'likely', [1, 2, 3]],
    ]);
    expect(inShort(await send(['wrong', 'wrong', 'wrong']).findings(only))).toEqual([
      ['vxlan/bad-inner-checksum', 'hint', [1, 2, 3]],
    ]);
  });

  it('keeps silent about two, about right ones, and about what goes out', async () => {
    expect(await send(['wrong', 'wrong', 'right']).findings(only)).toEqual([]);
    expect(await send(['right', 'right', 'right']).findings(only)).toEqual([]);
    expect(await send(['wrong', 'wrong', 'wrong'], { direction: 'out' }).findings(only)).toEqual([]);
  });

  it('is likely where one unfinished SYN comes in again and again, and others finished: a hint between containers', async () => {
    const kinds = ['unfinished', 'unfinished', 'unfinished', 'unfinished'] as const;
    const capture = send(kinds, { direction: 'in' });
    expect(inShort(await capture.findings(only))).toEqual([['vxlan/bad-inner-checksum', 'hint', [2, 3, 4]]]);
    capture.at(4).raw(syn('right', 9000), { vni: 5, direction: 'in' });
    expect(inShort(await capture.findings(only))).toEqual([['vxlan/bad-inner-checksum', 'likely', [2, 3, 4]]]);
  });

  it('keeps silent where another unfinished SYN was taken', async () => {
    const kinds = ['unfinished', 'unfinished', 'unfinished', 'unfinished'] as const;
    const capture = send(kinds, { direction: 'in' });
    capture.at(10).raw(syn('unfinished', 5000), { vni: 5, direction: 'in' });
    const late = await capture.at(12).ask('02:00:00:00:00:01', '10.0.0.1', '10.0.0.2').findings(only);
    expect(late).toHaveLength(1);
    expect(await capture.at(14).ask('02:00:00:00:00:01', '10.0.0.1', '10.0.0.2').findings(only)).toEqual([]);
  });

  it('keeps silent where a SYN that came again unfinished was answered: a slow link, and a virtual one', async () => {
    const kinds = ['unfinished', 'unfinished', 'unfinished', 'unfinished'] as const;
    const answer = (server: string) => {
      const segment = tcpSegment(server, CLIENT, { flags: 0x12, sourcePort: 80 });
      segment.splice(2, 2, ...u16(40000));
      segment.splice(8, 4, 0, 0, ...u16(1001));
      const inner = [...mac(A), ...mac(B), 8, 0, ...ipv4(server, CLIENT, 6, segment)];
      return tunnelled(send(kinds, { direction: 'in' }).at(4), inner, {
        from: TWO,
        to: ONE,
        way: { direction: 'out' },
      });
    };
    expect(await answer(SERVER).findings(only)).toEqual([]);
    expect(await answer('192.168.5.3').findings(only)).toHaveLength(1);
  });

  it('names damage by chance where most are right, and some of open connections wrong', async () => {
    const damaged = async (flags: number, right: number) => {
      const segment = (checksum: 'right' | 'wrong', sequence: number) => [
        ...mac(B),
        ...mac(A),
        8,
        0,
        ...ipv4(CLIENT, SERVER, 6, tcpSegment(CLIENT, SERVER, { checksum, sequence, flags })),
      ];
      const capture = new Capture();
      for (let i = 0; i < 3 + right; i++)
        tunnelled(capture.at(i), segment(i < 3 ? 'wrong' : 'right', i), { way: { direction: 'in' } });
      const [finding] = await capture.findings(only);
      return finding.cause;
    };
    expect(await damaged(0x10, 24)).toContain('damaged on the way');
    expect(await damaged(0x10, 23)).toContain('leaves checksums');
    expect(await damaged(0x02, 24)).toContain('leaves checksums');
  });

  it('keeps silent where the target asks for its gateway in vain: it got the SYN, and has no way to answer', async () => {
    const said = async (asked: string, answered: boolean) => {
      const kinds = ['unfinished', 'unfinished', 'unfinished', 'unfinished'] as const;
      const capture = send(kinds, { direction: 'in' }).at(4);
      const other = tcpSegment(CLIENT, '192.168.5.8', { sequence: 9000, sourcePort: 41000 });
      const finished = [...mac(B), ...mac(A), 8, 0, ...ipv4(CLIENT, '192.168.5.8', 6, other)];
      capture.raw(finished, { vni: 5, direction: 'in' });
      for (let i = 0; i < 3; i++) tunnelled(capture.at(5 + i), arpRequest(B, asked, '192.168.5.254'));
      if (answered) tunnelled(capture.at(8), arpReply(A, '192.168.5.254', B, asked));
      return (await capture.at(20).ask('02:00:00:00:00:01', '10.0.0.1', '10.0.0.2').findings(only)).length;
    };
    expect(await said(SERVER, false)).toBe(0);
    expect(await said(SERVER, true)).toBe(1);
    expect(await said('192.168.5.7', false)).toBe(1);
  });

  it('keeps silent about unfinished SYNs of several connections: a virtual link', async () => {
    const kinds = ['unfinished', 'unfinished', 'unfinished', 'unfinished'] as const;
    expect(await send(kinds, { direction: 'in' }, 7).findings(only)).toEqual([]);
  });

  it('keeps silent about wrong checksums outside tunnels', async () => {
    const capture = new Capture();
    for (let i = 0; i < 5; i++) capture.at(i).raw(syn('wrong'));
    expect(await capture.findings(only)).toEqual([]);
  });
});
