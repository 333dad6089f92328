import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { at, settingsName } from '../../parts/device-argument.js';
import { inNamespace } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';

/** Addresses that a cure gives anew, at most. */
const MAX_CURED = 4;

/** What lets a host keep addresses whose probes come back to it. */
export function reflectedCures({ context }: Network, device: Device | null, ips: readonly string[]): Remedy[] {
  const name = device ? printable(device.name) : '<device>';
  const setting = settingsName(name);
  const port = device && context ? context.switchPort(device.parent ?? device) : null;
  /** An address that failed stays as it is until it is given anew. */
  const again = (how = '') =>
    ips.slice(0, MAX_CURED).flatMap((ip) => {
      const length = device?.addresses.find(({ text }) => text === ip)?.prefixLength ?? 64;
      return [
        at(device, `ip -6 addr del ${ip}/${length} dev ${name}`),
        at(device, `ip -6 addr add ${ip}/${length} dev ${name}${how}`),
      ];
    });
  return [
    {
      text: 'Let the host mark its probes with a nonce (the default since Linux 4.10; lasts until the next restart), and try the address again',
      commands: [
        at(device, `sysctl -w net.ipv6.conf.all.enhanced_dad=1 net.ipv6.conf.${setting}.enhanced_dad=1`),
        ...again(),
      ],
    },
    {
      text: 'Or stop the switch from sending frames back to this port, if nothing behind it needs that, and try the address again',
      commands: [
        port
          ? inNamespace(port, `bridge link set dev ${printable(port.name)} hairpin off`)
          : 'bridge link set dev <port of the host> hairpin off',
        ...again(),
      ],
    },
    {
      text: 'Or do without detection, where addresses are given out uniquely',
      commands: again(' nodad'),
    },
  ];
}
