import { connects, cures, type Fault, ping, succeeds } from './harness.js';
import { lan, nft, routed, set, uploads } from './routed.js';

/** Host a has r for its gateway, which sends it to c, the router to b; c lets nothing of a through that comes directly. */
const redirected: Pick<Fault, 'rule' | 'build' | 'at' | 'works' | 'leaves'> = {
  rule: 'icmp/redirect',
  build(lab) {
    lan(lab, 'a', 'r', 'c');
    lab
      .namespaces('b')
      .cable('b', 'eth0', 'c', 'cb')
      .address('b', 'eth0', '10.2.0.2/24')
      .address('c', 'cb', '10.2.0.1/24');
    lab.ip('a', 'route add default via 10.1.0.3').ip('r', 'route add default via 10.1.0.4');
    // Answers go back by r as well.
    lab.ip('b', 'route add default via 10.2.0.1').ip('c', 'route add 10.1.0.2 via 10.1.0.3');
    for (const router of ['r', 'c']) set(lab, router, 'net.ipv4.ip_forward=1');
    set(lab, 'c', 'net.ipv4.conf.all.send_redirects=0', 'net.ipv4.conf.eth0.send_redirects=0');
    const [{ address }] = JSON.parse(lab.exec('a', 'ip', '-j', 'link', 'show', 'eth0'));
    nft(lab, 'c', 'add table ip f', 'add chain ip f f { type filter hook forward priority 0; }');
    nft(lab, 'c', `add rule ip f f ether saddr ${address} drop`);
  },
  at: ['a', 'eth0'],
  works: (lab) => succeeds(lab, 'a', 'sh', '-c', 'ping -c 3 -i 0.3 -W 1 10.2.0.2; ping -c 2 -i 0.3 -W 1 10.2.0.2'),
};

cures('of what is reported', {
  'a target that is told to answer no pings': {
    rule: 'icmp/echo-unanswered',
    build(lab) {
      routed(lab);
      set(lab, 'b', 'net.ipv4.icmp_echo_ignore_all=1');
    },
    at: ['b', 'eth0'],
    works: ping('a', '10.2.0.2'),
    confidence: 'certain',
  },
  'a router without a route': {
    rule: 'icmp/unreachable',
    build(lab) {
      routed(lab);
      lab.namespaces('s', 'd').cable('s', 'sr', 'r', 'rs').cable('s', 'sd', 'd', 'eth0');
      lab.address('r', 'rs', '10.9.0.1/24').address('s', 'sr', '10.9.0.2/24').ip('s', 'route add default via 10.9.0.1');
      lab
        .address('s', 'sd', '10.3.0.1/24')
        .address('d', 'eth0', '10.3.0.2/24')
        .ip('d', 'route add default via 10.3.0.1');
      set(lab, 's', 'net.ipv4.ip_forward=1');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.3.0.2'),
    remedy: /add the missing route/,
  },
  'a router that forbids a port': {
    rule: 'icmp/unreachable',
    async build(lab) {
      routed(lab);
      await lab.serve('b');
      nft(lab, 'r', 'add table inet f', 'add chain inet f f { type filter hook forward priority 0; }');
      nft(lab, 'r', 'add rule inet f f ct state established accept', 'add rule inet f f tcp dport 22 accept');
      nft(lab, 'r', 'add rule inet f f iifname ra tcp dport 0-1023 reject with icmpx admin-prohibited');
    },
    at: ['a', 'eth0'],
    works: connects('a', '10.2.0.2'),
    remedy: /^Let them through/,
  },
  'a redirect to a way that is closed: the host': { ...redirected, leaves: ['icmp/redirect'] },
  'a redirect to a way that is closed: the router': { ...redirected, remedy: /on the router/ },
  'a firewall of the client that drops answers': {
    rule: 'tcp/synack-repeated',
    build(lab) {
      routed(lab);
      lab.exec('a', 'iptables', '-A', 'INPUT', '-p', 'tcp', '-j', 'DROP');
    },
    at: ['a', 'eth0'],
    works: uploads('a', 'b', '10.2.0.2'),
    remedy: /^Let them through/,
  },
  'a firewall that drops the replies to its own pings': {
    rule: 'icmp/echo-unanswered',
    build(lab) {
      routed(lab);
      lab.exec('a', 'iptables', '-A', 'INPUT', '-p', 'icmp', '-j', 'DROP');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.2.0.2'),
    remedy: /^Let them through/,
    confidence: 'certain',
  },
});
