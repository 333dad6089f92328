import { describe, expect, it } from 'vitest';
import { advertisement, icmpv6, ip6, solicitation } from '../../support/nd.js';
import { Capture, findingsOf, inShort, mac, u16, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const ASK = solicitation(A, 'fd00::1', 'fd00::2');
const ANSWER = advertisement(B, 'fd00::2', { mac: A, ip: 'fd00::1' });

const only = { select: ['nd/unanswered'] };

function asks(times: number, way?: Way, gap = 1.02): Capture {
  const capture = new Capture();
  for (let i = 0; i < times; i++) capture.at(i * gap).raw(ASK, way);
  return capture;
}

describe('nd/unanswered', () => {
  it('speaks after three solicitations a second apart', async () => {
    expect(inShort(await asks(3).findings(only))).toEqual([['nd/unanswered', 'likely', [1, 2, 3]]]);
  });

  it('only hints after two, and says nothing after one', async () => {
    expect(inShort(await asks(2).findings(only))).toEqual([['nd/unanswered', 'hint', [1, 2]]]);
    expect(await asks(1).findings(only)).toEqual([]);
  });

  it('is certain where an answer would have been seen', async () => {
    const capture = new Capture()
      .raw(solicitation(A, 'fd00::1', 'fd00::3'), { direction: 'out' })
      .at(0.001)
      .raw(advertisement(B, 'fd00::3', { mac: A, ip: 'fd00::1' }), { direction: 'in' });
    for (let i = 1; i <= 3; i++) capture.at(i * 1.02).raw(ASK, { direction: 'out' });
    expect(inShort(await capture.findings(only))).toEqual([['nd/unanswered', 'certain', [3, 4, 5]]]);
  });

  it('takes an advertisement after the last solicitation for an answer', async () => {
    expect(await asks(3).at(2.05).raw(ANSWER).findings(only)).toEqual([]);
  });

  it('takes no advertisement in another VLAN for an answer', async () => {
    const capture = asks(3, { vlan: 10 }).at(2.05).raw(ANSWER, { vlan: 20 });
    expect(inShort(await capture.findings(only))).toEqual([['nd/unanswered', 'likely', [1, 2, 3]]]);
  });

  it('speaks of what happens inside VXLAN', async () => {
    expect(inShort(await asks(3, { vni: 7 }).findings(only))).toEqual([['nd/unanswered', 'likely', [1, 2, 3]]]);
  });

  it('keeps still about duplicate address detection, which silence answers', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++) capture.at(i).raw(solicitation(A, '::', 'fd00::1'));
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps solicitations to one machine apart from those to a group, where a cooked header does not', async () => {
    const message = [135, 0, 0, 0, 0, 0, 0, 0, ...ip6('fd00::2')];
    expect(inShort(await findingsOf(cookedOut(ASK, 3), only))).toEqual([['nd/unanswered', 'likely', [1, 2, 3]]]);
    expect(await findingsOf(cookedOut(icmpv6(A, B, 'fd00::1', 'fd00::2', message), 3), only)).toEqual([]);
  });

  it('keeps still about a bystander that asks at other pauses than a kernel', async () => {
    expect(await asks(4, undefined, 3).findings(only)).toEqual([]);
  });

  it('keeps still about a station that scans', async () => {
    const capture = new Capture();
    for (let round = 0; round < 3; round++)
      for (let i = 0; i < 30; i++)
        capture.at(round * 1.02 + i / 1000).raw(solicitation(A, 'fd00::1', `fd00::${(0x100 + i).toString(16)}`));
    expect(await capture.findings(only)).toEqual([]);
  });
});

/** A pcap file with an IPv6 frame that goes out `times` times, a second apart, with LINUX_SLL2 headers of device 2. */
function cookedOut(frame: readonly number[], times: number): Buffer {
  const packet = [0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6, ...mac(A), 0, 0, ...frame.slice(14)];
  const file = [0xa1b2c3d4, 0x00020004, 0, 0, 262144, 276].flatMap((word) => [
    ...u16(word >>> 16),
    ...u16(word & 0xffff),
  ]);
  for (let i = 0; i < times; i++) {
    const head = [1_700_000_000 + i, 20_000 * i, packet.length, packet.length];
    file.push(...head.flatMap((word) => [...u16(word >>> 16), ...u16(word & 0xffff)]), ...packet);
  }
  return Buffer.from(file);
}
