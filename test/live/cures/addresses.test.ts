import { type Lab, sleep } from '../lab.js';
import { cures, type Fault, ping, succeeds } from './harness.js';
import { lan, lan6, set } from './routed.js';

const b = ping('a', '10.1.0.3');
const b6 = ping('a', 'fd01::3');
const beyond = ping('a', '10.2.0.2');

/** Host a and the router r (10.1.0.3) on a switch, host b (10.2.0.2) behind it. */
const gateway: Fault['build'] = (lab) => {
  lan(lab, 'a', 'r');
  lab
    .namespaces('b')
    .cable('b', 'eth0', 'r', 'rb')
    .address('r', 'rb', '10.2.0.1/24')
    .address('b', 'eth0', '10.2.0.2/24');
  lab.ip('b', 'route add default via 10.2.0.1');
  set(lab, 'r', 'net.ipv4.ip_forward=1');
};

/** All answers to one question for 10.1.0.3 come from one station. */
const oneAnswer: Fault['works'] = (lab) =>
  succeeds(lab, 'a', 'sh', '-c', 'arping -c 2 -I eth0 10.1.0.3 | grep -o "\\[.*\\]" | sort -u | wc -l | grep -qx 1');

/** A pod with a cable to its node, and what is behind the node, as Calico makes it. */
const pod: Fault['build'] = (lab) => {
  lab.namespaces('node', 'pod', 'far').cable('pod', 'eth0', 'node', 'cali1').cable('node', 'eth0', 'far', 'eth0');
  lab.address('pod', 'eth0', '10.9.9.9/32').ip('pod', 'route add 169.254.1.1 dev eth0 scope link');
  lab.ip('pod', 'route add default via 169.254.1.1 dev eth0').ip('node', 'route add 10.9.9.9 dev cali1');
  lab.address('node', 'eth0', '10.2.0.1/24').address('far', 'eth0', '10.2.0.2/24');
  lab.ip('far', 'route add default via 10.2.0.1');
  set(lab, 'node', 'net.ipv4.ip_forward=1');
};

/** A host that probes without a nonce, behind a port that reflects. */
const reflected: Fault = {
  rule: 'nd/dad-reflected',
  build(lab) {
    lan6(lab, 'a', 'b');
    lab.exec('sw', 'bridge', 'link', 'set', 'dev', 'p-b', 'hairpin', 'on');
    const settings = ['enhanced_dad=0', 'accept_dad=1'];
    for (const each of settings) set(lab, 'b', `net.ipv6.conf.all.${each}`, `net.ipv6.conf.eth0.${each}`);
  },
  at: ['b', 'eth0'],
  works: async (lab) => {
    const show = ['ip', '-6', 'addr', 'show', 'to', 'fd01::77'];
    if (lab.exec('b', ...show) === '') lab.exec('b', 'ip', '-6', 'addr', 'add', 'fd01::77/64', 'dev', 'eth0');
    lab.exec('b', 'sleep', '2.5');
    return !lab.exec('b', ...show).includes('dadfailed');
  },
  leaves: ['ethernet/reflection'],
};

/** A default route through an address that nobody has. */
const noGateway: Fault = {
  rule: 'arp/gateway-unanswered',
  build(lab) {
    gateway(lab);
    lab.ip('a', 'route add default via 10.1.0.254');
  },
  at: ['a', 'eth0'],
  works: beyond,
};

cures('of addresses', {
  'a target that is told to answer nobody': {
    rule: 'arp/unanswered',
    build(lab) {
      lan(lab, 'a', 'b');
      set(lab, 'b', 'net.ipv4.conf.all.arp_ignore=8');
    },
    at: ['a', 'eth0'],
    works: b,
  },
  'a target that has the address of the asker, too': {
    rule: 'arp/unanswered',
    build(lab) {
      lan(lab, 'a', 'b');
      lab.address('b', 'eth0', '10.1.0.2/24');
    },
    at: ['a', 'eth0'],
    works: b,
  },
  'the device of the target is down': {
    rule: 'arp/unanswered',
    build: (lab) => void lab.macvlans('bridge', 'off').ip('ns02', 'link set macvlan2 down'),
    at: ['host', 'ens34'],
    works: ping('ns01', '10.9.0.102'),
  },
  'the device of the gateway is down': {
    rule: 'arp/gateway-unanswered',
    build(lab) {
      lab.macvlans('bridge', 'off').ip('ns02', 'link set macvlan2 down').ip('ns01', 'route add default via 10.9.0.102');
      lab.address('ns02', 'lo', '10.2.0.2/32');
    },
    at: ['host', 'ens34'],
    works: ping('ns01', '10.2.0.2'),
  },
  'a gateway that nobody has: the router': { ...noGateway, remedy: /send through it/ },
  'a gateway that nobody has: give it back': { ...noGateway, remedy: /give it back/ },
  'a pod whose node does not answer': {
    rule: 'arp/link-local-gateway-unanswered',
    build(lab) {
      pod(lab);
      lab.ip('node', 'route add default via 10.2.0.2');
    },
    at: ['node', 'cali1'],
    works: ping('pod', '10.2.0.2'),
    remedy: /proxy ARP on/,
  },
  'a pod whose node has no route': {
    rule: 'arp/link-local-gateway-unanswered',
    build(lab) {
      pod(lab);
      set(lab, 'node', 'net.ipv4.conf.cali1.proxy_arp=1');
    },
    at: ['node', 'cali1'],
    works: ping('pod', '10.2.0.2'),
    remedy: /this address alone/,
  },
  'a permanent entry with another MAC': {
    rule: 'arp/stale-after-move',
    build(lab) {
      lan(lab, 'a', 'b');
      lab.ip('a', 'neigh add 10.1.0.3 lladdr 02:00:00:00:00:99 dev eth0 nud permanent');
    },
    at: ['a', 'eth0'],
    works: b,
    remedy: /away/,
  },
  'one host that answers on two devices': {
    rule: 'arp/flux',
    build(lab) {
      lan(lab, 'a', 'b');
      lab.cable('b', 'eth1', 'sw', 'p-b1').ip('sw', 'link set p-b1 master br0').address('b', 'eth1', '10.1.0.33/24');
    },
    at: ['a', 'eth0'],
    works: oneAnswer,
  },
  'a mask that is too wide': {
    rule: 'arp/off-subnet-target',
    build(lab) {
      gateway(lab);
      lab.ip('a', 'addr del 10.1.0.2/24 dev eth0').address('a', 'eth0', '10.1.0.2/8');
      lab.ip('a', 'route add default via 10.1.0.3');
    },
    at: ['a', 'eth0'],
    // The router is heard, too.
    works: async (lab) => (await ping('a', '10.1.0.3')(lab)) && (await beyond(lab)),
    remedy: /right mask/,
  },
  'a default route without gateway': {
    rule: 'arp/off-subnet-target',
    build(lab) {
      gateway(lab);
      lab.ip('a', 'route add default dev eth0');
    },
    at: ['a', 'eth0'],
    works: beyond,
    remedy: /gateway in it/,
  },
  'one address at two hosts': {
    rule: 'arp/duplicate-address',
    build(lab) {
      lan(lab, 'a', 'b', 'c');
      lab.ip('c', 'addr flush dev eth0').address('c', 'eth0', '10.1.0.3/24').ip('c', 'route add default via 10.1.0.2');
    },
    at: ['a', 'eth0'],
    works: oneAnswer,
    remedy: /give eth0 in \S+-c another/,
    fill: { '<free address>': '10.1.0.77' },
    // It neither loses its way out nor the address that it was given.
    after: (lab) => {
      if (!lab.exec('c', 'ip', 'route').includes('default')) throw new Error('the default route is gone');
      lab.exec('c', 'ping', '-qc', '1', '10.1.0.2');
    },
  },
  'one IPv6 address at two hosts': {
    rule: 'nd/dad-conflict',
    build(lab) {
      lan6(lab, 'a', 'b');
      set(lab, 'b', 'net.ipv6.conf.all.accept_dad=1', 'net.ipv6.conf.eth0.accept_dad=1');
    },
    at: ['a', 'eth0'],
    works: async (lab) => {
      const show = ['ip', '-6', 'addr', 'show', 'dev', 'eth0', 'to', 'fd01::77'];
      if (lab.exec('b', ...show) === '') lab.exec('b', 'sh', '-c', 'ip -6 addr add fd01::2/64 dev eth0; sleep 2.5');
      return !lab.exec('b', 'ip', '-6', 'addr').includes('dadfailed');
    },
    remedy: /another address/,
    fill: { '<free address>': 'fd01::77' },
  },
  'a probe for an IPv6 address that comes back: a nonce': reflected,
  'a probe for an IPv6 address that comes back: the switch': { ...reflected, remedy: /stop the switch/, leaves: [] },
  'a probe for an IPv6 address that comes back: no detection': { ...reflected, remedy: /without detection/ },
  'a switch port without multicast': {
    rule: 'nd/multicast-filtered',
    build(lab) {
      lan6(lab, 'a', 'b', 'c');
      lab.exec('sw', 'bridge', 'link', 'set', 'dev', 'p-b', 'mcast_flood', 'off');
      lab.ip('sw', 'link set br0 type bridge mcast_snooping 1');
    },
    at: ['a', 'eth0'],
    works: async (lab) => {
      lab.ip('a', '-6 neigh flush dev eth0');
      // What the target sends shows that it is there, and what comes to who asks that answers would be seen.
      lab.exec('c', 'ping', '-qc', '1', 'fd01::2');
      const works = await b6(lab);
      await succeeds(lab, 'b', 'ping', '-c', '2', '-w', '3', 'fd01::99');
      return works;
    },
    leaves: ['nd/unanswered'],
  },
  'its own address, not local any more': {
    rule: 'arp/self-resolution',
    build(lab) {
      lan(lab, 'a', 'b');
      lab.ip('a', 'route del local 10.1.0.2 table local');
    },
    at: ['a', 'eth0'],
    works: (lab) => succeeds(lab, 'a', 'ping', '-c', '4', '-W', '1', '10.1.0.2'),
    remedy: /put it back/,
  },
  'a router that answers for all': {
    rule: 'arp/proxy',
    build(lab) {
      lan(lab, 'a', 'r');
      lab.namespaces('b').cable('b', 'eth0', 'r', 'rb').address('r', 'rb', '10.7.0.1/24');
      lab.ip('a', 'route add 10.7.0.0/24 dev eth0');
      set(lab, 'r', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.proxy_arp=1');
    },
    at: ['a', 'eth0'],
    works: async (lab) => {
      lab.ip('a', 'neigh flush dev eth0');
      const ask = (last: number) => succeeds(lab, 'a', 'arping', '-f', '-w', '2', '-I', 'eth0', `10.7.0.${last}`);
      return (await Promise.all([5, 6, 7, 8].map(ask))).every((answered) => !answered);
    },
    remedy: /Turn it off/,
    leaves: ['arp/off-subnet-target', 'arp/unanswered'],
  },
  'a host that answers in the name of another': {
    rule: 'arp/spoof',
    build: (lab) => lan(lab, 'a', 'b', 'm'),
    at: ['a', 'eth0'],
    works: async (lab) => {
      await ping('a', '10.1.0.3')(lab);
      const [to, from] = ['a', 'm'].map((host) => macOf(lab, host).replaceAll(':', ''));
      const answer = `${to}${from}08060001080006040002${from}0a010003${to}0a010002`;
      const script = `import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
while True: s.send(bytes.fromhex('${answer}')); time.sleep(0.2)`;
      const answering = succeeds(lab, 'm', 'timeout', '7', 'python3', '-c', script);
      const all = 'ping -c 5 -i 0.3 -W 1 10.1.0.3 | grep -q " 0% packet loss"';
      const pinging = await succeeds(lab, 'a', 'sh', '-c', `sleep 2; ${all}`);
      await answering;
      return pinging;
    },
    remedy: /let only the holder/,
  },
  'a second IPv6 router': {
    rule: 'nd/rogue-router',
    async build(lab) {
      lan6(lab, 'a', 'r', 's');
      for (const [host, prefix] of [
        ['r', 'fd11::'],
        ['s', 'fd12::'],
      ]) {
        set(lab, host, 'net.ipv6.conf.all.forwarding=1');
        lab.address(host, 'eth0', `${prefix}1/64`);
        const words = ['--conf-file=/dev/null', '--port=0', '--interface=eth0', '--user=root', '--pid-file='];
        const advertised = ['--enable-ra', `--dhcp-range=${prefix},ra-only`, '--ra-param=eth0,4,600'];
        lab.start(host, 'dnsmasq', '--keep-in-foreground', ...words, ...advertised, '--dhcp-leasefile=/dev/null');
      }
      await sleep(1000);
    },
    at: ['a', 'eth0'],
    // One default router; asked for anew.
    works: async (lab) => {
      lab.exec('a', 'sh', '-c', 'ip link set eth0 down; ip link set eth0 up; sleep 4');
      return lab.exec('a', 'ip', '-6', 'route', 'show', 'default').trim().split('\n').length === 1;
    },
    remedy: /should not be there/,
  },
});

function macOf(lab: Lab, host: string): string {
  return JSON.parse(lab.exec(host, 'ip', '-j', 'link', 'show', 'eth0'))[0].address;
}
