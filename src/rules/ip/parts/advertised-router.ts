import { inSettings } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { guard } from '../../nd/parts/router-guard.js';
import { inNamespace } from '../../parts/question.js';
import type { Arrival } from '../../parts/vanished/arrival.js';
import type { Remedy } from '../../rule.js';

/** What is to be done where a machine that does not forward advertises itself as an IPv6 router: hosts took it for theirs because it says so. */
export function noRouter(network: Network, { devices }: Arrival): Remedy[] {
  const { routers, addresses } = network;
  for (let row = 0; row < routers.count; row++) {
    const [hi, lo] = [routers.hi(row), routers.lo(row)];
    if (routers.lifetime(row) === 0 || !devices.some(({ mac }) => mac?.hi === hi && (mac.lo | 0) === lo)) continue;
    return guard(network, row, addresses.format(routers.address(row)), formatMac(hi, lo));
  }
  return [];
}

/** A machine that begins to forward forgets the router that it learned of, unless it is told to go on listening (kernel: rt6_purge_dflt_routers). */
export function keepingItsOwnRouter({ namespace, devices }: Arrival): string[] {
  const leads = (name: string) =>
    namespace.routes.some(({ family, dst, dev }) => family === 6 && dst === 'default' && dev === name);
  return devices
    .filter(
      (device) => namespace.sysctl.get(`net.ipv6.conf.${inSettings(device)}.accept_ra`) === '1' && leads(device.name),
    )
    .map((device) => inNamespace(device, `sysctl -w net.ipv6.conf.${printable(inSettings(device))}.accept_ra=2`));
}
