import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { advertisement, icmpv6, solicitation } from '../../support/nd.js';
import { Capture, inShort, u16 } from '../../support/wire.js';

const A = { mac: '02:00:00:00:00:01', ip: 'fd00:1::1' };
const B = { mac: '02:00:00:00:00:02', ip: 'fd00:1::2' };
const C = { mac: '02:00:00:00:00:03', ip: 'fd00:1::3' };
const FAR = 'fd00:9::9';
const ROUTER = 0x80;
const HOP_LIMIT = 14 + 7;

const echo = (from: { mac: string; ip: string }, to: string, ip: string, sequence: number, type = 128) =>
  icmpv6(from.mac, to, from.ip, ip, [type, 0, 0, 0, 0, 7, ...u16(sequence), ...new Array(48).fill(0)]);

/** An advertisement of B to A, with more flags. */
function says(flags: number, from = B) {
  const bytes = advertisement(from.mac, from.ip, A);
  bytes[58] |= flags;
  return bytes;
}

/** A asks for B (frame 1), B answers with `flags` (2), and A pings `to` through it (3 to 6). */
function scene({ flags = 0, to = FAR, through = B.mac } = {}): Capture {
  const capture = new Capture().raw(solicitation(A.mac, A.ip, B.ip)).raw(says(flags));
  for (let i = 1; i <= 4; i++) capture.at(i).raw(echo(A, through, to, i));
  return capture;
}

const find = (capture: Capture, context = {}) =>
  capture
    .at(40)
    .ask(C.mac, '10.0.0.3', '10.0.0.3')
    .findings({ select: ['ip/wrong-next-hop'], ...context });

function contextOf(forwarding: string, ...addresses: string[]) {
  const link = { ifindex: 2, ifname: 'eth0', address: B.mac, flags: ['UP'] };
  return parseContext({
    namespaces: {
      box: {
        'ip -d -j link': [link],
        'ip -j addr': [{ ...link, addr_info: addresses.map((local) => ({ family: 'inet6', local, prefixlen: 64 })) }],
        sysctl: { 'net.ipv6.conf.all.forwarding': forwarding },
      },
    },
  });
}

describe('ip/wrong-next-hop of IPv6', () => {
  it('is likely where packets go to a neighbour that says it is a host', async () => {
    const [finding, ...others] = await find(scene());
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['ip/wrong-next-hop', 'likely', [2, 3, 4, 5, 6]]]);
    expect(finding.subject).toEqual({ source: A.ip, destination: FAR, host: B.ip, mac: B.mac });
  });

  it('takes the lost pings in', async () => {
    const findings = await scene().at(40).ask(C.mac, '10.0.0.3', '10.0.0.3').findings();
    expect(findings.map(({ rule }) => rule)).toEqual(['ip/wrong-next-hop']);
  });

  it('goes by the host context', async () => {
    const [finding] = await find(scene(), { context: contextOf('0', B.ip) });
    expect(finding.confidence).toBe('certain');
    expect(finding.context).toEqual(['eth0 in box: forwarding off']);
    expect(await find(scene(), { context: contextOf('1', B.ip) })).toEqual([]);
    expect(await find(scene(), { context: contextOf('0', B.ip, FAR) })).toEqual([]);
  });

  it('keeps still where the neighbour is a router, by any of its advertisements', async () => {
    expect(await find(scene({ flags: ROUTER }))).toEqual([]);
    const later = scene().at(9).raw(says(ROUTER));
    expect(await find(later)).toEqual([]);
    const announced = scene()
      .at(9)
      .raw(
        icmpv6(B.mac, '33:33:00:00:00:01', 'fe80::2', 'ff02::1', [134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]),
      );
    expect(await find(announced)).toEqual([]);
  });

  it('keeps still where it passes on what others send', async () => {
    const routed = echo({ mac: B.mac, ip: 'fd00:5::5' }, A.mac, A.ip, 1);
    routed[HOP_LIMIT] = 63;
    expect(await find(scene().at(9).raw(routed))).toEqual([]);
    routed[HOP_LIMIT] = 64;
    expect((await find(scene().at(9).raw(routed))).length).toBe(1);
  });

  it('keeps still about targets on the link, or of the link alone', async () => {
    expect(await find(scene({ to: 'fd00:1::9' }))).toEqual([]);
    expect(await find(scene({ to: 'fe80::9' }))).toEqual([]);
    const claimed = scene()
      .at(9)
      .raw(advertisement(C.mac, FAR, A));
    expect(await find(claimed)).toEqual([]);
  });

  it('keeps still where the sender is not on the link: a balancer hands on by MAC', async () => {
    const capture = new Capture().raw(says(0));
    for (let i = 1; i <= 4; i++) {
      const request = echo(A, B.mac, FAR, i);
      request[HOP_LIMIT] = 57;
      capture.at(i).raw(request);
    }
    expect(await find(capture)).toEqual([]);
  });

  it('keeps still where nothing is known of the neighbour, or it is a virtual router', async () => {
    expect(await find(scene({ through: C.mac }))).toEqual([]);
    const vrrp = { mac: '00:00:5e:00:02:07', ip: B.ip };
    const capture = new Capture().raw(solicitation(A.mac, A.ip, B.ip)).raw(says(0, vrrp));
    for (let i = 1; i <= 4; i++) capture.at(i).raw(echo(A, vrrp.mac, FAR, i));
    expect(await find(capture)).toEqual([]);
  });

  it('keeps still where an ICMP error or a reply comes', async () => {
    const quoted = (i: number) => echo(A, B.mac, FAR, i).slice(14);
    const refused = scene();
    for (let i = 1; i <= 4; i++)
      refused.at(i + 0.01).raw(icmpv6(B.mac, A.mac, B.ip, A.ip, [1, 0, 0, 0, 0, 0, 0, 0, ...quoted(i)]));
    expect(await find(refused)).toEqual([]);
    const answered = scene();
    for (let i = 1; i <= 4; i++) answered.at(i + 0.01).raw(echo({ mac: C.mac, ip: FAR }, A.mac, A.ip, i, 129));
    expect(await find(answered)).toEqual([]);
  });
});
