import { describe, expect, it } from 'vitest';
import { readFirewall } from '../../../src/network/context/firewall.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { bridged, guests, H1, H2 } from '../../support/bridge.js';
import { BROADCAST, HOST as COOKED_HOST, CookedCapture, OTHER, OUTGOING } from '../../support/cooked.js';
import { echo, ping } from '../../support/ping.js';
import { ruleset } from '../../support/router.js';
import { syns } from '../../support/tcp.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, findingsOf, inShort, ip, mac, type Way } from '../../support/wire.js';

const only = { select: ['bridge/filter-drops-ip'] };
const ONE = { mac: H1, ip: '10.0.0.1' };
const TWO = { mac: H2, ip: '10.0.0.2' };
const IN: Way = { vlan: 10, direction: 'in' };
const OUT: Way = { vlan: 20, direction: 'out' };
const turned = ({ direction, ...way }: Way): Way => ({
  ...way,
  ...(direction ? { direction: direction === 'in' ? ('out' as const) : ('in' as const) } : {}),
});

/** ARP between the two, seen at both ports, which are segments of one capture; too far apart to be one frame's copies. */
function met(capture: Capture, near: Way = IN, far: Way = OUT): Capture {
  capture.at(0).ask(ONE.mac, ONE.ip, TWO.ip, near).at(0.5).ask(ONE.mac, ONE.ip, TWO.ip, far);
  capture.at(1).answer(TWO.mac, TWO.ip, ONE.mac, ONE.ip, turned(far));
  return capture.at(1.5).answer(TWO.mac, TWO.ip, ONE.mac, ONE.ip, turned(near));
}

const pings = (capture: Capture, way: Way = IN, times = 3) => ping(capture, times, { from: ONE, to: TWO, at: 2, way });

function dropping(sysctl: Record<string, string> = {}, chain: object = { hook: 'forward', policy: 'drop' }) {
  const context = bridged({}, {});
  Object.assign(context.namespaces.get('sw') as object, {
    firewall: readFirewall({ 'nft -j list ruleset': ruleset(chain) }),
    sysctl: new Map(Object.entries(sysctl)),
  });
  return context;
}

const atHost = (context: ReturnType<typeof bridged>, name = 'h1') => ({
  ...only,
  context,
  vantage: { namespace: name, interface: 'eth0' },
});

describe('bridge/filter-drops-ip', () => {
  it('is certain where ARP passes both ways, and IP comes in and does not leave', async () => {
    expect(inShort(await pings(met(new Capture())).findings(only))).toEqual([
      ['bridge/filter-drops-ip', 'certain', [5, 6, 7]],
    ]);
    expect((await pings(met(new Capture())).findings()).map(({ rule }) => rule)).not.toContain('icmp/echo-unanswered');
  });

  it('keeps silent where the target is beyond the port that the requests come in by', async () => {
    const capture = met(new Capture()).at(1.8).ask(TWO.mac, TWO.ip, '10.0.0.9', IN);
    expect(await pings(capture).findings(only)).toEqual([]);
  });

  it('is likely without directions, and speaks of connections too', async () => {
    const [near, far] = [{ vlan: 10 }, { vlan: 20 }];
    expect((await pings(met(new Capture(), near, far), near).findings(only)).map((each) => each.confidence)).toEqual([
      'likely',
    ]);
    const tcp = syns(met(new Capture(), near, far), 3, { way: near }, 3, ONE);
    expect(await tcp.findings(only)).toHaveLength(1);
  });

  it('keeps silent where IP passes, be it once', async () => {
    const capture = met(new Capture());
    echo(capture.at(2), ONE, TWO, { sequence: 9, id: 3, way: IN });
    echo(capture.at(2.6), ONE, TWO, { sequence: 9, id: 3, way: OUT });
    expect(await pings(capture).findings(only)).toEqual([]);
  });

  it('keeps silent where other pings between the two are answered, at once at both ports as a bridge does', async () => {
    const capture = met(new Capture());
    echo(capture.at(2), ONE, TWO, { sequence: 9, id: 3, way: IN });
    echo(capture.at(2.0001), ONE, TWO, { sequence: 9, id: 3, way: OUT });
    echo(capture.at(2.0002), TWO, ONE, { sequence: 9, id: 3, reply: true, way: turned(OUT) });
    echo(capture.at(2.0003), TWO, ONE, { sequence: 9, id: 3, reply: true, way: turned(IN) });
    expect(await pings(capture).findings(only)).toEqual([]);
  });

  it('keeps silent where ARP passes one way only, and at one port alone', async () => {
    const half = new Capture();
    for (const [step, way] of [IN, OUT].entries()) half.at(step / 2).ask(ONE.mac, ONE.ip, TWO.ip, way);
    expect(await pings(half).findings(only)).toEqual([]);
    const alone = new Capture().ask(ONE.mac, ONE.ip, TWO.ip, IN).answer(TWO.mac, TWO.ip, ONE.mac, ONE.ip, turned(IN));
    expect(await pings(alone).findings(only)).toEqual([]);
  });

  it('keeps silent of answered pings, and of one', async () => {
    const answered = ping(met(new Capture()), 3, { from: ONE, to: TWO, way: IN, answered: () => true });
    expect(await answered.findings(only)).toEqual([]);
    expect(await pings(met(new Capture()), IN, 1).findings(only)).toEqual([]);
  });

  it('keeps silent where the packets go to a router', async () => {
    const capture = met(new Capture());
    const far = { mac: '02:00:00:00:00:fe', ip: TWO.ip };
    expect(await ping(capture, 3, { from: ONE, to: far, way: IN }).findings(only)).toEqual([]);
  });

  const near = () => new Capture().ask(H1, ONE.ip, TWO.ip).answer(H2, TWO.ip, H1, ONE.ip);
  const dead = () => ping(near(), 3, { from: ONE, to: TWO });

  it('knows from the host context that the bridge filters, seen from the near host', async () => {
    const confidences = async (context: ReturnType<typeof bridged>) =>
      (await dead().findings(atHost(context))).map(({ confidence }) => confidence);
    expect(await confidences(dropping())).toEqual(['likely']);
    expect(await confidences(dropping({ 'net.bridge.bridge-nf-call-iptables': '1' }))).toEqual(['certain']);
    const [finding] = await dead().findings(atHost(dropping()));
    expect(finding.title).toContain('br0 in sw');
  });

  it('speaks of iptables only where the chain is its own: its accept does not overrule others', async () => {
    const cures = async (chain: object) => {
      const [{ remedy }] = await dead().findings(atHost(dropping({}, { hook: 'forward', policy: 'drop', ...chain })));
      return remedy.map(({ commands }) => commands.join('; ')).join('\n');
    };
    const iptables = 'ip netns exec sw iptables -I FORWARD -i br0 -o br0 -j ACCEPT';
    expect(await cures({ family: 'ip', table: 'filter', name: 'FORWARD' })).toContain(iptables);
    for (const family of ['inet', 'bridge']) {
      const text = await cures({ family, table: 'guard', name: 'through' });
      expect(text).not.toContain('iptables -');
      expect(text).toContain(`nft insert rule ${family} guard through`);
    }
  });

  it('keeps silent where the settings say otherwise', async () => {
    const off = dropping({ 'net.bridge.bridge-nf-call-iptables': '0' });
    expect(await dead().findings(atHost(off))).toEqual([]);
    expect(await dead().findings(atHost(dropping({}, { hook: 'forward', policy: 'accept' })))).toEqual([]);
    expect(await dead().findings(atHost(dropping({}, { hook: 'input', policy: 'drop' })))).toEqual([]);
    expect(await dead().findings(atHost(bridged({}, {})))).toEqual([]);
  });

  it('keeps silent at the far host, where the packets arrive, and without ARP', async () => {
    expect(await dead().findings(atHost(dropping(), 'h2'))).toEqual([]);
    expect(await ping(new Capture(), 3, { from: ONE, to: TWO }).findings(atHost(dropping()))).toEqual([]);
  });

  it('knows it with `-i any` at the near host, by the routes and neighbours there', async () => {
    const capture = (isAnswered: boolean) => {
      const cooked = new CookedCapture();
      const [h1, h2] = [ONE, TWO].map((host) => ({ mac: mac(host.mac), ip: ip(host.ip) }));
      const arp = (op: number, from: typeof h1, to: typeof h1) => [
        ...[...to.mac, ...from.mac, 8, 6, 0, 1, 8, 0, 6, 4, 0, op],
        ...[...from.mac, ...from.ip, ...to.mac, ...to.ip],
      ];
      cooked.frame(1, 2, OUTGOING, arp(1, h1, h2)).frame(1.001, 2, COOKED_HOST, arp(2, h2, h1));
      for (const sequence of [1, 2, 3]) {
        const bytes = (type: number) => [type, 0, 0, 0, 0, 7, 0, sequence, ...new Array(56).fill(0)];
        const sent = ipv4(ONE.ip, TWO.ip, 1, bytes(8), { id: sequence });
        const got = ipv4(TWO.ip, ONE.ip, 1, bytes(0), { id: sequence });
        cooked.frame(1 + sequence, 2, OUTGOING, [...h2.mac, ...h1.mac, 8, 0, ...sent]);
        if (isAnswered) cooked.frame(1.01 + sequence, 2, COOKED_HOST, [...h1.mac, ...h2.mac, 8, 0, ...got]);
      }
      return cooked.frame(9, 2, OUTGOING, arp(1, h1, h2)).file();
    };
    const told = async (lladdr: string, isAnswered = false) => {
      const context = dropping({ 'net.bridge.bridge-nf-call-iptables': '1' });
      const known = parseContext({
        namespaces: {
          h1: {
            'ip -j route': [{ dst: '10.0.0.0/24', dev: 'eth0' }],
            'ip -j neigh': [{ dst: TWO.ip, dev: 'eth0', lladdr, state: ['REACHABLE'] }],
          },
        },
      }).namespaces.get('h1');
      const { routes, neighbours } = known ?? {};
      Object.assign(context.namespaces.get('h1') as object, { routes, neighbours });
      return (await findingsOf(capture(isAnswered), { ...only, context })).map(({ confidence }) => confidence);
    };
    expect(await told(H2)).toEqual(['certain']);
    expect(await told('02:00:00:00:00:77')).toEqual([]);
    expect(await told(H2, true)).toEqual([]);
  });

  it('names the rule that drops, and keeps silent where rules let the packets through', async () => {
    const where = { family: 'bridge', table: 't', chain: 'c' };
    const drops = (policy: string, ...rules: object[][]) => {
      const context = bridged({}, {});
      const chain = { family: 'bridge', table: 't', name: 'c', hook: 'forward', type: 'filter', prio: 0, policy };
      const nftables = [{ chain }, ...rules.map((expr, at) => ({ rule: { ...where, handle: at + 5, expr } }))];
      Object.assign(context.namespaces.get('sw') as object, {
        firewall: readFirewall({ 'nft -j list ruleset': { nftables } }),
      });
      return context;
    };
    const to = { match: { op: '==', left: { payload: { protocol: 'ip', field: 'daddr' } }, right: TWO.ip } };
    const at = (iifname: string) => ({ match: { op: '==', left: { meta: { key: 'iifname' } }, right: iifname } });
    const [finding] = await dead().findings(atHost(drops('accept', [at('p-h1'), to, { drop: null }])));
    expect(finding.confidence).toBe('certain');
    expect(finding.context).toEqual(['the rule `iifname "p-h1" ip daddr 10.0.0.2 drop` in chain bridge t c, handle 5']);
    expect(finding.remedy.flatMap(({ commands }) => commands)).toContain(
      'ip netns exec sw nft insert rule bridge t c handle 5 ip saddr 10.0.0.1 ip daddr 10.0.0.2 icmp type echo-request accept',
    );
    expect(await dead().findings(atHost(drops('accept', [at('p-h2'), { drop: null }])))).toEqual([]);
    expect(await dead().findings(atHost(drops('drop', [to, { accept: null }])))).toEqual([]);
    const unknown = await dead().findings(
      atHost(drops('drop', [{ xt: { type: 'match', name: 'limit' } }, { accept: null }])),
    );
    expect(unknown.map(({ confidence }) => confidence)).toEqual(['hint']);
  });

  it('finds the taps of virtual machines, whose addresses the context does not have, by what the bridge learned', async () => {
    const nftables = [
      {
        chain: {
          family: 'ip',
          table: 'filter',
          name: 'FORWARD',
          hook: 'forward',
          type: 'filter',
          prio: 0,
          policy: 'drop',
        },
      },
    ];
    const tap = { ...only, vantage: { namespace: 'host', interface: 'tap1' } };
    const [finding, ...others] = await dead().findings({ ...tap, context: guests({ nftables }) });
    expect(others).toEqual([]);
    expect(finding.confidence).toBe('certain');
    expect(finding.title).toBe('br0 in host passes ARP between 10.0.0.1 and 10.0.0.2, and drops IP');
    expect(await dead().findings({ ...tap, context: guests({ nftables, learned: false }) })).toEqual([]);
  });

  it('takes no note of what a bridge in promiscuous mode shows again of its ports', async () => {
    const [h1, h2] = [ONE, TWO].map((host) => ({ mac: mac(host.mac), ip: ip(host.ip) }));
    const arp = (op: number, from: typeof h1, to: typeof h1) => [
      ...[...to.mac, ...from.mac, 8, 6, 0, 1, 8, 0, 6, 4, 0, op],
      ...[...from.mac, ...from.ip, ...to.mac, ...to.ip],
    ];
    const [near, far, bridge] = [2, 3, 9];
    /** `again`: how the bridge shows what its near port gets. */
    const told = async (again: number) => {
      const cooked = new CookedCapture();
      cooked.frame(1, near, BROADCAST, arp(1, h1, h2)).frame(1.0001, far, OUTGOING, arp(1, h1, h2));
      cooked.frame(1.0002, bridge, BROADCAST, arp(1, h1, h2));
      cooked.frame(1.001, far, OTHER, arp(2, h2, h1)).frame(1.0011, near, OUTGOING, arp(2, h2, h1));
      cooked.frame(1.0012, bridge, OTHER, arp(2, h2, h1));
      for (const sequence of [1, 2, 3]) {
        const request = [8, 0, 0, 0, 0, 7, 0, sequence, ...new Array(56).fill(0)];
        const sent = [...h2.mac, ...h1.mac, 8, 0, ...ipv4(ONE.ip, TWO.ip, 1, request, { id: sequence })];
        cooked.frame(1 + sequence, near, OTHER, sent).frame(1.0001 + sequence, bridge, again, sent);
      }
      return inShort(await findingsOf(cooked.frame(9, near, BROADCAST, arp(1, h1, h2)).file(), only));
    };
    expect(await told(OTHER)).toEqual([['bridge/filter-drops-ip', 'certain', [7, 9, 11]]]);
    expect(await told(OUTGOING)).toEqual([]);
    expect(await told(COOKED_HOST)).toEqual([]);
  });
});
