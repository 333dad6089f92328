import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { CLIENT, dhcp, RIVAL, SERVER } from '../../support/dhcp.js';
import { error, ping } from '../../support/ping.js';
import { Capture, inShort, ip, type Way } from '../../support/wire.js';

const RULE = 'dhcp/relay-mismatch';
const RELAY = { mac: '02:00:00:00:00:09', ip: '10.71.0.1' };
const OTHER = { mac: '02:00:00:00:00:08', ip: '10.73.0.1' };
const LEASE = '10.72.0.9';
const GATEWAY = { mac: '02:00:00:00:00:07', ip: '10.72.0.1' };
const MASK = [1, 4, 255, 255, 255, 0];

const find = (capture: Capture) => capture.findings({ select: [RULE] });
const sureness = async (capture: Capture) => (await find(capture)).map(({ confidence }) => confidence);

/** Discovers through the relay, `times` times, `pause` seconds apart. */
function relayed(capture: Capture, times = 3, { pause = 4, at = 0, relay = RELAY, way = {} as Way } = {}): Capture {
  for (let i = 0; i < times; i++) dhcp(capture.at(at + i * pause), 'discover', { relay, way });
  return capture;
}

/** A discover through the relay and the offer for it. */
function offered(
  capture: Capture,
  {
    address = LEASE,
    mask = MASK,
    router,
    relay = RELAY,
    options = [],
    asked = [],
    xid = 1,
    way = {},
  }: {
    address?: string;
    mask?: readonly number[];
    router?: string;
    relay?: typeof RELAY;
    options?: readonly number[];
    asked?: readonly number[];
    xid?: number;
    way?: Way;
  } = {},
): Capture {
  dhcp(capture, 'discover', { relay, options: asked, xid, way });
  const more = router === undefined ? {} : { router };
  return dhcp(capture, 'offer', { relay, address, server: SERVER, options: [...mask, ...options], xid, way, ...more });
}

describe(`${RULE}, a server without a way back`, () => {
  const server = (routes: readonly object[]) =>
    parseContext({
      namespaces: {
        s: {
          'ip -d -j link': [{ ifindex: 2, ifname: 'eth0', link_type: 'ether', address: SERVER.mac, flags: ['UP'] }],
          'ip -j addr': [{ ifname: 'eth0', addr_info: [{ family: 'inet', local: SERVER.ip, prefixlen: 24 }] }],
          'ip -j route': [{ dst: '10.0.0.0/24', dev: 'eth0', scope: 'link' }, ...routes],
        },
      },
    });

  it('is certain of a server whose host context shows no route to giaddr, and keeps to what it knows of others', async () => {
    const select = ['dhcp'];
    const [finding, ...others] = await relayed(new Capture()).findings({ select, context: server([]) });
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([[RULE, 'certain', [1, 2, 3]]]);
    expect(finding.severity).toBe('error');
    expect(finding.title).toBe('10.0.0.2 does not answer the DHCP relay 10.71.0.1: it has no route there');
    expect(finding.remedy[0].commands[0]).toMatch(/^ip netns exec s ip route add 10.71.0.1 via/);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['dhcp/no-offer']);
    const away = [{ dst: 'default', gateway: '10.0.0.254', dev: 'eth0' }];
    expect(await relayed(new Capture()).findings({ select: [RULE], context: server(away) })).toMatchObject([
      { confidence: 'hint' },
    ]);
  });

  it('says nothing of a server that answers: it has routes that the file does not show', async () => {
    const capture = offered(new Capture(), { address: '10.71.0.9' });
    for (let i = 1; i < 5; i++) dhcp(capture.at(i * 4), 'discover', { relay: RELAY, xid: 1 + i });
    expect(await capture.findings({ select: [RULE], context: server([]) })).toEqual([]);
  });
});

describe(`${RULE}, leases of another subnet`, () => {
  it('is certain where the router of the lease is outside its subnet', async () => {
    const [finding] = await find(offered(new Capture(), { router: RELAY.ip }));
    expect(inShort([finding])).toEqual([[RULE, 'certain', [2]]]);
    expect(finding.subject).toEqual({ relay: RELAY.ip, ip: LEASE });
    expect(finding.title).toContain('10.72.0.9/24');
  });

  it('is a hint where the link may carry both subnets, until something shows that it does not', async () => {
    const lease = () => offered(new Capture(), { router: GATEWAY.ip });
    expect(await sureness(lease())).toEqual(['hint']);
    expect(await sureness(offered(new Capture()))).toEqual(['hint']);
    expect(await sureness(lease().at(5).askAgain(2, CLIENT, LEASE, GATEWAY.ip))).toEqual(['likely']);
    expect(await sureness(lease().at(5).askAgain(1, CLIENT, LEASE, GATEWAY.ip))).toEqual(['hint']);
    const refuse = (capture: Capture, code: number) =>
      error(capture.at(5), RELAY, SERVER, { mac: RELAY.mac, ip: LEASE }, { type: 3, code });
    expect(await sureness(refuse(lease(), 0))).toEqual(['likely']);
    expect(await sureness(refuse(lease(), 1))).toEqual(['likely']);
    expect(await sureness(refuse(lease(), 13))).toEqual(['hint']);
  });

  it('keeps still where somebody on the link answers for the router', async () => {
    const capture = offered(new Capture(), { router: GATEWAY.ip }).at(5).ask(CLIENT, LEASE, GATEWAY.ip);
    expect(await find(capture.answer(GATEWAY.mac, GATEWAY.ip, CLIENT, LEASE))).toEqual([]);
  });

  it('keeps still where lease and relay are in one subnet', async () => {
    expect(await find(offered(new Capture(), { address: '10.71.0.9', router: RELAY.ip }))).toEqual([]);
    expect(await find(offered(new Capture(), { mask: [1, 4, 255, 0, 0, 0] }))).toEqual([]);
  });

  it('keeps still without a mask, with one for a single host, and with one that is none', async () => {
    for (const mask of [[], [1, 4, ...ip('255.255.255.255')], [1, 4, ...ip('255.255.255.254')], [1, 4, 255, 0, 255, 0]])
      expect(await find(offered(new Capture(), { mask, router: RELAY.ip }))).toEqual([]);
    expect((await find(offered(new Capture(), { mask: [1, 4, ...ip('255.255.255.252')] }))).length).toBe(1);
  });

  it('keeps still where the relay names the subnet to lease from', async () => {
    const link = [82, 8, 1, 0, 5, 4, ...ip('10.72.0.0')];
    expect(await find(offered(new Capture(), { router: RELAY.ip, options: link }))).toEqual([]);
    expect(await find(offered(new Capture(), { router: RELAY.ip, asked: link }))).toEqual([]);
    expect(await find(offered(new Capture(), { router: RELAY.ip, asked: [118, 4, ...ip('10.72.0.0')] }))).toEqual([]);
    expect((await find(offered(new Capture(), { router: RELAY.ip, asked: [82, 3, 1, 1, 5] }))).length).toBe(1);
  });

  it('looks at acknowledgments too, and at nothing without a relay', async () => {
    const ack = dhcp(new Capture(), 'ack', { relay: RELAY, address: LEASE, server: SERVER, options: MASK });
    expect(inShort(await find(ack))).toEqual([[RULE, 'hint', [1]]]);
    expect(await find(dhcp(new Capture(), 'ack', { address: LEASE, server: SERVER, options: MASK }))).toEqual([]);
  });

  it('explains what comes of it', async () => {
    const capture = offered(new Capture(), { router: RELAY.ip }).at(5);
    ping(capture, 4, { from: { mac: CLIENT, ip: LEASE }, to: { mac: RELAY.mac, ip: SERVER.ip } });
    error(capture, RELAY, SERVER, { mac: RELAY.mac, ip: LEASE }, { type: 3, code: 0 });
    const findings = await capture
      .at(30)
      .ask(CLIENT, LEASE, '10.72.0.77')
      .findings({ select: ['dhcp/*', 'icmp/*'] });
    expect(findings.map(({ rule }) => rule)).toEqual([RULE]);
    expect(findings[0].explains.map(({ rule }) => rule).sort()).toEqual(['icmp/echo-unanswered', 'icmp/unreachable']);
  });

  it('is one finding for a relay that is seen in two VLANs, and one for each relay', async () => {
    const capture = offered(new Capture(), { router: RELAY.ip, way: { vlan: 5 } });
    offered(capture.at(1), { router: RELAY.ip, way: { vlan: 6 } });
    expect((await find(capture)).length).toBe(1);
    offered(capture.at(2), { router: OTHER.ip, relay: OTHER, xid: 2, way: { vlan: 5 } });
    expect((await find(capture)).length).toBe(2);
    expect((await find(offered(new Capture(), { router: RELAY.ip, way: { vni: 7 } }))).length).toBe(1);
  });
});

describe(`${RULE}, questions in vain`, () => {
  it('is a hint where nothing is heard of the server', async () => {
    const [finding] = await find(relayed(new Capture()));
    expect(inShort([finding])).toEqual([[RULE, 'hint', [1, 2, 3]]]);
    expect(finding.subject).toEqual({ relay: RELAY.ip, server: SERVER.ip });
    expect(finding.severity).toBe('warning');
  });

  it('is likely where the server answers another relay, or a client, on the same link', async () => {
    const other = { relay: OTHER, address: '10.73.0.9', xid: 2 };
    const [finding] = await find(relayed(offered(new Capture(), other), 3, { at: 5 }));
    expect(inShort([finding])).toEqual([[RULE, 'likely', [3, 4, 5]]]);
    expect(finding.severity).toBe('error');
    const client = { client: '02:00:00:00:00:aa', xid: 3, server: SERVER };
    expect(await sureness(relayed(dhcp(new Capture(), 'offer', client), 3, { at: 5 }))).toEqual(['likely']);
    const stranger = { ...client, server: RIVAL };
    expect(await sureness(relayed(dhcp(new Capture(), 'offer', stranger), 3, { at: 5 }))).toEqual(['hint']);
    expect(await sureness(relayed(offered(new Capture(), { ...other, way: { vlan: 9 } }), 3, { at: 5 }))).toEqual([
      'hint',
    ]);
  });

  it('needs three questions in more than three seconds', async () => {
    expect(await find(relayed(new Capture(), 2))).toEqual([]);
    expect(await find(relayed(new Capture(), 3, { pause: 1.5 }))).toEqual([]);
    expect((await find(relayed(new Capture(), 3, { pause: 1.6 }))).length).toBe(1);
    const two = { [RULE]: { questions: 2 } };
    expect((await relayed(new Capture(), 2).findings({ select: [RULE], thresholds: two })).length).toBe(1);
  });

  it('counts a question to two servers once', async () => {
    const capture = new Capture();
    for (const at of [0, 4])
      for (const server of [SERVER, RIVAL]) dhcp(capture.at(at), 'discover', { relay: RELAY, server });
    expect(await find(capture)).toEqual([]);
  });

  it('keeps still once an answer came, at whatever port', async () => {
    const answer = { relay: RELAY, address: '10.71.0.9', server: SERVER, options: MASK };
    expect(await find(dhcp(relayed(new Capture()).at(9), 'offer', answer))).toEqual([]);
    expect(await find(dhcp(relayed(new Capture()).at(9), 'offer', { ...answer, way: { vlan: 4 } }))).toEqual([]);
    // The client's, through another relay on its link.
    expect(
      await find(dhcp(relayed(new Capture()).at(9), 'offer', { ...answer, relay: OTHER, address: '10.73.0.9' })),
    ).toEqual([]);
  });

  it('leaves a server that refuses to icmp/unreachable', async () => {
    const capture = relayed(new Capture());
    const payload = [0, 67, 0, 67, 0, 8, 0, 0];
    error(capture, SERVER, RELAY, SERVER, { type: 3, code: 3, protocol: 17, payload });
    expect(await find(capture)).toEqual([]);
  });

  it('keeps still about clients without a relay', async () => {
    const capture = new Capture();
    for (const at of [0, 4, 8]) dhcp(capture.at(at), 'discover');
    expect(await find(capture)).toEqual([]);
  });

  it('explains the clients without an offer', async () => {
    const capture = offered(new Capture(), { relay: OTHER, address: '10.73.0.9', xid: 2 });
    for (const at of [5, 9, 13])
      dhcp(capture.at(at), 'discover', { relay: RELAY, client: '02:00:00:00:00:bb', xid: 9 });
    const findings = await capture.findings({ select: ['dhcp/*'] });
    expect(findings.map(({ rule }) => rule)).toEqual([RULE]);
    expect(findings[0].explains.map(({ rule }) => rule)).toEqual(['dhcp/no-offer']);
  });
});
