import { hasLegacy, type Lab, sleep } from '../lab.js';
import { cures, type Fault, succeeds, where } from './harness.js';
import { lan, nft, set } from './routed.js';

/** Asks for an address for five seconds, and does not keep it. */
const asks: Fault['works'] = (lab) =>
  succeeds(lab, 'c', 'busybox', 'udhcpc', '-i', 'eth0', '-n', '-q', '-t', '5', '-T', '1', '-s', '/bin/true');

async function serve(lab: Lab): Promise<void> {
  lan(lab, 's', 'c');
  lab.ip('c', 'addr flush dev eth0');
  const range = '--dhcp-range=10.1.0.50,10.1.0.60,2m';
  const words = ['--no-ping', '--port=0', '--conf-file=/dev/null', '--interface=eth0', '--user=root', range];
  lab.start('s', 'dnsmasq', '--keep-in-foreground', ...words, '--dhcp-leasefile=/dev/null', '--pid-file=');
  await sleep(500);
}

cures('of leases', {
  'a firewall in front of the server': {
    rule: 'dhcp/no-offer',
    async build(lab) {
      await serve(lab);
      nft(lab, 's', 'add table inet f', 'add chain inet f i { type filter hook input priority 0; }');
      nft(lab, 's', 'add rule inet f i udp dport 67 drop');
    },
    at: ['c', 'eth0'],
    works: asks,
  },
  'a policy that does not know the clients': {
    rule: 'dhcp/no-offer',
    async build(lab) {
      await serve(lab);
      nft(lab, 's', 'add table inet f', 'add chain inet f i { type filter hook input priority 0; policy drop; }');
      nft(lab, 's', 'add rule inet f i ct state established,related accept', 'add rule inet f i udp dport 53 accept');
    },
    at: ['c', 'eth0'],
    works: asks,
  },
  'a firewall that rejects what clients ask': {
    rule: 'dhcp/no-offer',
    async build(lab) {
      await serve(lab);
      lab.exec('s', ...'iptables -A INPUT -p udp --dport 53 -j ACCEPT'.split(' '));
      lab.exec('s', ...'iptables -A INPUT -j REJECT'.split(' '));
    },
    at: ['c', 'eth0'],
    works: asks,
  },
  ...where(hasLegacy, {
    'a policy of iptables-legacy': {
      rule: 'dhcp/no-offer',
      async build(lab) {
        await serve(lab);
        lab.exec('s', ...'iptables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT'.split(' '));
        lab.exec('s', 'iptables-legacy', '-P', 'INPUT', 'DROP');
      },
      at: ['c', 'eth0'],
      works: asks,
    },
  }),
  'a bridge whose host filters what it passes on': {
    rule: 'dhcp/no-offer',
    async build(lab) {
      await serve(lab);
      set(lab, 'sw', 'net.bridge.bridge-nf-call-iptables=1');
      lab.exec('sw', ...'iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'.split(' '));
      lab.exec('sw', 'iptables', '-P', 'FORWARD', 'DROP');
    },
    at: ['c', 'eth0'],
    works: asks,
  },
  'a firewall that lets no offer out': {
    rule: 'dhcp/no-offer',
    async build(lab) {
      await serve(lab);
      nft(lab, 's', 'add table inet f', 'add chain inet f o { type filter hook output priority 0; }');
      nft(lab, 's', 'add rule inet f o udp sport 67 drop');
    },
    at: ['c', 'eth0'],
    works: asks,
  },
});
