import { hasLegacy, type Lab, sleep } from '../lab.js';
import { all, cures, type Fault, ping, succeeds, where } from './harness.js';
import { nft, routed as router } from './routed.js';
import { endpoints, plug } from './sites.js';

const MACS: Readonly<Record<string, string>> = { one: '02:00:00:00:42:01', two: '02:00:00:00:42:02' };
const V = 'id 42 dstport 4789';
/** From `one` to `two` and back, small and as large as the device lets through. */
const bothWays = all(ping('one', '10.9.0.2'), ping('two', '10.9.0.1'));
/** The first large packet each way: it is sent in fragments, and from then on the kernel knows and cuts what is inside. */
const large: Fault['works'] = async (lab) => {
  const one = (from: string, to: string) => succeeds(lab, from, 'ping', '-nc', '1', '-W', '1', '-s', '1472', to);
  return (await bothWays(lab)) && (await one('one', '10.9.0.2')) && (await one('two', '10.9.0.1'));
};
/** The device is as it was, but for what was wrong. */
const sameDevice: Fault['after'] = (lab) => {
  for (const each of ['one', 'two']) {
    const [{ mtu, address }] = JSON.parse(lab.exec(each, 'ip', '-j', 'link', 'show', 'vx0'));
    if (mtu !== 1450 || address !== MACS[each]) throw new Error(`vx0 of ${each} has MTU ${mtu}, ${address}`);
  }
};

cures('of VXLAN', {
  'two ports': {
    rule: 'vxlan/port-mismatch',
    build: (lab) => void endpoints(lab, `${V} remote 192.0.2.2`, 'id 42 dstport 8472 remote 192.0.2.1'),
    at: ['one', 'eth0'],
    works: bothWays,
    remedy: /^Make the device/,
    after: sameDevice,
  },
  'two VNIs': {
    rule: 'vxlan/vni-mismatch',
    build: (lab) => void endpoints(lab, `${V} remote 192.0.2.2`, 'id 43 dstport 4789 remote 192.0.2.1'),
    at: ['one', 'eth0'],
    works: bothWays,
    remedy: /^Make the device/,
    after: sameDevice,
  },
  'two groups': {
    rule: 'vxlan/group-mismatch',
    build: (lab) => void endpoints(lab, `${V} group 239.1.1.1`, `${V} group 239.1.1.2`),
    at: ['one', 'eth0'],
    works: bothWays,
    remedy: /^Make the device/,
    after: sameDevice,
  },
  'nobody to flood to': {
    rule: 'vxlan/no-flood-target',
    build: (lab) => void endpoints(lab, V, `${V} remote 192.0.2.1`),
    at: ['one', 'vx0'],
    works: ping('one', '10.9.0.2'),
  },
  'an endpoint that the flood list lacks': {
    rule: 'vxlan/no-flood-target',
    build(lab) {
      endpoints(lab, V, `${V} remote 192.0.2.1`, `${V} remote 192.0.2.1`);
      lab.exec('one', ...'bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.3'.split(' '));
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Add/,
  },
  'an endpoint without a route back': {
    rule: 'vxlan/one-way',
    build(lab) {
      router(lab);
      for (const [i, [name, own, other]] of [
        ['a', '10.1.0.2', '10.2.0.2'],
        ['b', '10.2.0.2', '10.1.0.2'],
      ].entries()) {
        lab.ip(name, `link add vx0 type vxlan ${V} local ${own} remote ${other}`);
        lab.address(name, 'vx0', `10.9.0.${i + 1}/24`).ip(name, 'link set vx0 up');
      }
      lab.ip('b', 'route del default');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
  },
  'a firewall against the port': {
    rule: 'vxlan/one-way',
    build(lab) {
      endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`);
      lab.exec(
        'two',
        'nft',
        'add table inet guard; add chain inet guard in { type filter hook input priority 0; }; add rule inet guard in udp dport 4789 counter drop',
      );
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Let them through/,
  },
  'a policy that does not know the port': {
    rule: 'vxlan/one-way',
    build(lab) {
      endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`);
      nft(
        lab,
        'two',
        'add table inet guard',
        'add chain inet guard in { type filter hook input priority 0; policy drop; }',
      );
      nft(
        lab,
        'two',
        'add rule inet guard in ct state established,related accept',
        'add rule inet guard in iif lo accept',
      );
      nft(lab, 'two', 'add rule inet guard in meta l4proto icmp accept', 'add rule inet guard in udp dport 53 accept');
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Let them through/,
  },
  'a firewall of iptables against the port': {
    rule: 'vxlan/one-way',
    build(lab) {
      endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`);
      lab.exec('two', ...'iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT'.split(' '));
      lab.exec('two', ...'iptables -A INPUT -s 192.0.2.0/24 -p udp --dport 4789 -j DROP'.split(' '));
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Let them through/,
  },
  'a policy of iptables': {
    rule: 'vxlan/one-way',
    build(lab) {
      endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`);
      lab.exec('two', ...'iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'.split(' '));
      lab.exec('two', ...'iptables -A INPUT -p udp -m multiport --dports 53,67 -j ACCEPT'.split(' '));
      lab.exec('two', ...'iptables -A INPUT -p icmp -j ACCEPT'.split(' '));
      lab.exec('two', 'iptables', '-P', 'INPUT', 'DROP');
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Let them through/,
  },
  ...where(hasLegacy, {
    'a firewall of iptables-legacy against the port': {
      rule: 'vxlan/one-way',
      build(lab) {
        endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`);
        lab.exec('two', ...'iptables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT'.split(' '));
        lab.exec('two', ...'iptables-legacy -A INPUT -p udp -m multiport --dports 4789,8472 -j DROP'.split(' '));
      },
      at: ['one', 'eth0'],
      works: ping('one', '10.9.0.2'),
      remedy: /^Or take the rule away/,
      confidence: 'certain',
    },
  }),
  'a firewall that lets nothing of the tunnel out': {
    rule: 'vxlan/one-way',
    build(lab) {
      endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`);
      nft(lab, 'two', 'add table ip guard', 'add chain ip guard out { type filter hook output priority 0; }');
      nft(lab, 'two', 'add rule ip guard out udp dport { 53, 4789 } drop');
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Let them through/,
  },
  'a firewall at the near end, seen at the VXLAN device': {
    rule: 'vxlan/one-way',
    build(lab) {
      endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`);
      nft(lab, 'one', 'add table ip guard', 'add chain ip guard out { type filter hook output priority 0; }');
      nft(lab, 'one', 'add rule ip guard out ip daddr 192.0.2.2 udp dport 4789 counter drop');
    },
    at: ['one', 'vx0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Let them through/,
    confidence: 'certain',
  },
  'a policy of the far end, seen at the VXLAN device': {
    rule: 'vxlan/one-way',
    build(lab) {
      endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`);
      nft(lab, 'two', 'add table inet f', 'add chain inet f i { type filter hook input priority 0; policy drop; }');
      nft(lab, 'two', 'add rule inet f i ct state established accept', 'add rule inet f i iifname vx0 accept');
    },
    at: ['one', 'vx0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Let them through/,
  },
  'no device at the far end': {
    rule: 'vxlan/port-unreachable',
    build(lab) {
      endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`).ip('two', 'link del vx0');
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Without a VXLAN/,
    byHand: (lab) => void lab.address('two', 'vxlan42', '10.9.0.2/24'),
  },
  'a device that is down at the far end': {
    rule: 'vxlan/port-unreachable',
    build(lab) {
      endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`).ip('two', 'link set vx0 down');
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
  },
  'a remote address that nobody has': {
    rule: 'vxlan/remote-unreachable',
    build: (lab) => void endpoints(lab, `${V} remote 192.0.2.7`, `${V} remote 192.0.2.1`),
    settle: 4000,
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
  },
  'a router without a way to the far end': {
    rule: 'vxlan/remote-unreachable',
    build: (lab) => void routed(lab),
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Give/,
  },
  'a router that forbids VXLAN': {
    rule: 'vxlan/remote-unreachable',
    build(lab) {
      routed(lab).ip('r1', 'route add 198.51.100.0/24 via 192.0.2.253');
      const match = '-p udp --dport 4789 -j REJECT --reject-with icmp-admin-prohibited';
      lab.exec('r1', ...`iptables -A FORWARD ${match}`.split(' '));
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Let them through/,
  },
  'an old entry of the forwarding table': {
    rule: 'vxlan/stale-fdb',
    build(lab) {
      endpoints(lab, `${V} remote 192.0.2.2 nolearning`, `${V} remote 192.0.2.1`, `${V} remote 192.0.2.1`);
      lab.ip('two', 'link set vx0 address 02:00:00:00:00:42');
      lab.exec('one', ...'bridge fdb replace 02:00:00:00:00:42 dev vx0 dst 192.0.2.3'.split(' '));
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Set it right/,
  },
  'an old MAC of the far device': {
    rule: 'vxlan/inner-mac-not-receiver',
    build(lab) {
      endpoints(lab, `${V} nolearning`, `${V} remote 192.0.2.1`);
      lab.exec('one', ...'bridge fdb replace 02:00:00:00:00:42 dev vx0 dst 192.0.2.2'.split(' '));
      lab.ip('one', 'neigh replace 10.9.0.2 lladdr 02:00:00:00:00:42 dev vx0 nud permanent');
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Set it right/,
  },
  'an underlay that forgot the group': {
    rule: 'vxlan/no-flood-target',
    async build(lab) {
      endpoints(lab, `${V} group 239.1.1.1`, `${V} group 239.1.1.1`);
      lab.ip('net', 'link set br0 type bridge mcast_query_response_interval 100');
      lab.ip('net', 'link set br0 type bridge mcast_querier 1');
      await sleep(2500);
      for (const port of ['p-one', 'p-two'])
        lab.exec('net', ...`bridge mdb del dev br0 port ${port} grp 239.1.1.1`.split(' '));
    },
    at: ['one', 'eth0'],
    works: ping('one', '10.9.0.2'),
    remedy: /^Or let it flood/,
  },
  'packets in fragments that get lost: larger ones below': {
    rule: 'vxlan/outer-fragmented',
    build: fragmentsLost,
    at: ['one', 'eth0'],
    works: large,
  },
  'packets in fragments that get lost: smaller ones inside': {
    rule: 'vxlan/outer-fragmented',
    build: fragmentsLost,
    at: ['one', 'eth0'],
    works: large,
    remedy: /^Else a smaller/,
  },
});

/** Devices without a lower one let packets through that do not fit below, and fragments are dropped on the way. */
function fragmentsLost(lab: Lab): void {
  endpoints(lab, `${V} remote 192.0.2.2`, `${V} remote 192.0.2.1`);
  for (const [each, far] of [
    ['one', 2],
    ['two', 1],
  ] as const) {
    lab
      .ip(each, `link del vx0`)
      .ip(each, `link add vx0 type vxlan ${V} local 192.0.2.${3 - far} remote 192.0.2.${far}`);
    lab.address(each, 'vx0', `10.9.0.${3 - far}/24`).ip(each, 'link set vx0 up');
  }
  const rule = 'ip frag-off & 0x3fff != 0 drop';
  const chain = 'type filter hook forward priority 0;';
  lab.exec(
    'net',
    'nft',
    `add table bridge guard; add chain bridge guard through { ${chain} }; add rule bridge guard through ${rule}`,
  );
}

/** An endpoint behind another router than the one that the first sends by, 198.51.100.2 behind r2 and not r1; both are beside the first. */
function routed(lab: Lab): Lab {
  lab.namespaces('net', 'one', 'r1', 'r2', 'two').bridge('net', 'br0');
  for (const each of ['one', 'r1', 'r2']) plug(lab, each, 'net');
  lab
    .cable('r2', 'eth1', 'two', 'eth0')
    .address('r2', 'eth1', '198.51.100.1/24')
    .address('two', 'eth0', '198.51.100.2/24');
  lab
    .address('one', 'eth0', '192.0.2.1/24')
    .address('r1', 'eth0', '192.0.2.254/24')
    .address('r2', 'eth0', '192.0.2.253/24');
  const settings = ['ip_forward=1', 'conf.all.send_redirects=0', 'conf.eth0.send_redirects=0'];
  for (const each of ['r1', 'r2']) lab.exec(each, 'sysctl', '-qw', ...settings.map((name) => `net.ipv4.${name}`));
  lab.ip('one', 'route add default via 192.0.2.254').ip('two', 'route add default via 198.51.100.1');
  lab.ip('one', `link add vx0 type vxlan ${V} local 192.0.2.1 remote 198.51.100.2 dev eth0`);
  lab.ip('two', `link add vx0 type vxlan ${V} local 198.51.100.2 remote 192.0.2.1 dev eth0`);
  for (const [i, each] of ['one', 'two'].entries())
    lab.address(each, 'vx0', `10.9.0.${i + 1}/24`).ip(each, 'link set vx0 up');
  return lab;
}
