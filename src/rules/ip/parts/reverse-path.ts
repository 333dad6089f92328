import { largerSetting, wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import type { Arrival } from '../../parts/vanished/arrival.js';

/** rp_filter=1: the best way back must be the device that the packet came in at (RFC 3704 section 2.2). */
const STRICT = 1;

/** Devices that the way back to a source (row of `Addresses`) leads through, none of them one that its packets come in at; null if rp_filter lets them pass. */
export function wayBack({ addresses }: Network, { namespace, devices }: Arrival, source: number): string[] | null {
  const way = wayTo(namespace, addresses.words(source));
  if (way.kind !== 'routed') return null;
  const back = way.routes.map(({ dev }) => dev ?? '');
  const isDropped = devices.every(
    (device) => !back.includes(device.name) && largerSetting(namespace, device, 'rp_filter') === STRICT,
  );
  return isDropped ? back : null;
}
