import type { Lab } from '../lab.js';
import { cures, type Fault, ping, succeeds } from './harness.js';
import { lan, nft, routed, routed6, set } from './routed.js';

const a = ping('a', '10.2.0.2');
const a6 = ping('a', 'fd02::2');

/** Host b with a second link to the router, by which its answers go; what comes in by the first is filtered for that. */
const twoWays: Pick<Fault, 'rule' | 'build' | 'at' | 'works'> = {
  rule: 'ip/reverse-path-filtered',
  build(lab) {
    routed(lab);
    lab.cable('b', 'eth1', 'r', 'rc').address('b', 'eth1', '10.3.0.2/24').address('r', 'rc', '10.3.0.1/24');
    lab.ip('b', 'route replace default via 10.3.0.1');
    set(lab, 'b', 'net.ipv4.conf.all.rp_filter=1', 'net.ipv4.conf.eth0.rp_filter=1');
  },
  at: ['b', 'eth0'],
  works: a,
};

/** Host a has host h (10.1.0.3) for its gateway, which does not forward; r is the router. */
const wrongHop: Pick<Fault, 'rule' | 'at' | 'works' | 'build'> = {
  rule: 'ip/wrong-next-hop',
  build(lab) {
    lan(lab, 'a', 'h', 'r');
    lab
      .namespaces('b')
      .cable('b', 'eth0', 'r', 'rb')
      .address('r', 'rb', '10.2.0.1/24')
      .address('b', 'eth0', '10.2.0.2/24');
    set(lab, 'r', 'net.ipv4.ip_forward=1');
    lab.ip('b', 'route add default via 10.2.0.1').ip('h', 'route add default via 10.1.0.4');
    lab.ip('a', 'route add default via 10.1.0.3');
  },
  at: ['a', 'eth0'],
  works: a,
};

/** Two routers r and s between a and b. */
const chain: Fault['build'] = (lab) => {
  lab
    .namespaces('a', 'r', 's', 'b')
    .cable('a', 'eth0', 'r', 'ra')
    .cable('r', 'out', 's', 'in')
    .cable('s', 'sb', 'b', 'eth0');
  lab.address('a', 'eth0', '10.1.0.2/24').address('r', 'ra', '10.1.0.1/24').address('r', 'out', '10.9.0.1/24');
  lab.address('s', 'in', '10.9.0.2/24').address('s', 'sb', '10.2.0.1/24').address('b', 'eth0', '10.2.0.2/24');
  lab.ip('a', 'route add default via 10.1.0.1').ip('b', 'route add default via 10.2.0.1');
  lab.ip('r', 'route add 10.2.0.0/24 via 10.9.0.2');
  for (const router of ['r', 's']) set(lab, router, 'net.ipv4.ip_forward=1');
};

const noSourceNat: Fault = {
  rule: 'ip/snat-missing',
  build(lab) {
    routed(lab, '198.51.100');
    lab.ip('b', 'route del default');
  },
  at: ['r', 'rb'],
  works: ping('a', '198.51.100.2'),
};

cures('of routing', {
  'forwarding is off': {
    rule: 'ip/not-forwarded',
    build(lab) {
      routed(lab);
      set(lab, 'r', 'net.ipv4.ip_forward=0');
    },
    at: ['r', 'ra'],
    works: a,
    remedy: /forward/,
  },
  'a blackhole for what a lost route leaves': {
    rule: 'ip/not-forwarded',
    build(lab) {
      routed(lab);
      lab.ip('r', 'addr flush dev rb').ip('r', 'route add blackhole 10.2.0.0/16');
      lab.ip('b', 'route replace default dev eth0');
      set(lab, 'r', 'net.ipv4.conf.rb.proxy_arp=1');
    },
    at: ['r', 'ra'],
    works: a,
    remedy: /back/,
  },
  'no way back: a default route': {
    rule: 'ip/no-return-route',
    build(lab) {
      routed(lab);
      lab.ip('b', 'route del default');
    },
    at: ['b', 'eth0'],
    works: a,
    remedy: /add a default route/,
  },
  'no way back: a route for those who ask': {
    rule: 'ip/no-return-route',
    build(lab) {
      routed6(lab);
      lab.ip('b', '-6 route del default');
    },
    at: ['b', 'eth0'],
    works: a6,
    remedy: /only for those who ask/,
  },
  'no way back: a route that refuses': {
    rule: 'ip/no-return-route',
    build(lab) {
      routed(lab);
      lab.ip('b', 'route add blackhole 10.1.0.0/24');
    },
    at: ['b', 'eth0'],
    works: a,
    remedy: /take the route away/,
  },
  'no way back at the router': {
    rule: 'ip/no-return-route',
    build: chain,
    at: ['s', 'sb'],
    works: a,
    remedy: /add the missing one/,
  },
  'reverse path filter: loose': { ...twoWays, remedy: /Loose/ },
  'reverse path filter: a table': { ...twoWays, remedy: /a routing table/ },
  'no source NAT': { ...noSourceNat, remedy: /its own address/ },
  'no source NAT: a way back': { ...noSourceNat, remedy: /a way back/ },
  'a floating address that nobody has': {
    rule: 'ip/floating-address-unowned',
    build(lab) {
      routed(lab);
      nft(lab, 'r', 'add table ip n', 'add chain ip n p { type nat hook prerouting priority dstnat; }');
      nft(lab, 'r', 'add rule ip n p ip daddr 10.1.0.50 dnat to 10.2.0.2');
    },
    at: ['r', 'ra'],
    works: ping('a', '10.1.0.50'),
  },
  'answers that do not come back through NAT': {
    rule: 'ip/reply-from-wrong-address',
    build(lab) {
      lan(lab, 'a', 'b', 'r');
      set(lab, 'r', 'net.ipv4.ip_forward=1');
      for (const host of ['a', 'b']) lab.ip(host, 'route add default via 10.1.0.4');
      nft(lab, 'r', 'add table ip n', 'add chain ip n p { type nat hook prerouting priority dstnat; }');
      nft(lab, 'r', 'add rule ip n p ip daddr 203.0.113.50 dnat to 10.1.0.3');
    },
    at: ['a', 'eth0'],
    works: (lab) => succeeds(lab, 'a', 'sh', '-c', '! ping -c 3 -i 0.2 -w 4 203.0.113.50 | grep DIFFERENT'),
  },
  'a bridge that lost its address': {
    rule: 'ip/not-forwarded',
    build: (lab) => published(lab, 'addr flush dev docker0'),
    at: ['r', 'eth0'],
    works: ping('a', '10.1.0.3'),
  },
  'a bridge that is down': {
    rule: 'ip/not-forwarded',
    build: (lab) => published(lab, 'link set docker0 down'),
    at: ['r', 'eth0'],
    works: ping('a', '10.1.0.3'),
  },
  'a bridge that lost its address, at a guest': {
    rule: 'arp/gateway-unanswered',
    build: (lab) => published(lab, 'addr flush dev docker0'),
    at: ['r', 'docker0'],
    works: ping('g', '10.1.0.2'),
    remedy: /Give the bridge/,
  },
  'a bridge whose addresses cover another network': {
    rule: 'arp/unanswered',
    build(lab) {
      published(lab, 'route flush cache');
      lab.ip('a', 'addr add 172.20.0.99/32 dev lo');
    },
    at: ['r', 'docker0'],
    works: ping('g', '172.20.0.99'),
    remedy: /lead the machine there/,
  },
  'a gateway that is none': { ...wrongHop, remedy: /send through/ },
  'a gateway that is none: let it forward': { ...wrongHop, remedy: /let it forward/, leaves: ['icmp/redirect'] },
  'a gateway that is none, by IPv6': {
    rule: 'ip/wrong-next-hop',
    build(lab) {
      routed6(lab);
      lab.namespaces('h').ip('r', 'link add br0 type bridge mcast_snooping 0');
      set(
        lab,
        'h',
        'net.ipv6.conf.all.disable_ipv6=0',
        'net.ipv6.conf.default.disable_ipv6=0',
        'net.ipv6.conf.default.accept_dad=0',
      );
      lab.cable('h', 'eth0', 'r', 'rh').ip('r', 'addr del fd01::1/64 dev ra').ip('r', 'link set br0 up');
      for (const port of ['ra', 'rh']) lab.ip('r', `link set ${port} master br0`);
      lab.address('r', 'br0', 'fd01::1/64').address('h', 'eth0', 'fd01::3/64');
      lab.ip('a', '-6 route replace default via fd01::3').ip('h', '-6 route add default via fd01::1');
    },
    at: ['a', 'eth0'],
    works: a6,
    remedy: /send through/,
  },
  'a circle: the router lost its address': {
    rule: 'ip/routing-loop',
    build(lab) {
      chain(lab);
      lab.ip('s', 'addr del 10.2.0.1/24 dev sb').ip('s', 'route add default via 10.9.0.1');
    },
    at: ['r', 'out'],
    works: a,
    remedy: /give it the way there/,
  },
  'packets from 127.0.0.1': {
    rule: 'ip/martian',
    build(lab) {
      lan(lab, 'a', 'b');
      set(lab, 'a', 'net.ipv4.conf.all.route_localnet=1');
      nft(lab, 'a', 'add table ip n', 'add chain ip n o { type nat hook output priority -100; }');
      nft(lab, 'a', 'add rule ip n o ip daddr 127.0.0.1 tcp dport 8080 dnat to 10.1.0.3:8080');
    },
    at: ['a', 'eth0'],
    // Refused at once where nobody listens: it arrives.
    works: (lab) => succeeds(lab, 'a', 'bash', '-c', '(: > /dev/tcp/127.0.0.1/8080) 2>&1 | grep -q refused'),
    remedy: /translate the source/,
    leaves: ['tcp/refused'],
  },
});

/** A guest g behind a bridge of r, as Docker publishes it at 10.1.0.3 to a, and what somebody does to r. */
function published(lab: Lab, fault: string): void {
  lan(lab, 'a', 'r');
  lab.namespaces('g').bridge('r', 'docker0').cable('g', 'eth0', 'r', 'veth1').ip('r', 'link set veth1 master docker0');
  lab.address('r', 'docker0', '172.20.0.1/24').address('g', 'eth0', '172.20.0.2/24');
  lab.ip('r', 'route add default via 10.1.0.2').ip('g', 'route add default via 172.20.0.1');
  lab.ip('a', 'route add 172.20.0.0/24 via 10.1.0.3');
  set(lab, 'r', 'net.ipv4.ip_forward=1');
  nft(lab, 'r', 'add table ip n', 'add chain ip n p { type nat hook prerouting priority dstnat; }');
  nft(lab, 'r', 'add rule ip n p ip daddr 10.1.0.3 dnat to 172.20.0.2');
  nft(lab, 'r', 'add chain ip n f { type filter hook forward priority filter; policy drop; }');
  nft(lab, 'r', 'add rule ip n f oifname docker0 accept', 'add rule ip n f iifname docker0 accept');
  lab.ip('r', fault);
}
