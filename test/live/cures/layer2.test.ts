import { type Lab, sleep } from '../lab.js';
import { all, calm, connects, cures, ping, succeeds } from './harness.js';
import { onSwitch, plug } from './sites.js';

cures('on layer 2', {
  'VEPA without reflection: bridge mode': {
    rule: 'macvlan/vepa-no-reflection',
    build: (lab) => void lab.macvlans('vepa', 'off'),
    at: ['host', 'ens34'],
    works: ping('ns01', '10.9.0.102'),
  },
  'VEPA without reflection: the switch reflects': {
    rule: 'macvlan/vepa-no-reflection',
    build: (lab) => void lab.macvlans('vepa', 'off'),
    at: ['host', 'ens34'],
    works: ping('ns01', '10.9.0.102'),
    remedy: /as switch/,
  },
  'a host and its child in VEPA mode': {
    rule: 'macvlan/vepa-no-reflection',
    build: (lab) => void lab.macvlans('vepa', 'off'),
    at: ['host', 'ens34'],
    works: all(ping('host', '10.9.0.101'), ping('ns01', '10.9.0.1')),
  },
  'a host and its child': {
    rule: 'macvlan/host-isolation',
    build: (lab) => void lab.macvlans('bridge', 'off'),
    at: ['host', 'ens34'],
    works: all(ping('host', '10.9.0.101'), ping('ns01', '10.9.0.1')),
  },
  'children in private mode': {
    rule: 'macvlan/private-sibling',
    build: (lab) => void lab.macvlans('private', 'on'),
    at: ['host', 'ens34'],
    works: ping('ns01', '10.9.0.102'),
  },
  'a bridge with its own address on a child': {
    rule: 'macvlan/foreign-mac-behind-child',
    build(lab) {
      lab.macvlans('bridge', 'off').namespaces('out');
      plug(lab, 'out', 'sw').address('out', 'eth0', '10.9.0.9/24');
      lab.ip('ns01', 'addr flush dev macvlan1').bridge('ns01', 'br1').ip('ns01', 'link set macvlan1 master br1');
      lab.address('ns01', 'br1', '10.9.0.101/24').ip('ns01', 'link set br1 address 02:00:00:00:00:51');
    },
    at: ['host', 'ens34'],
    works: ping('ns01', '10.9.0.9'),
  },
  'a container behind a bridge on a child': {
    rule: 'macvlan/foreign-mac-behind-child',
    build(lab) {
      lab.macvlans('bridge', 'off').namespaces('out', 'box');
      plug(lab, 'out', 'sw').address('out', 'eth0', '10.9.0.9/24');
      lab.ip('ns01', 'addr flush dev macvlan1').bridge('ns01', 'br0').ip('ns01', 'link set macvlan1 master br0');
      plug(lab, 'box', 'ns01').address('box', 'eth0', '10.9.0.151/24');
    },
    at: ['host', 'ens34'],
    works: ping('box', '10.9.0.9'),
  },
  'a container behind a bridge on the only child': {
    rule: 'macvlan/foreign-mac-behind-child',
    build(lab) {
      onSwitch(lab, 'a', 'b').namespaces('box').ip('a', 'addr flush dev eth0');
      lab.ip('a', 'link add link eth0 name mv1 type macvlan mode bridge').ip('a', 'link set mv1 up');
      lab.bridge('a', 'br1').ip('a', 'link set mv1 master br1').cable('box', 'eth0', 'a', 'p-box');
      lab.ip('a', 'link set p-box master br1').address('box', 'eth0', '10.9.0.51/24');
    },
    at: ['b', 'eth0'],
    works: ping('box', '10.9.0.2'),
    remedy: /mode passthru/,
  },
  'a passthru child beside its parent': {
    rule: 'macvlan/passthru-takes-parent',
    build(lab) {
      onSwitch(lab, 'a', 'b').ip('a', 'link add link eth0 name pt0 type macvlan mode passthru');
      lab.ip('a', 'link set pt0 up');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
  },
  'a passthru child of another namespace': {
    rule: 'macvlan/passthru-takes-parent',
    build(lab) {
      onSwitch(lab, 'a', 'b').namespaces('ct');
      lab.ip('a', `link add link eth0 name pt0 netns ${lab.name('ct')} type macvlan mode passthru`);
      lab.address('ct', 'pt0', '10.9.0.101/24').ip('ct', 'link set pt0 up');
    },
    at: ['a', 'eth0'],
    works: all(ping('a', '10.9.0.2'), ping('ct', '10.9.0.2')),
  },
  'an address on a port': {
    rule: 'bridge/address-on-port',
    build(lab) {
      onSwitch(lab, 'a', 'b').ip('a', 'route add default via 10.9.0.2').address('b', 'lo', '192.0.2.1/32');
      lab.bridge('a', 'br1').ip('a', 'link set eth0 master br1');
    },
    at: ['a', 'eth0'],
    works: all(ping('a', '10.9.0.2'), ping('a', '192.0.2.1')),
  },
  'isolated ports': {
    rule: 'bridge/port-isolated',
    build(lab) {
      onSwitch(lab, 'a', 'b');
      for (const port of ['p-a', 'p-b']) lab.exec('sw', 'bridge', 'link', 'set', 'dev', port, 'isolated', 'on');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
  },
  'a device that is no port': {
    rule: 'bridge/port-not-enslaved',
    build(lab) {
      onSwitch(lab, 'a', 'b').ip('sw', 'link set p-b nomaster');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
  },
  'a disabled port': {
    rule: 'bridge/port-not-forwarding',
    async build(lab) {
      onSwitch(lab, 'a', 'b');
      // The kernel lets a port forward when it notices its carrier, which takes up to a second.
      await sleep(1500);
      lab.exec('sw', 'bridge', 'link', 'set', 'dev', 'p-b', 'state', '0');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
  },
  'a port that is set down': {
    rule: 'bridge/port-not-forwarding',
    build(lab) {
      onSwitch(lab, 'a', 'b').ip('sw', 'link set p-b down');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
  },
  'a port without carrier': {
    rule: 'bridge/port-not-forwarding',
    build(lab) {
      onSwitch(lab, 'a', 'b').ip('b', 'link set eth0 down');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
  },
  'a bridge that is set down': {
    rule: 'bridge/port-not-forwarding',
    build(lab) {
      onSwitch(lab, 'a', 'b').ip('sw', 'link set br0 down');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
  },
  'a loop': {
    rule: 'bridge/loop',
    build: loop,
    at: ['sw', 'c1'],
    works: calm('a', 'eth0', 50),
  },
  'a firewall for what is bridged': {
    rule: 'bridge/filter-drops-ip',
    build: (lab) => dropping(lab, 'inet'),
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
    remedy: /^Let them through/,
  },
  'a firewall for what is bridged: kept away from it': {
    rule: 'bridge/filter-drops-ip',
    build: (lab) => dropping(lab, 'inet'),
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
    remedy: /^Or keep/,
  },
  'a firewall of the bridge': {
    rule: 'bridge/filter-drops-ip',
    build: (lab) => dropping(lab, 'bridge'),
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
    remedy: /^Let them through/,
  },
  'a firewall of iptables': {
    rule: 'bridge/filter-drops-ip',
    build(lab) {
      onSwitch(lab, 'a', 'b').exec('sw', 'sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=1');
      lab.exec('sw', 'iptables', '-P', 'FORWARD', 'DROP');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
    remedy: /^Let through/,
  },
  'a service beside the client, by its published address': {
    rule: 'bridge/hairpin-missing',
    build: (lab) => published(lab, '10.9.0.2'),
    at: ['sw', 'br0'],
    works: connects('a', '192.0.2.1'),
    where: 'sw',
  },
  'a service of the client itself, by its published address': {
    rule: 'bridge/hairpin-missing',
    build: (lab) => published(lab, '10.9.0.1'),
    at: ['a', 'eth0'],
    works: connects('a', '192.0.2.1'),
    where: 'sw',
  },
  'unicast that is flooded': {
    rule: 'ethernet/unknown-unicast-flood',
    build(lab) {
      onSwitch(lab, 'a', 'b', 'c').exec('sw', 'bridge', 'link', 'set', 'dev', 'p-b', 'learning', 'off');
      lab.exec('b', 'sysctl', '-qw', 'net.ipv4.icmp_echo_ignore_all=1');
    },
    at: ['c', 'eth0'],
    works: quiet,
    remedy: /^Let the receiver speak/,
  },
  'one MAC twice': {
    rule: 'ethernet/duplicate-mac',
    build(lab) {
      onSwitch(lab, 'a', 'b', 'c');
      for (const each of ['a', 'b']) lab.ip(each, 'link set eth0 address 02:00:00:00:00:77');
    },
    at: ['c', 'eth0'],
    works: all(ping('a', '10.9.0.2'), ping('b', '10.9.0.3'), ping('c', '10.9.0.1'), ping('c', '10.9.0.2')),
  },
});

/** Two switches with two cables between them, which have little room, so that the machine stays alive. */
function loop(lab: Lab): void {
  onSwitch(lab, 'a', 'b').namespaces('sw2').bridge('sw2', 'br0');
  for (const i of [1, 2]) {
    lab.cable('sw', `c${i}`, 'sw2', `d${i}`).ip('sw', `link set c${i} master br0`);
    lab.exec('sw', ...`tc qdisc add dev c${i} root tbf rate 200kbit burst 2k limit 4k`.split(' '));
    lab.ip('sw2', `link set d${i} master br0`);
  }
}

/** A switch whose firewall drops what it forwards, bridged packets too. */
function dropping(lab: Lab, family: 'inet' | 'bridge'): void {
  onSwitch(lab, 'a', 'b').exec('sw', 'sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=1');
  const arp = family === 'bridge' ? `; add rule bridge guard through ether type arp accept` : '';
  const chain = 'type filter hook forward priority 0; policy drop;';
  lab.exec('sw', 'nft', `add table ${family} guard; add chain ${family} guard through { ${chain} }${arp}`);
}

/** The switch, 10.9.0.254, sends what comes for port 80 of 192.0.2.1 on to a server beside the clients. */
async function published(lab: Lab, server: string): Promise<void> {
  onSwitch(lab, 'a', 'b').address('sw', 'br0', '10.9.0.254/24').address('sw', 'lo', '192.0.2.1/32');
  // What the bridge itself hands to NAT would find its way back.
  lab.exec('sw', 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.bridge.bridge-nf-call-iptables=0');
  const chain = 'type nat hook prerouting priority -100;';
  const rule = `ip daddr 192.0.2.1 tcp dport 80 dnat to ${server}`;
  lab.exec('sw', 'nft', `add table ip nat; add chain ip nat in { ${chain} }; add rule ip nat in ${rule}`);
  for (const each of ['a', 'b']) lab.ip(each, 'route add default via 10.9.0.254');
  await lab.serve(server === '10.9.0.1' ? 'a' : 'b');
}

/** Pings of `a` to `b` do not come to `c`. */
async function quiet(lab: Lab): Promise<boolean> {
  const pings = succeeds(lab, 'a', 'ping', '-qn', '-i', '0.02', '-w', '6', '10.9.0.2');
  const heard = succeeds(lab, 'c', 'timeout', '6', 'tcpdump', '--immediate-mode', '-ni', 'eth0', '-c', '20', 'icmp');
  await pings;
  return !(await heard);
}
