import type { AnalyzeOptions } from '../../src/analyze.js';
import type { RuleId } from '../../src/rules/rule.js';
import { bridged, H1, H2 } from './bridge.js';
import { dhcp, discovers, SERVER } from './dhcp.js';
import { FAR, HOST, PEER, ROUTER } from './icmp.js';
import { fabric, HERE, THERE } from './leaves.js';
import { advertise } from './nd.js';
import { filtering, forward } from './nft.js';
import { error, ping } from './ping.js';
import { asks } from './questions.js';
import { AWAY, machine, ON_LINK } from './routed.js';
import { ONE as CHILD, PARENT, TWO as SIBLING, siblings } from './siblings.js';
import { bpdus, played, type Step } from './spanning-tree.js';
import { ACK, SYN, synAck, syns, tcp } from './tcp.js';
import { A, arpRequest, askInside, B, heardByTurns, ipv4, ONE, THREE, TWO, tunnelled } from './tunnel.js';
import { Capture, mac, type Way } from './wire.js';

/** A capture made by hand, and how it is analysed. */
export interface Made {
  readonly capture: Capture;
  readonly options?: AnalyzeOptions;
}

/** Captures in which thresholds decide that decide nothing in the fixtures of their rule, by rule. */
export const DECIDED: Readonly<Record<RuleId, () => readonly Made[]>> = {
  'macvlan/vepa-no-reflection': () => [
    {
      capture: syns(new Capture(), 3, {}, 1, { mac: CHILD, ip: '10.0.0.101' }, { mac: SIBLING, ip: '10.0.0.102' }),
      options: { context: siblings({ kind: 'macvlan', mode: 'vepa', hairpin: false }) },
    },
  ],
  'macvlan/passthru-takes-parent': () => [
    {
      capture: syns(new Capture(), 3, {}, 1, { mac: CHILD, ip: '10.0.0.77' }, { mac: PARENT, ip: '10.0.0.14' }),
      options: { context: siblings({ kind: 'macvlan', mode: 'passthru', shared: true }) },
    },
  ],
  'arp/announcement-repeated': () => [{ capture: announced(45, 0.8) }, { capture: announced(70, 0.3) }],
  'arp/unanswered': () => [{ capture: triedOut() }, { capture: overtaken() }, { capture: swept() }],
  'arp/spoof': () => [{ capture: announcedByAnother() }],
  'arp/duplicate-address': () => [{ capture: byTurns() }],
  'arp/proxy': () => [{ capture: forwarded() }],
  'nd/rogue-router': () => [{ capture: inTheNameOf() }],
  'dhcp/no-offer': () => [
    {
      capture: discovers(new Capture(), 3, 2)
        .at(4.02)
        .ask(SERVER.mac, SERVER.ip, '10.0.0.9')
        .at(4.2)
        .ask(SERVER.mac, SERVER.ip, '10.0.0.8'),
    },
  ],
  'dhcp/pool-exhausted': () => [{ capture: triedFromElsewhere() }, { capture: twoInVain() }],
  'icmp/redirect': () => [{ capture: obeyed() }],
  'ip/not-forwarded': () => [
    {
      capture: unanswered(HOST, { mac: PEER.mac, ip: '203.0.113.5' }),
      options: { context: machine({ sysctl: { 'net.ipv4.ip_forward': '0' } }) },
    },
    { capture: asks([1, 6]), options: { context: filtering([forward({ policy: 'drop' })]) } },
  ],
  'ip/no-return-route': () => [{ capture: unanswered(AWAY, PEER), options: { context: machine() } }],
  'ip/reverse-path-filtered': () => [
    {
      capture: unanswered(AWAY, PEER),
      options: {
        context: machine({
          sysctl: { 'net.ipv4.conf.all.rp_filter': '1', 'net.ipv4.conf.eth0.rp_filter': '0' },
          routes: [...ON_LINK, { dst: 'default', gateway: '198.51.100.1', dev: 'eth1' }],
        }),
      },
    },
  ],
  'bridge/port-not-forwarding': () => [
    { capture: leasedLate() },
    {
      capture: syns(new Capture(), 3, {}, 1, { mac: H1, ip: '10.0.0.1' }, { mac: H2, ip: '10.0.0.2' }),
      options: { context: bridged({ fdb: [{ mac: H1 }] }, { settings: { flood: false } }) },
    },
  ],
  'ipvlan/l3-unreachable': () => [
    { capture: triedOut('10.0.0.101'), options: { context: siblings({ kind: 'ipvlan', mode: 'l3' }) } },
  ],
  'vxlan/one-way': () => [{ capture: routedInVain() }],
  'vxlan/stale-fdb': () => [
    { capture: heardByTurns(2) },
    { capture: syns(new Capture(), 3, {}, 1, HERE, THERE), options: { context: fabric([[B, THREE]]) } },
  ],
  'vxlan/no-flood-target': () => [{ capture: floodedToGroup() }],
  'bridge/filter-drops-ip': () => [{ capture: dropped(), options: { context: bridged({}, {}) } }],
  'ip/martian': () => [{ capture: rewritten() }],
  'tcp/syn-unanswered': () => [{ capture: unanswered(HOST, PEER, 2) }, { capture: searching() }],
  'vlan/tag-mismatch': () => [{ capture: notOnTrunk() }],
  'vxlan/port-mismatch': () => [
    {
      capture: askInside(
        tunnelled(new Capture(), arpRequest(B, '192.168.5.2', '192.168.5.9'), { from: TWO, to: ONE, port: 8472 }),
      ),
    },
  ],
};

/** A host announces its address, so many times and seconds apart. */
function announced(times: number, pause: number): Capture {
  const capture = new Capture();
  for (let i = 0; i < times; i++) capture.at(i * pause).ask(HOST.mac, HOST.ip, HOST.ip);
  return capture;
}

/** A DHCP server asks for the address that it offers a second later. */
function triedOut(address = '10.0.0.9'): Capture {
  const capture = dhcp(new Capture(), 'discover').at(0.01).askAgain(3, SERVER.mac, SERVER.ip, address);
  for (const type of ['offer', 'request', 'ack'] as const) dhcp(capture.at(3.1), type, { server: SERVER, address });
  return capture;
}

/** One announces for 20 s what another holds, and goes on sending from. */
function announcedByAnother(): Capture {
  const capture = new Capture().ask(PEER.mac, PEER.ip, HOST.ip);
  for (let i = 1; i <= 10; i++) {
    capture.at(2 * i).arp({ op: 2, from: ROUTER.mac, spa: PEER.ip, tpa: PEER.ip });
    capture.ipv4({ from: PEER.mac, to: HOST.mac, source: PEER.ip, destination: HOST.ip });
  }
  return capture;
}

/** A server tries one address after the other out, and asks for them from another address than it names in its offers. */
function triedFromElsewhere(): Capture {
  const capture = new Capture();
  for (const type of ['discover', 'offer', 'request', 'ack'] as const)
    dhcp(capture.at(-60), type, { client: '02:00:00:00:00:0b', xid: 9, server: SERVER, address: '10.0.0.8' });
  for (const at of [0, 3, 6]) {
    dhcp(capture.at(at), 'discover');
    for (const again of [0.05, 1.05, 2.05]) capture.at(at + again).ask(SERVER.mac, '10.0.0.3', `10.0.0.${60 + at}`);
  }
  return capture.at(9);
}

/** Two clients get no address some seconds after another one got the last. */
function twoInVain(): Capture {
  const capture = new Capture();
  for (const type of ['discover', 'offer', 'request', 'ack'] as const)
    dhcp(capture, type, { client: '02:00:00:00:00:0b', xid: 9, server: SERVER, address: '10.0.0.8' });
  for (const at of [5, 9, 13])
    for (const client of [HOST.mac, '02:00:00:00:00:0c']) dhcp(capture.at(at), 'discover', { client, xid: 3 });
  return capture.at(20);
}

/** Each answer passes its request, as with ipvlan. */
function overtaken(): Capture {
  const capture = new Capture();
  for (const at of [1, 4, 7]) {
    capture.at(at).answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip, { direction: 'in' });
    capture.at(at + 0.005).ask(HOST.mac, HOST.ip, PEER.ip, { direction: 'out' });
  }
  return capture.at(20).ask(PEER.mac, PEER.ip, HOST.ip, { direction: 'in' });
}

/** A host asks for thirty addresses within six seconds, and for another one three times. */
function swept(): Capture {
  const capture = new Capture();
  for (let i = 0; i < 30; i++) capture.at(i / 5).ask(HOST.mac, HOST.ip, `10.0.0.${101 + i}`);
  return capture.at(6).askAgain(3, HOST.mac, HOST.ip, '10.0.0.100');
}

/** Two stations have an address by turns: one asks, and the other answers and sends. */
function byTurns(): Capture {
  const [first, second, ip] = ['02:00:00:00:07:01', '02:00:00:00:07:02', '10.0.0.7'];
  const capture = new Capture();
  for (const time of [1, 11]) {
    capture.at(time).ask(first, ip, HOST.ip).answer(HOST.mac, HOST.ip, first, ip);
    capture
      .at(time + 1)
      .ask(HOST.mac, HOST.ip, ip)
      .answer(second, ip, HOST.mac, HOST.ip);
    capture.ipv4({ from: second, to: HOST.mac, source: ip, destination: HOST.ip, id: time });
  }
  return capture.at(20).ask(HOST.mac, HOST.ip, '10.0.0.99');
}

/** Two stations advertise themselves as one router by turns. */
function inTheNameOf(): Capture {
  const capture = new Capture();
  for (let i = 0; i < 5; i++)
    advertise(capture.at(5 * i), { from: `02:00:00:00:07:0${1 + (i % 2)}`, router: 0xfe, prefix: 0xa });
  return capture;
}

/** A router answers late for an address, passes packets from it on, and asks for it itself. */
function forwarded(): Capture {
  const [router, there] = ['02:00:00:00:00:fe', '10.0.7.1'];
  const capture = new Capture().ask(HOST.mac, HOST.ip, there).at(0.3).answer(router, there, HOST.mac, HOST.ip);
  ping(capture, 1, { from: { mac: router, ip: there }, to: HOST, at: -0.9, ttl: 63 });
  return capture.at(0.5).ask(router, '10.0.0.254', there);
}

/** A host is sent to its neighbour, and asks for it in vain. */
function obeyed(): Capture {
  const word = PEER.ip.split('.').map(Number);
  const capture = error(new Capture().at(1), ROUTER, HOST, PEER, { type: 5, code: 1, word });
  return capture.at(1.01).askAgain(3, HOST.mac, HOST.ip, PEER.ip);
}

/** SYNs in vain, and a capture that goes on after them. */
function unanswered(from: typeof HOST, to: typeof HOST, times = 3): Capture {
  return syns(new Capture(), times, {}, 1, from, to).at(20).ask(HOST.mac, HOST.ip, '10.0.0.99');
}

/** ARP passes a bridge, and the SYNs after it come in at one port and do not leave by the other. */
function dropped(): Capture {
  const [one, two] = [
    { mac: H1, ip: '10.0.0.1' },
    { mac: H2, ip: '10.0.0.2' },
  ];
  const [near, far]: Way[] = [{ vlan: 10 }, { vlan: 20 }];
  const capture = new Capture().ask(one.mac, one.ip, two.ip, near).at(0.5).ask(one.mac, one.ip, two.ip, far);
  capture.at(1).answer(two.mac, two.ip, one.mac, one.ip, far).at(1.5).answer(two.mac, two.ip, one.mac, one.ip, near);
  return syns(capture, 3, { way: near }, 3, one, two);
}

/** A loopback address as source of five stations. */
function rewritten(): Capture {
  const capture = new Capture();
  for (let i = 1; i <= 5; i++)
    capture.ipv4({ from: `02:00:00:00:07:0${i}`, to: PEER.mac, source: '127.0.0.1', destination: PEER.ip, id: i });
  return capture;
}

/** A client that reaches one server, and none of six others. */
function searching(): Capture {
  const capture = new Capture();
  tcp(capture, HOST, FAR, SYN, { sport: 50000 });
  tcp(synAck(capture, { sport: 50000 }, FAR, HOST), HOST, FAR, ACK, { sport: 50000, seq: 1001, ack: 5001 });
  for (let i = 1; i <= 6; i++)
    syns(capture, 3, { sport: 40000 + i }, 1 + i / 10, HOST, { mac: PEER.mac, ip: `10.0.0.${20 + i}` });
  return capture.at(20).ask(HOST.mac, HOST.ip, '10.0.0.99');
}

/** H1 talks with H2 in VLAN 20, and in 31 s hears nobody in VLAN 10. */
function notOnTrunk(): Capture {
  const capture = new Capture().askAgain(3, H1, '10.0.10.1', '10.0.10.2', { vlan: 10 });
  for (const second of [5, 31])
    capture
      .at(second)
      .ask(H1, '10.0.20.1', '10.0.20.2', { vlan: 20 })
      .answer(H2, '10.0.20.2', H1, '10.0.20.1', { vlan: 20 });
  return capture;
}

/** A DHCP client whose port forwards from second 30 on, and whose next discover comes 13 s later. */
function leasedLate(): Capture {
  const discovered = [0.5, 4.5, 12.5, 28.5, 43].map((at): Step => [at, (capture) => dhcp(capture, 'discover')]);
  const offered: Step = [43.1, (capture) => dhcp(capture, 'offer', { server: SERVER })];
  return played(
    bpdus((second) => (second >= 30 ? 1 : 0), { to: 46 }),
    [...discovered, offered],
  );
}

/** An endpoint floods a question to a multicast group, and nobody else is heard on it. */
function floodedToGroup(): Capture {
  const capture = new Capture();
  for (let i = 0; i < 4; i++)
    tunnelled(capture.at(1 + i * 1.02), arpRequest(B, '192.168.5.1', '192.168.5.2'), { to: '239.1.1.1' });
  return capture.at(9).ask('02:00:00:00:00:01', ONE, ONE);
}

/** Pings through VXLAN to a node that says nothing, as flannel sends them: two stations behind it, without ARP. */
function routedInVain(): Capture {
  const capture = new Capture();
  for (let i = 0; i < 6; i++)
    for (const to of ['10.42.2.7', '10.42.2.8']) {
      const icmp = [8, 0, 0, 0, 0, 7, 0, i, ...new Array(56).fill(0)];
      const inner = [...mac(B), ...mac(A), 8, 0, ...ipv4('10.42.1.5', to, 1, icmp, { id: i })];
      tunnelled(capture.at(1 + i), inner);
    }
  return capture.at(9).ask('02:00:0a:01:01:01', ONE, '10.1.1.9');
}
