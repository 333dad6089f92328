import { describe, expect, it } from 'vitest';
import { FAR, HOST, PEER, ROUTER } from '../../support/icmp.js';
import { echo, error, ping } from '../../support/ping.js';
import { AWAY, type Machine, machine, ON_LINK, SECOND } from '../../support/routed.js';
import { SYN, synAck, syns, tcp } from '../../support/tcp.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const RULE = 'ip/wrong-next-hop';
const OTHER = { mac: '02:00:00:00:00:03', ip: '10.0.0.3' };
/** The target, reached through PEER, which is a mere host, and through ROUTER. */
const BEYOND = { mac: PEER.mac, ip: FAR.ip };
const NEAR = { mac: ROUTER.mac, ip: '192.0.2.200' };
const ELSEWHERE = { mac: ROUTER.mac, ip: '10.99.0.9' };
const always = () => true;

/** ARP, one answered ping of `from` through the router (frames 5 and 6), and four of HOST to PEER in vain (7 to 10). */
function scene({
  from = PEER,
  right = FAR,
  to = BEYOND,
  way = {},
}: {
  from?: typeof PEER;
  right?: typeof FAR;
  to?: typeof FAR;
  way?: Way;
} = {}): Capture {
  const capture = new Capture().ask(from.mac, from.ip, ROUTER.ip, way);
  capture.answer(ROUTER.mac, ROUTER.ip, from.mac, from.ip, way);
  capture.ask(HOST.mac, HOST.ip, PEER.ip, way).answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip, way);
  ping(capture, 1, { from, to: right, answered: always, way });
  return ping(capture, 4, { from: HOST, to, at: 10, id: 9, way });
}
const end = (capture: Capture, way?: Way) => capture.at(40).ask(HOST.mac, HOST.ip, '10.0.0.99', way);
const find = (capture: Capture, context?: Machine) =>
  end(capture).findings({ select: [RULE], ...(context ? { context: machine(context) } : {}) });

describe(RULE, () => {
  it('is likely where the machine that gets the packets reaches the target through a router itself', async () => {
    const [finding] = await find(scene());
    expect(inShort([finding])).toEqual([[RULE, 'likely', [5, 7, 8, 9, 10]]]);
    expect(finding.subject).toEqual({ source: HOST.ip, destination: FAR.ip, host: PEER.ip, gateway: ROUTER.ip });
    expect(finding.remedy[1].commands).toEqual([`ip route replace default via ${ROUTER.ip}`]);
  });

  it('is likely where the sender itself reached it through a router', async () => {
    expect(inShort(await find(scene({ from: HOST })))).toEqual([[RULE, 'likely', [5, 7, 8, 9, 10]]]);
  });

  it('is a hint where only another host does, until the machine is seen to use that router', async () => {
    const capture = scene({ from: OTHER });
    const [finding] = await find(capture);
    expect(inShort([finding])).toEqual([[RULE, 'hint', [5, 7, 8, 9, 10]]]);
    expect(finding.title).toContain('may be no router');
    const more = ping(scene({ from: OTHER }), 1, { from: PEER, to: ELSEWHERE, at: 20, id: 3 });
    expect(inShort(await find(more))).toEqual([[RULE, 'likely', [5, 7, 8, 9, 10]]]);
  });

  it('takes targets of one /24, and all public ones, for one network', async () => {
    expect((await find(scene({ right: NEAR }))).length).toBe(1);
    const [one, two] = [
      { mac: ROUTER.mac, ip: '10.99.1.9' },
      { mac: PEER.mac, ip: '10.99.0.9' },
    ];
    expect(await find(scene({ right: one, to: two }))).toEqual([]);
    expect((await find(scene({ right: { ...one, ip: '8.8.8.8' }, to: { ...two, ip: '1.1.1.1' } }))).length).toBe(1);
    const wide = { [RULE]: { prefixLength: 16 } };
    expect((await end(scene({ right: one, to: two })).findings({ select: [RULE], thresholds: wide })).length).toBe(1);
  });

  it('keeps still about a target in the sender’s own network, to which it sends directly', async () => {
    const near = { mac: PEER.mac, ip: '10.0.0.77' };
    expect(await find(scene({ right: { mac: ROUTER.mac, ip: '10.0.0.78' }, to: near }))).toEqual([]);
    expect(
      (await find(scene({ right: { mac: ROUTER.mac, ip: '10.0.1.78' }, to: { ...near, ip: '10.0.1.77' } }))).length,
    ).toBe(1);
  });

  it('keeps still while nothing shows another way', async () => {
    expect(await find(scene({ right: ELSEWHERE, to: { mac: PEER.mac, ip: '172.20.0.9' } }))).toEqual([]);
    const lost = new Capture().ask(PEER.mac, PEER.ip, ROUTER.ip).answer(ROUTER.mac, ROUTER.ip, PEER.mac, PEER.ip);
    lost.ask(HOST.mac, HOST.ip, PEER.ip).answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip);
    ping(lost, 4, { from: PEER, to: FAR });
    expect(await find(ping(lost, 4, { from: HOST, to: BEYOND, at: 10, id: 9 }))).toEqual([]);
  });

  it('takes no neighbour for a router to the target', async () => {
    const capture = new Capture().ask(HOST.mac, HOST.ip, OTHER.ip).answer(OTHER.mac, OTHER.ip, HOST.mac, HOST.ip);
    capture.ask(HOST.mac, HOST.ip, PEER.ip).answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip);
    ping(capture, 1, { from: HOST, to: OTHER, answered: always });
    expect(await find(ping(capture, 4, { from: HOST, to: { mac: PEER.mac, ip: '10.0.0.77' }, at: 10, id: 9 }))).toEqual(
      [],
    );
  });

  it('keeps still about a machine that passes on packets of others, or an answer', async () => {
    const routed = { mac: PEER.mac, ip: '172.20.0.1' };
    expect(await find(echo(scene().at(20), routed, HOST, { reply: true, ttl: 63 }))).toEqual([]);
    const answered = syns(scene(), 1, {}, 20, HOST, { mac: PEER.mac, ip: '172.20.0.1' });
    expect(await find(synAck(answered, {}, { mac: ROUTER.mac, ip: '172.20.0.1' }))).toEqual([]);
  });

  it('keeps still about what is answered, refused or passed on', async () => {
    const capture = scene();
    echo(capture.at(11.1), { mac: ROUTER.mac, ip: FAR.ip }, HOST, { id: 9, reply: true });
    expect(await find(capture)).toEqual([]);
    expect(
      await find(error(scene(), PEER, HOST, BEYOND, { type: 3, code: 0, payload: [8, 0, 0, 0, 0, 9, 0, 1] })),
    ).toEqual([]);
    const on = scene();
    echo(on.at(14.01), { mac: PEER.mac, ip: HOST.ip }, FAR, { id: 9, sequence: 4, ttl: 63 });
    expect(await find(on)).toEqual([]);
  });

  it('keeps still where the target is on the link, or the next hop or the sender is not known by ARP', async () => {
    expect(await find(scene({ right: NEAR }).at(20).ask(OTHER.mac, FAR.ip, OTHER.ip))).toEqual([]);
    expect(await find(scene({ to: PEER, right: PEER }))).toEqual([]);
    const unknown = new Capture().ask(PEER.mac, PEER.ip, ROUTER.ip);
    ping(unknown, 1, { from: PEER, answered: always });
    ping(unknown, 4, { from: AWAY, to: BEYOND, at: 10, id: 9 });
    expect(await find(unknown)).toEqual([]);
  });

  it('leaves next hops to others that two stations claim, and virtual routers', async () => {
    expect(await find(scene().at(20).answer(OTHER.mac, PEER.ip, HOST.mac, HOST.ip))).toEqual([]);
    const virtual = { mac: '00:00:5e:00:01:05', ip: '10.0.0.5' };
    const capture = scene({ to: { ...virtual, ip: FAR.ip } }).at(9);
    capture.ask(HOST.mac, HOST.ip, virtual.ip).answer(virtual.mac, virtual.ip, HOST.mac, HOST.ip);
    expect(await find(capture)).toEqual([]);
  });

  it('speaks of connections from the third SYN on, and explains both', async () => {
    const capture = new Capture().ask(HOST.mac, HOST.ip, PEER.ip).answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip);
    tcp(capture.at(1), PEER, FAR, SYN, { sport: 999 });
    synAck(capture, { sport: 999 }, FAR, PEER);
    expect(inShort(await find(syns(capture, 2, {}, 2, HOST, BEYOND)))).toEqual([]);
    const more = syns(scene(), 3, {}, 20, HOST, BEYOND);
    const findings = await end(more).findings({ select: ['ip/*', 'tcp/*', 'icmp/*'] });
    expect(inShort(findings)).toEqual([[RULE, 'likely', [5, 7, 8, 9, 10, 11, 12, 13]]]);
    expect(findings[0].explains.map(({ rule }) => rule).sort()).toEqual(['icmp/echo-unanswered', 'tcp/syn-unanswered']);
    expect(findings[0].count).toBe(7);
  });

  it('is one finding in each VLAN, and speaks inside VXLAN', async () => {
    const capture = scene({ way: { vlan: 5 } });
    expect((await find(end(capture, { vlan: 5 }))).length).toBe(1);
    const apart = scene({ from: OTHER, way: { vlan: 6 } });
    ping(apart, 1, { from: PEER, to: FAR, at: 20, answered: always, way: { vlan: 5 } });
    expect((await find(apart)).map(({ confidence }) => confidence)).toEqual(['hint']);
    expect((await find(scene({ way: { vni: 100 } }))).length).toBe(1);
  });

  describe('with a host context', () => {
    const off = { 'net.ipv4.ip_forward': '0' };
    const routes = [...ON_LINK, { dst: 'default', gateway: ROUTER.ip, dev: 'eth0' }];
    const alone = () => ping(new Capture(), 4, { from: HOST, to: BEYOND });

    it('is certain where the machine does not forward and has a router on the same link', async () => {
      const [finding] = await find(alone(), { routes, sysctl: off });
      expect(inShort([finding])).toEqual([[RULE, 'certain', [1, 2, 3, 4]]]);
      expect(finding.subject.gateway).toBe(ROUTER.ip);
      expect(finding.context).toEqual(['eth0 in box: forwarding off']);
    });

    it('explains that it does not forward, and leaves a router without forwarding to that rule', async () => {
      const select = ['ip/*', 'icmp/*'];
      const [one] = await end(alone()).findings({ select, context: machine({ routes, sysctl: off }) });
      expect(one.explains.map(({ rule }) => rule).sort()).toEqual(['icmp/echo-unanswered', 'ip/not-forwarded']);
      const away = [...ON_LINK, { dst: 'default', gateway: '198.51.100.1', dev: 'eth1' }];
      const other = await end(alone()).findings({ select, context: machine({ routes: away, sysctl: off }) });
      expect(other.map(({ rule }) => rule)).toEqual(['ip/not-forwarded']);
      expect(await find(alone(), { routes: ON_LINK, sysctl: off })).toEqual([]);
    });

    it('keeps still about an address that the machine has on another device', async () => {
      const there = { mac: ROUTER.mac, ip: '198.51.100.77' };
      const capture = scene({ right: there, to: { mac: PEER.mac, ip: SECOND.ip } });
      expect(await find(capture, { routes, sysctl: off })).toEqual([]);
    });

    it('is certain where the capture shows the router, and keeps still where forwarding is on', async () => {
      expect((await find(scene(), { sysctl: off })).map(({ confidence }) => confidence)).toEqual(['certain']);
      expect(await find(scene(), { sysctl: { 'net.ipv4.ip_forward': '1' } })).toEqual([]);
      expect((await find(scene({ from: OTHER }), { sysctl: off })).map(({ confidence }) => confidence)).toEqual([
        'likely',
      ]);
    });
  });
});
