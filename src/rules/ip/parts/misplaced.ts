import type { Device } from '../../../network/context/device.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { placeContext, placeWords } from '../../parts/firewalls/words.js';
import { inNamespace, label } from '../../parts/question.js';
import type { Arrival } from '../../parts/vanished/arrival.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import type { Diagnosis } from '../../rule.js';
import { filteredInTransit } from './filtered-transit.js';

/** Devices that somebody else made for one guest, and that can be plugged into another bridge. */
const OF_GUESTS: readonly string[] = ['veth', 'tun'];

/**
 * The bridge of a router on which the subnet of a sender is, while its packets come in elsewhere and end at the firewall: to let them through would not help, for
 * answers go to that bridge. Null where they come in where answers go.
 */
export function homeBridge(network: Network, arrival: Arrival, vanished: Vanished): Device | null {
  const { namespace, devices } = arrival;
  const way = wayTo(namespace, network.addresses.words(vanished.source));
  const [route] = way.routes;
  if (way.kind !== 'routed' || way.routes.length !== 1 || route.gateway || route.dev === null) return null;
  const bridge = namespace.devices.get(route.dev);
  if (bridge?.kind !== 'bridge' || devices.includes(bridge)) return null;
  const filtered = filteredInTransit(network, arrival, vanished);
  return filtered && !filtered.packet.isReply ? bridge : null;
}

/** A guest that is plugged in elsewhere than its address says. */
export function misplaced(
  network: Network,
  members: readonly Vanished[],
  key: string,
  arrival: Arrival,
  bridge: Device,
): Diagnosis {
  const [vanished] = members;
  const { from, to } = vanished;
  const [device] = arrival.devices;
  const place = filteredInTransit(network, arrival, vanished)?.place;
  const port = portOf(network, vanished, device);
  const others = members.length > 1 ? ` and ${members.length - 1} more` : '';
  const [home, here] = [bridge, device].map(({ name }) => printable(name));
  return {
    ...together(members),
    key,
    confidence: 'likely',
    title: `${from} comes in at ${label(device)}, and its subnet is on ${home}: packets to ${to}${others} end there`,
    summary:
      `${from} sends to ${to} through ${label(device)}. The routes there lead to ${from} by ${home}, so that no answer would find it at ${here}. ` +
      `The packets do not even get that far${place ? `: what drops them is ${placeWords(place)}` : ''}.`,
    subject: { source: from, destination: to, device: device.name },
    cause: `${from} is plugged into the wrong bridge, or into none, or has an address of another network; or two networks use the same addresses.`,
    remedy: [
      {
        text: 'See which port is in which bridge, and where the routes lead',
        commands: [inNamespace(device, 'bridge link show'), inNamespace(device, `ip route get ${from}`)],
      },
      ...(port
        ? [
            {
              text: `If ${from} belongs there: plug it into ${home}`,
              commands: [inNamespace(port, `ip link set ${printable(port.name)} master ${home}`)],
            },
          ]
        : []),
    ],
    caveats: [`that ${from} is not elsewhere, behind another router, is concluded from its address`],
    wouldRaise: [`host context of ${from} (--context): its addresses, and what its device is plugged into`],
    context: [
      `${home} in ${printable(bridge.namespace)}: the route to ${from}`,
      ...(place ? [placeContext(place)] : []),
    ],
  };
}

/** The device of the guest's cable, where that is known. */
function portOf({ vantage }: Network, { cameIn, forOther }: Vanished, device: Device): Device | null {
  if (OF_GUESTS.includes(device.kind ?? '')) return device;
  const isPort = vantage !== null && vantage.master === device && OF_GUESTS.includes(vantage.kind ?? '');
  return isPort && (cameIn || !forOther) ? vantage : null;
}
