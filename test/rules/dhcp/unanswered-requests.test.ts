import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { CLIENT, dhcp, SERVER } from '../../support/dhcp.js';
import { Capture, inShort, mac } from '../../support/wire.js';

const only = { select: ['dhcp/no-offer'] };
const u32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];

/** A client that has 10.0.0.9 for 40 s, from 0 on. */
function leased({ lease = 40, more = {} }: { lease?: number; more?: Parameters<typeof dhcp>[2] } = {}): Capture {
  const capture = dhcp(new Capture().at(-0.1), 'discover', more);
  dhcp(capture, 'offer', { server: SERVER, ...more });
  dhcp(capture, 'request', { server: SERVER, ...more });
  return dhcp(capture.at(0), 'ack', { server: SERVER, options: [51, 4, ...u32(lease)], ...more });
}

type Ask = readonly [at: number, how: 'unicast' | 'broadcast', secs?: number, xid?: number];

/** Requests to keep 10.0.0.9; `secs` counts from the first of them unless told. */
function asks(capture: Capture, list: readonly Ask[], more: Parameters<typeof dhcp>[2] = {}): Capture {
  for (const [at, how, secs = at - list[0][0], xid = 1] of list)
    dhcp(capture.at(at), 'request', {
      held: '10.0.0.9',
      ...(how === 'unicast' ? { to: SERVER } : {}),
      secs,
      xid,
      ...more,
    });
  return capture;
}

/** Something that shows that the capture goes on. */
const later = (capture: Capture, at: number) => capture.at(at).ask('02:00:00:00:00:77', '10.0.0.7', '10.0.0.8');
const ack = (capture: Capture, at: number) =>
  dhcp(capture.at(at), 'ack', { server: SERVER, held: '10.0.0.9', options: [51, 4, 0, 0, 0, 40] });

describe('dhcp/no-offer of requests', () => {
  it('is certain of three renewals in vain, and says how long the lease lasts', async () => {
    const capture = asks(leased(), [
      [20, 'unicast'],
      [24, 'unicast'],
      [32, 'unicast'],
    ]);
    const [finding, ...others] = await later(capture, 36).findings(only);
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['dhcp/no-offer', 'certain', [5, 6, 7]]]);
    expect(finding.severity).toBe('warning');
    expect(finding.title).toBe(`${CLIENT} asks to keep 10.0.0.9 and gets no answer`);
    expect(finding.summary).toContain('asked 10.0.0.2 3 times within 12.0 s to renew its lease of 10.0.0.9');
    expect(finding.summary).toContain('Its lease of 40 s runs out 8.0 s after the latest of them');
    expect(finding.cause).toContain('cannot be reached by unicast (behind a relay only broadcasts pass by it)');
    expect(finding.remedy.flatMap(({ commands }) => commands)).toContain('ip route get 10.0.0.2');
  });

  it('names the firewall of the server, where the host context shows that it drops them', async () => {
    const where = { family: 'inet', table: 'f' };
    const answers = { match: { op: 'in', left: { ct: { key: 'state' } }, right: 'established' } };
    const told = async (policy: string) => {
      const nftables = [
        { chain: { ...where, name: 'in', type: 'filter', hook: 'input', prio: 0, policy } },
        { rule: { ...where, chain: 'in', handle: 2, expr: [answers, { accept: null }] } },
      ];
      const device = { ifindex: 2, ifname: 'eth0', address: SERVER.mac };
      const s = {
        'ip -j addr': [{ ...device, addr_info: [{ family: 'inet', local: SERVER.ip, prefixlen: 24 }] }],
        'nft -j list ruleset': { nftables },
      };
      const capture = asks(leased(), [
        [20, 'unicast'],
        [24, 'unicast'],
        [32, 'unicast'],
      ]);
      const [finding] = await later(capture, 36).findings({ ...only, context: parseContext({ namespaces: { s } }) });
      return [finding.summary.includes('the policy (drop)'), finding.remedy[0].commands[0], finding.context];
    };
    expect(await told('drop')).toEqual([
      true,
      'ip netns exec s nft insert rule inet f in udp dport 67 accept',
      ['eth0 in s: the policy (drop) of chain inet f in, hook input'],
    ]);
    expect(await told('accept')).toEqual([false, expect.stringContaining('tcpdump'), []]);
  });

  it('is certain of one by unicast and one by broadcast, as networkd sends them, and an error once the lease is over', async () => {
    const both = () =>
      asks(leased(), [
        [20, 'unicast', 19],
        [35, 'broadcast', 34],
      ]);
    expect(inShort(await later(both(), 37).findings(only))).toEqual([['dhcp/no-offer', 'hint', [5, 6]]].slice(1));
    const [early] = await later(both(), 38.5).findings(only);
    expect([early.confidence, early.severity]).toEqual(['certain', 'error']);
    expect(early.summary).toContain('ran out');
    const [long] = await later(
      asks(leased({ lease: 60 }), [
        [30, 'unicast', 30],
        [45, 'broadcast', 45],
      ]),
      50,
    ).findings(only);
    expect([long.confidence, long.severity]).toEqual(['certain', 'warning']);
    expect(long.cause).toContain('speaks against a mere lack of a route');
  });

  it('names the relay that renewals go past', async () => {
    const relay = { mac: '02:00:00:00:00:05', ip: '10.0.0.5' };
    const capture = leased();
    dhcp(capture.at(1), 'ack', { server: SERVER, relay, options: [51, 4, 0, 0, 0, 40] });
    const [finding] = await later(
      asks(capture, [
        [20, 'unicast'],
        [24, 'unicast'],
        [32, 'unicast'],
      ]),
      36,
    ).findings(only);
    expect(finding.cause).toContain('The lease came through the relay 10.0.0.5; renewals go past it');
  });

  it('keeps silent once a late answer or one to a broadcast came, and after a release', async () => {
    const vain = (): Ask[] => [
      [20, 'unicast'],
      [24, 'unicast'],
      [32, 'unicast'],
      [35, 'broadcast'],
    ];
    expect(await later(ack(asks(leased(), vain()), 37), 60).findings(only)).toEqual([]);
    const released = dhcp(asks(leased(), vain()).at(36), 'release', { held: '10.0.0.9', to: SERVER, server: SERVER });
    expect(await later(released, 60).findings(only)).toEqual([]);
    const refused = dhcp(asks(leased(), vain()).at(36), 'nak', { server: SERVER });
    expect(await later(refused, 60).findings(only)).toEqual([]);
  });

  it('says nothing of renewals by the clock whose answers are not in the capture', async () => {
    const mirrored = (xid: (i: number) => number, secs: (at: number) => number) =>
      asks(
        new Capture(),
        [20, 40, 60, 80].map((at, i) => [at, 'unicast', secs(at), xid(i)] as const),
      );
    const same = () => 1;
    for (const capture of [
      mirrored(same, () => 0),
      mirrored(same, (at) => at),
      mirrored(
        (i) => i,
        (at) => at,
      ),
    ])
      expect(await later(capture, 90).findings(only)).toEqual([]);
    // udhcpc, which begins with unicast each time and heard the answer to the broadcast.
    const twice = asks(new Capture(), [
      [20, 'unicast', 0],
      [40, 'unicast', 0],
      [43, 'broadcast', 3],
      [63, 'unicast', 0],
      [66, 'broadcast', 3],
    ]);
    expect(await later(twice, 90).findings(only)).toEqual([]);
  });

  it('is likely of a client that counts its seconds, where its answers would not be seen', async () => {
    const capture = asks(new Capture(), [
      [20, 'unicast'],
      [24, 'unicast'],
      [32, 'unicast'],
    ]);
    const [finding] = await later(capture, 40).findings(only);
    expect(finding.confidence).toBe('likely');
    expect(finding.caveats).toContain(
      'no unicast for the client is in this capture: the latest request may have been answered, unseen',
    );
    expect(finding.summary).toContain('When the lease runs out is not in this capture');
  });

  it('knows by the lease that a client asks again sooner than it would renew', async () => {
    const at = (...times: number[]) =>
      asks(
        leased({ lease: 300 }),
        times.map((time) => [time, 'unicast', time] as const),
      );
    expect(inShort(await later(at(150, 160, 180), 200).findings(only))).toEqual([
      ['dhcp/no-offer', 'certain', [5, 6, 7]],
    ]);
    expect(inShort(await later(at(150, 300, 450), 470).findings(only))).toEqual([['dhcp/no-offer', 'hint', [5, 6, 7]]]);
  });

  it('stays when the client had to begin anew, though it is given an address then', async () => {
    const capture = asks(leased(), [
      [20, 'unicast'],
      [23, 'broadcast'],
      [26, 'broadcast'],
      [29, 'broadcast'],
    ]);
    dhcp(capture.at(32), 'discover', { xid: 2 });
    dhcp(capture, 'offer', { server: SERVER, xid: 2 });
    dhcp(capture, 'request', { server: SERVER, xid: 2 });
    dhcp(capture, 'ack', { server: SERVER, xid: 2 });
    const [finding] = await later(capture, 50).findings(only);
    expect([finding.confidence, finding.severity, finding.count]).toEqual(['certain', 'warning', 4]);
    expect(finding.summary).toContain('Its lease of 40 s was nearly over, and it began anew with a discover');
  });

  it('says nothing of a client that is started anew while its lease lasts', async () => {
    const capture = asks(leased(), [
      [20, 'unicast'],
      [24, 'unicast'],
      [32, 'unicast'],
    ]);
    dhcp(capture.at(34), 'discover', { xid: 2 });
    expect(await later(capture, 36).findings(only)).toEqual([]);
  });

  it('is one finding with the discovers that follow', async () => {
    const capture = asks(leased(), [
      [20, 'unicast'],
      [24, 'unicast'],
      [35, 'broadcast'],
    ]);
    for (const at of [41, 45, 53]) dhcp(capture.at(at), 'discover', { xid: 2 });
    const [finding, ...others] = await later(capture, 60).findings(only);
    expect(others).toEqual([]);
    expect(finding.title).toBe(`${CLIENT} gets no DHCP offer`);
    expect(finding.summary).toContain('Before, it asked in vain to keep 10.0.0.9.');
    expect(finding.explains?.[0]).toMatchObject({ rule: 'dhcp/no-offer', count: 3 });
  });

  it('is certain of an offer that is requested in vain, round after round', async () => {
    const capture = new Capture();
    for (const round of [0, 20]) {
      dhcp(capture.at(round), 'discover', { xid: round });
      dhcp(capture, 'offer', { server: SERVER, xid: round });
      for (const at of [0.1, 4, 12]) dhcp(capture.at(round + at), 'request', { server: SERVER, xid: round });
    }
    const [finding, ...others] = await later(capture, 40).findings(only);
    expect(others).toEqual([]);
    expect([finding.confidence, finding.severity, finding.count]).toEqual(['certain', 'error', 6]);
    expect(finding.title).toBe(`${CLIENT} takes 10.0.0.9, which 10.0.0.2 offers, and gets no acknowledgement`);
    expect(await dhcp(capture.at(41), 'ack', { server: SERVER, xid: 20 }).findings(only)).toEqual([]);
  });

  it('says nothing of clients that are started again and again, beside the way of their answers', async () => {
    const capture = new Capture();
    for (const xid of [1, 2, 3, 4]) {
      dhcp(capture.at(xid * 5), 'discover', { xid });
      dhcp(capture, 'request', { server: SERVER, xid });
    }
    expect(await later(capture, 40).findings(only)).toEqual([]);
  });

  it('only hints at a former address that is asked for in vain', async () => {
    const capture = new Capture();
    for (const at of [0, 4, 12]) dhcp(capture.at(at), 'request', { secs: at });
    expect(await later(capture, 30).findings(only)).toEqual([]);
    // Something is written to the client, so an answer would be seen.
    capture.raw([...mac(CLIENT), ...mac(SERVER.mac), 0x88, 0xb5, 0, 0]);
    expect(inShort(await capture.findings(only))).toEqual([['dhcp/no-offer', 'hint', [1, 2, 3]]]);
    expect(await dhcp(capture.at(31), 'discover', { xid: 2 }).findings(only)).toEqual([]);
  });

  it('holds nothing certain where the client sends from this machine, and nothing that comes in is captured', async () => {
    const list: Ask[] = [
      [20, 'unicast'],
      [24, 'unicast'],
      [32, 'unicast'],
    ];
    const out = () => asks(new Capture(), list, { way: { direction: 'out' } });
    const confidences = async (capture: Capture) => (await capture.findings(only)).map(({ confidence }) => confidence);
    expect(await confidences(later(out(), 40))).toEqual(['likely']);
    const both = out().at(40).ask('02:00:00:00:00:77', '10.0.0.7', '10.0.0.8', { direction: 'in' });
    expect(await confidences(both)).toEqual(['certain']);
    const still = (way: 'in' | 'out') =>
      asks(
        new Capture(),
        list.map(([at, how]) => [at, how, 0] as const),
        { way: { direction: 'out' } },
      )
        .at(40)
        .ask('02:00:00:00:00:77', '10.0.0.7', '10.0.0.8', { direction: way });
    expect(await confidences(still('in'))).toEqual(['likely']);
    expect(await confidences(still('out'))).toEqual([]);
  });
});
