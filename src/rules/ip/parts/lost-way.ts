import type { Device } from '../../../network/context/device.js';
import { type Packet, wordsOf } from '../../../network/context/netfilter/packet.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { formatAddress } from '../../../wire/address.js';
import { giveGateway, guestBridge, isBare } from '../../parts/bare-bridge.js';
import { filteredAt } from '../../parts/firewalls/filtered.js';
import { setUp } from '../../parts/link-down.js';
import { label } from '../../parts/question.js';
import type { Arrival } from '../../parts/vanished/arrival.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import type { Diagnosis, Remedy } from '../../rule.js';

/** A router that lost its way into a bridge of its own. */
export interface LostWay {
  readonly bridge: Device;
  /** Who the packets are for, behind a port of it. */
  readonly target: Device;
  /** Its address, after destination NAT. */
  readonly address: string;
}

/**
 * The bridge of a router that the target of packets hangs on, while the routes of the router lead elsewhere: the bridge is down, or lost
 * its address, and the connected route with it. Null if there is none, or if the context leaves that open. What the firewall does with the
 * packets on the wrong way says nothing then.
 */
export function lostWay(network: Network, { namespace }: Arrival, vanished: Vanished): LostWay | null {
  const { context, addresses } = network;
  const packet = filteredAt(network, vanished)?.packet;
  if (!context || packet?.isReply) return null;
  const words = packet?.isTranslated ? aimOf(packet) : addresses.words(vanished.destination);
  if (!words) return null;
  const holders = context.devicesByIp(words);
  const [target] = holders;
  const bridge = target?.peer?.master ?? null;
  if (holders.length !== 1 || bridge?.kind !== 'bridge' || bridge.namespace !== namespace.name) return null;
  if (target.namespace === namespace.name) return null;
  const way = wayTo(namespace, words, addresses.words(vanished.source));
  if (way.kind === 'unknown' || way.kind === 'refused' || way.routes.some(({ dev }) => dev === bridge.name))
    return null;
  // A bridge with another machine on it, which routes for the guests, needs no address; nor does one that has others.
  if (bridge.up && (!isBare(bridge, words.length === 1 ? 4 : 6) || !guestBridge(context, target))) return null;
  return { bridge, target, address: formatAddress(Array.from(words)) };
}

/** Under which key a finding names it. */
export function lostWayKey({ bridge }: LostWay): string {
  return `lost way ${label(bridge)}`;
}

/** Packets for a guest of a router's bridge, which has no route into it any more. */
export function withoutWay(
  network: Network,
  members: readonly Vanished[],
  key: string,
  lost: LostWay,
  router: string,
): Diagnosis {
  const [{ from, to, isIpv4 }] = members;
  const { bridge, target, address } = lost;
  const others = members.length > 1 ? ` and ${members.length - 1} more` : '';
  const what = bridge.up ? 'has no address' : 'is down';
  const translated = address === to ? '' : `, which translates ${to} to ${address} (DNAT)`;
  return {
    ...together(members),
    key,
    confidence: 'likely',
    title: `${label(bridge)} ${what}, so that packets from ${from} to ${to}${others} end at ${router}`,
    summary:
      `${from} sends to ${to} through ${router}${translated}. ${address} is on ${label(target)}, behind a port of ${label(bridge)}, which ${what}: ` +
      'the route into it is gone, so that the packets take another way, or none, and nothing answers.',
    subject: { router, source: from, destination: to },
    cause: bridge.up
      ? `${label(bridge)} lost its address: somebody took it away, or a program that manages the network does not know it.`
      : `${label(bridge)} was set down.`,
    remedy: bridge.up ? [giveAddress(network, lost, isIpv4)] : setUp(bridge),
    context: [`${label(bridge)}: ${what}`, `${label(target)} holds ${address}`],
    wouldRaise: [`\`ip route get ${address}\` on the router: the host context shows one moment`],
  };
}

/** The address that the guests take for that of their router. */
function giveAddress({ context }: Network, { bridge, target }: LostWay, isIpv4: boolean): Remedy {
  const family = isIpv4 ? 4 : 6;
  const routes = context?.namespaces.get(target.namespace)?.routes ?? [];
  const gateway = routes.find(({ dev, gateway: via }) => dev === target.name && via?.family === family)?.gateway?.text;
  return giveGateway(bridge, target, family, gateway ?? null);
}

/** Where destination NAT leads to; null where the context leaves that open. */
function aimOf({ destination }: Packet): ArrayLike<number> | null {
  return destination === null ? null : wordsOf(destination);
}
