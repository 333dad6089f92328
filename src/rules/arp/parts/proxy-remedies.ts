import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { settingsName } from '../../parts/device-argument.js';
import { inNamespace } from '../../parts/question.js';

/** What helps against proxy ARP at a host, by the device that answers if it is known. */
export function proxyRemedies({ context }: Network, device: Device | null, isHarmful: boolean, ip: string) {
  const at = (command: string) => (device ? inNamespace(device, command) : command);
  const isForAll = context?.sysctl(device?.namespace ?? '', 'net.ipv4.conf.all.proxy_arp') === '1';
  const setting = device ? settingsName(printable(device.name)) : '<device>';
  return [
    {
      text: isHarmful
        ? 'At that host: see what it answers for, and by which route it would send there'
        : 'Nothing, if it is wanted. Otherwise see at that host what it answers for',
      commands: [
        at(`sysctl net.ipv4.conf.${setting}.proxy_arp net.ipv4.conf.${setting}.proxy_arp_pvlan`),
        at('ip neigh show proxy'),
        at(`ip route get ${ip}`),
      ],
    },
    {
      text: 'Turn it off, until the next restart: whoever depends on it loses the way (Calico needs it on its cali devices)',
      commands: [
        at(`sysctl -w net.ipv4.conf.${setting}.proxy_arp=0 net.ipv4.conf.${setting}.proxy_arp_pvlan=0`),
        // `all` counts for each device.
        ...(isForAll ? [at('sysctl -w net.ipv4.conf.all.proxy_arp=0')] : []),
      ],
    },
    {
      text: 'At the hosts that ask: a prefix length that covers the own link only, and a route by the gateway',
      commands: ['ip -4 -br addr', 'ip route'],
    },
  ];
}
