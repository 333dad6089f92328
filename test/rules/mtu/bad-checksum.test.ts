import { describe, expect, it } from 'vitest';
import { HOST, PEER, packet } from '../../support/icmp.js';
import { ip6 } from '../../support/nd.js';
import { ipv4, onesSum, tcpSegment } from '../../support/tunnel.js';
import { Capture, inShort, mac, u16, type Way } from '../../support/wire.js';

const only = { select: ['mtu/bad-checksum'] };
type Kind = 'right' | 'wrong' | 'unfinished' | 'header';

/** Segments from HOST to PEER, their IPv4 headers with right checksums unless `header`. */
function send(kinds: readonly Kind[], way?: Way): Capture {
  const capture = new Capture();
  for (const [i, kind] of kinds.entries()) {
    const segment = tcpSegment(HOST.ip, PEER.ip, { checksum: kind === 'header' ? 'right' : kind });
    const bytes = ipv4(HOST.ip, PEER.ip, 6, segment);
    const sum = ~onesSum(bytes.slice(0, 20)) & 0xffff;
    bytes.splice(10, 2, ...u16(kind === 'header' ? sum ^ 0x1111 : sum));
    packet(capture.at(i), HOST, PEER, bytes, way);
  }
  return capture;
}

const SIX = ['fd00::1', 'fd00::2'].map(ip6);

/** Packets over IPv6 with the checksum at `field` of `bytes` right, wrong, or left to the device. */
function send6(
  protocol: number,
  field: number,
  bytes: readonly number[],
  kinds: readonly Kind[],
  options = false,
): Capture {
  const capture = new Capture();
  const [from, to] = SIX;
  const extension = options ? [protocol, 0, 1, 4, 0, 0, 0, 0] : [];
  for (const [i, kind] of kinds.entries()) {
    const pseudo = [...from, ...to, 0, 0, ...u16(bytes.length), 0, 0, 0, protocol];
    const sum = kind === 'unfinished' ? onesSum(pseudo) : ~onesSum([...pseudo, ...bytes]) & 0xffff;
    const packet = [...bytes];
    packet.splice(field, 2, ...u16(kind === 'wrong' ? sum ^ 0x4321 : sum));
    const head = [
      ...[0x60, 0, 0, 0, ...u16(extension.length + bytes.length), options ? 0 : protocol, 64],
      ...[...from, ...to, ...extension],
    ];
    capture.at(i).raw([...mac(PEER.mac), ...mac(HOST.mac), 0x86, 0xdd, ...head, ...packet]);
  }
  return capture;
}

const fine = (times: number, kind: Kind = 'right') => new Array<Kind>(times).fill(kind);

describe('mtu/bad-checksum', () => {
  it('is likely about three wrong ones among more right ones', async () => {
    const [finding, ...more] = await send([...fine(3, 'wrong'), ...fine(4)]).findings(only);
    expect(inShort([finding])).toEqual([['mtu/bad-checksum', 'likely', [1, 2, 3]]]);
    expect([finding.subject, finding.count]).toEqual([{ sender: HOST.ip }, 3]);
    expect(more).toEqual([]);
  });

  it('knows IPv4 headers', async () => {
    const findings = await send([...fine(3, 'header'), ...fine(4)], { direction: 'in' }).findings(only);
    expect(inShort(findings)).toEqual([['mtu/bad-checksum', 'likely', [1, 2, 3]]]);
  });

  it('looks behind extension headers of IPv6', async () => {
    const message = [143, 0, 0, 0, 0, 0, 0, 0];
    const [finding] = await send6(58, 2, message, [...fine(3, 'wrong'), ...fine(4)], true).findings(only);
    expect(inShort([finding])).toEqual([['mtu/bad-checksum', 'likely', [1, 2, 3]]]);
    expect(finding.evidence[0].layer).toBe('icmpv6');
    expect(await send6(58, 2, message, fine(7), true).findings(only)).toEqual([]);
  });

  it.each([
    ['TCP', 6, 16, [0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 16, 1, 0, 0, 0, 0, 0], 'tcp'],
    ['UDP', 17, 6, [0x9c, 0x40, 0x23, 0x28, 0, 12, 0, 0, 1, 2, 3, 4], 'udp'],
    ['ICMPv6', 58, 2, [128, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3, 4], 'icmpv6'],
  ])('knows %s over IPv6', async (_, protocol, field, bytes, layer) => {
    const [finding, ...more] = await send6(protocol, field, bytes, [...fine(3, 'wrong'), ...fine(4)]).findings(only);
    expect(inShort([finding])).toEqual([['mtu/bad-checksum', 'likely', [1, 2, 3]]]);
    expect(finding.subject).toEqual({ sender: 'fd00::1' });
    expect([...new Set(finding.evidence.map((each) => each.layer))]).toEqual([layer]);
    expect(finding.remedy.flatMap(({ commands }) => commands).join()).toContain('Udp6InCsumErrors');
    expect(more).toEqual([]);
    for (const kind of ['right', 'unfinished'] as const)
      expect(await send6(protocol, field, bytes, [...fine(3, kind), ...fine(4)]).findings(only)).toEqual([]);
  });

  it('takes unfinished ones for right: they are left to a device', async () => {
    expect(inShort(await send([...fine(3, 'wrong'), ...fine(4, 'unfinished')]).findings(only))).toEqual([
      ['mtu/bad-checksum', 'likely', [1, 2, 3]],
    ]);
    expect(await send(fine(9, 'unfinished')).findings(only)).toEqual([]);
  });

  it('keeps silent about two, and about a sender whose are mostly wrong', async () => {
    expect(await send([...fine(2, 'wrong'), ...fine(9)]).findings(only)).toEqual([]);
    expect(await send(fine(9, 'wrong')).findings(only)).toEqual([]);
    expect(await send([...fine(3, 'wrong'), ...fine(3)]).findings(only)).toEqual([]);
  });

  it('keeps silent about VXLAN to a port of its own, whose sum is that of packets with inner checksums filled in', async () => {
    const to = async (flags: number) => {
      const capture = send(fine(4));
      const inner = tcpSegment('10.9.0.1', '10.9.0.2', { checksum: 'unfinished' });
      const frame = [...mac(PEER.mac), ...mac(HOST.mac), 8, 0, ...ipv4('10.9.0.1', '10.9.0.2', 6, inner)];
      const carried = [flags, 0, 0, 0, 0, 0, 5, 0, ...frame];
      const udp = [...u16(40000), ...u16(12345), ...u16(carried.length + 8), 0x12, 0x34, ...carried];
      for (let i = 0; i < 3; i++) packet(capture.at(10 + i), HOST, PEER, ipv4(HOST.ip, PEER.ip, 17, udp));
      return (await capture.findings(only)).length;
    };
    expect(await to(8)).toBe(0);
    expect(await to(0x48)).toBe(1);
  });

  it('keeps silent about what goes out, and inside tunnels', async () => {
    const kinds = [...fine(3, 'wrong'), ...fine(4)];
    expect(await send(kinds, { direction: 'out' }).findings(only)).toEqual([]);
    expect(await send(kinds, { vni: 5 }).findings(only)).toEqual([]);
  });
});
