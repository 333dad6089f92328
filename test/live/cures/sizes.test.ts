import { type Lab, sleep } from '../lab.js';
import { cures, type Fault, ping, succeeds } from './harness.js';
import { lan, routed, set, uploads } from './routed.js';

/** Between router r and host b only 1400 bytes pass; a firewall f in front of r drops what r says of it. */
function narrow(lab: Lab): void {
  lab
    .namespaces('a', 'f', 'r', 'b')
    .cable('a', 'eth0', 'f', 'fa')
    .cable('f', 'fr', 'r', 'rf')
    .cable('r', 'rb', 'b', 'eth0');
  lab.address('a', 'eth0', '10.1.0.2/24').address('f', 'fa', '10.1.0.1/24').address('f', 'fr', '10.9.0.1/24');
  lab.address('r', 'rf', '10.9.0.2/24').address('r', 'rb', '10.2.0.1/24').address('b', 'eth0', '10.2.0.2/24');
  lab.ip('a', 'route add default via 10.1.0.1').ip('f', 'route add default via 10.9.0.2');
  lab.ip('r', 'route add default via 10.9.0.1').ip('b', 'route add default via 10.2.0.1');
  lab.ip('r', 'link set rb mtu 1400');
  for (const router of ['f', 'r']) set(lab, router, 'net.ipv4.ip_forward=1');
  // Segments as large as the MTU, and no larger.
  for (const host of ['a', 'b']) lab.exec(host, 'ethtool', '-K', 'eth0', 'tso', 'off', 'gso', 'off', 'gro', 'off');
}

function silent(lab: Lab): void {
  narrow(lab);
  lab.exec('f', 'iptables', '-A', 'FORWARD', '-p', 'icmp', '--icmp-type', 'fragmentation-needed', '-j', 'DROP');
}

const upload = uploads('a', 'b', '10.2.0.2');
/** Small pings, and large ones. */
const sized =
  (to: string, size: number): Fault['works'] =>
  async (lab) => {
    await ping('a', to)(lab);
    return succeeds(lab, 'a', 'ping', '-c', '3', '-i', '0.3', '-W', '1', '-s', String(size), to);
  };

const hole: Pick<Fault, 'rule' | 'build' | 'at' | 'works'> = {
  rule: 'mtu/black-hole',
  build(lab) {
    silent(lab);
    // Else the replies are too large.
    lab.ip('b', 'link set eth0 mtu 1400');
  },
  at: ['a', 'eth0'],
  works: sized('10.2.0.2', 1472),
};

const stall: Pick<Fault, 'rule' | 'build' | 'at' | 'works'> = {
  rule: 'tcp/big-segments-stall',
  build: silent,
  at: ['a', 'eth0'],
  works: upload,
};

cures('of sizes', {
  'large packets vanish: a smaller MTU': { ...hole, remedy: /small enough/ },
  'large packets vanish: the messages pass': { ...hole, remedy: /messages about sizes/, where: 'f' },
  'TCP hangs: a smaller MTU': { ...stall, remedy: /small enough/ },
  'TCP hangs: the router clamps': { ...stall, remedy: /learn the size/ },
  'TCP hangs: the messages pass': { ...stall, remedy: /messages about sizes/, where: 'f' },
  'messages about sizes do not get to the sender': {
    rule: 'mtu/fragmentation-needed',
    build(lab) {
      narrow(lab);
      lab.exec('a', 'iptables', '-A', 'INPUT', '-p', 'icmp', '-j', 'DROP');
    },
    at: ['a', 'eth0'],
    works: upload,
    remedy: /pass to the sender/,
    leaves: ['mtu/fragmentation-needed'],
  },
  'messages about sizes do not get to the sender: the router clamps': {
    rule: 'mtu/fragmentation-needed',
    build(lab) {
      narrow(lab);
      lab.exec('a', 'iptables', '-A', 'INPUT', '-p', 'icmp', '-j', 'DROP');
    },
    at: ['a', 'eth0'],
    works: upload,
    remedy: /learn the size/,
  },
  'two MTUs on one link': {
    rule: 'mtu/link-mismatch',
    build(lab) {
      lan(lab, 'a', 'b');
      for (const [where, device] of [
        ['a', 'eth0'],
        ['sw', 'p-a'],
        ['sw', 'p-b'],
      ])
        lab.ip(where, `link set ${device} mtu 9000`);
    },
    at: ['a', 'eth0'],
    works: sized('10.1.0.3', 4000),
    remedy: /same MTU/,
  },
  'fragments that a firewall drops': {
    rule: 'mtu/fragments-incomplete',
    build(lab) {
      routed(lab);
      lab.exec('r', 'iptables', '-A', 'FORWARD', '-f', '-s', '10.1.0.2', '-j', 'DROP');
    },
    at: ['b', 'eth0'],
    // The rest of a datagram is waited for.
    works: async (lab) => {
      const works = await sized('10.2.0.2', 3000)(lab);
      if (!works) await sleep(3500);
      await ping('a', '10.2.0.2')(lab);
      return works;
    },
    remedy: /firewalls between/,
    where: 'r',
  },
});
