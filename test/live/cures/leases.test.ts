import { type Lab, sleep } from '../lab.js';
import { cures, type Fault, succeeds } from './harness.js';
import { lan, nft } from './routed.js';

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
});
