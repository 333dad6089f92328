import type { Device } from '../../../network/context/device.js';
import { forwards, wayTo } from '../../../network/context/routing.js';
import { IPV6 } from '../../../network/flows/flow-rows.js';
import { Attempt } from '../../../network/flows/handshake-columns.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import type { Place } from '../../../network/rows/frame-lists.js';
import { formatMac } from '../../../wire/address.js';
import { confidenceBy } from '../../parts/confidence.js';
import { label } from '../../parts/question.js';
import { arrivalOf, holds } from '../../parts/vanished/arrival.js';
import type { Vanished } from '../../parts/vanished/requests.js';
import { isVirtualRouter } from '../../parts/virtual-router.js';
import type { Confidence, EvidenceRef } from '../../rule.js';
import { isGlobal } from './forwarder.js';

/** Requests by the right way that a finding shows. */
const MAX_SHOWN = 4;

/** Packets for a far address are handed to a machine that is not the way there. */
export interface Handover {
  /** Who gets them: the same for all packets that end there. */
  readonly machine: string;
  /** Its address, and its device where the host context tells. */
  readonly host: string;
  readonly device: Device | null;
  /** The router to use: its address, or its MAC. */
  readonly gateway: string;
  readonly confidence: Confidence;
  /** What shows that `gateway` is the way and `host` is not. */
  readonly proof: string;
  readonly evidence: readonly EvidenceRef[];
  /** Namespace of a machine whose forwarding is off, by which `ip/not-forwarded` names it. */
  readonly namespace: string | null;
}

/** A ping, or an attempt to connect, and the hardware address it is sent to. */
interface Trip {
  readonly source: number;
  readonly destination: number;
  readonly hi: number;
  readonly lo: number;
  readonly isAnswered: boolean;
  places(): Place[];
  readonly layer: string;
}

/**
 * Whether requests in vain were handed to the wrong machine; null if they were not, or nothing shows another way. Targets
 * that share `bits` leading bits are taken for one network. IPv4 only. For rare use: it looks at every ping.
 */
export function handoverOf(network: Network, vanished: Vanished, bits: number): Handover | null {
  const { bindings, claims, addresses } = network;
  const { segment, source, destination, hi, lo, isIpv4 } = vanished;
  if (!isIpv4 || claims.holder(segment, destination) >= 0) return null;
  const arrival = arrivalOf(network, vanished);
  if (arrival && holds(network, arrival, destination)) return null;
  const states = arrival?.devices.map((device) => forwards(arrival.namespace, device, 4)) ?? [];
  if (states.includes(true)) return null;
  const isOff = states.length > 0 && states.every((state) => state === false);
  if (arrival && isOff) {
    const known = byRoutes(network, vanished);
    if (known) return known;
  }

  if (hi < 0 || isVirtualRouter(hi, lo)) return null;
  const own = bindings.own(segment, hi, lo).filter((row) => addresses.isIpv4(row));
  if (own.length === 0 || own.includes(destination) || own.includes(source)) return null;
  if (!isHeld(network, segment, source) || own.some((row) => isContested(network, segment, row))) return null;
  if (carriesOthers(network, segment, hi, lo)) return null;
  // A host sends to its own network directly: the machine is taken for the target, or has its MAC.
  if (isOneLan(network, source, destination)) return null;

  const itself: Trip[] = [];
  const near: Trip[] = [];
  for (const trip of tripsOf(network, segment)) {
    if (claims.holder(segment, trip.destination) >= 0) continue;
    // The machine passes something on: it is a router, and not this is what is wrong with it.
    if (trip.hi === hi && trip.lo === lo) {
      if (trip.isAnswered) return null;
      continue;
    }
    if (own.includes(trip.source)) itself.push(trip);
    // What goes to the sender itself is no way for it.
    if (bindings.own(segment, trip.hi, trip.lo).includes(source)) continue;
    if (trip.isAnswered && isNear(network, trip.destination, destination, bits)) near.push(trip);
  }
  // Another host may have been given another router for good, and only this sender's packets are dropped by a filter:
  // surer is what the same sender, or the machine itself, does.
  const sure =
    near.find((trip) => trip.source === source) ??
    near.find((trip) => own.includes(trip.source)) ??
    near.find((trip) => itself.some((each) => each.hi === trip.hi && each.lo === trip.lo));
  const trip = sure ?? near[0];
  if (!trip) return null;

  const isSure = sure !== undefined;
  const host = addresses.format(askedBy(network, segment, source, own) ?? own[0]);
  const gateways = bindings.own(segment, trip.hi, trip.lo).filter((row) => addresses.isIpv4(row));
  const gateway = gateways.length > 0 ? addresses.format(gateways[0]) : formatMac(trip.hi, trip.lo);
  const who = own.includes(trip.source) ? `${host} itself` : addresses.format(trip.source);
  const to = addresses.format(trip.destination);
  return {
    machine: formatMac(hi, lo),
    host,
    device: arrival?.devices[0] ?? null,
    gateway,
    confidence: confidenceBy({ certain: isOff && isSure, likely: isOff || isSure }),
    proof:
      `${who} reaches ${to} through ${gateway} (${formatMac(trip.hi, trip.lo)})` +
      `${isSure && trip.source !== source && !own.includes(trip.source) ? `, the router that ${host} itself uses` : ''}.`,
    evidence: trip
      .places()
      .slice(0, MAX_SHOWN)
      .map((place) => ({
        capture: vanished.capture,
        layer: trip.layer,
        note: `${addresses.format(trip.source)} > ${to} through ${gateway}, answered`,
        ...place,
      })),
    namespace: isOff && arrival ? arrival.namespace.name : null,
  };
}

/** A machine that does not forward, and that itself sends to the destination through a router on the link the packets came by. */
function byRoutes(network: Network, vanished: Vanished): Handover | null {
  const arrival = arrivalOf(network, vanished);
  if (!arrival) return null;
  const { namespace, devices } = arrival;
  const way = wayTo(namespace, network.addresses.words(vanished.destination), network.addresses.words(vanished.source));
  const [route] = way.routes;
  if (way.kind !== 'routed' || !route.gateway) return null;
  const device = devices.find(({ name }) => way.routes.every(({ dev }) => dev === name));
  const host = device?.addresses.find(({ family }) => family === 4);
  if (!device || !host) return null;
  const gateway = route.gateway.text;
  return {
    machine: namespace.name,
    host: host.text,
    device,
    gateway,
    confidence: 'certain',
    proof: `${host.text} (${label(device)}) does not forward, and its own route for ${vanished.to} leads to ${gateway} on the same link.`,
    evidence: [],
    namespace: namespace.name,
  };
}

/** Pings and attempts to connect over IPv4 in a segment, where the capture tells the hardware address they go to. */
function* tripsOf({ pings, handshakes, addresses }: Network, segment: number): Generator<Trip> {
  for (let row = 0; row < pings.count; row++) {
    if (pings.segment(row) !== segment || pings.hi(row) < 0 || pings.requests(row) === 0) continue;
    if (!addresses.isIpv4(pings.source(row))) continue;
    yield {
      source: pings.source(row),
      destination: pings.destination(row),
      hi: pings.hi(row),
      lo: pings.lo(row),
      isAnswered: pings.replies(row) > 0,
      places: () => pings.latest(row),
      layer: 'icmp',
    };
  }
  for (let row = 0; row < handshakes.count; row++) {
    if (handshakes.segment(row) !== segment || (handshakes.place(row) & IPV6) !== 0) continue;
    if (handshakes.syns(row) === 0 || handshakes.hi(row) < 0) continue;
    const state = handshakes.state(row);
    yield {
      source: addresses.ipv4(handshakes.client(row)),
      destination: addresses.ipv4(handshakes.server(row)),
      hi: handshakes.hi(row),
      lo: handshakes.lo(row),
      isAnswered: handshakes.answers(row) > 0 || state === Attempt.Done || state === Attempt.Refused,
      places: () => handshakes.synPlaces(row),
      layer: 'tcp',
    };
  }
}

/** Whether two far addresses are in one network, as far as that can be guessed: what is public lies behind the default route. */
function isNear({ addresses }: Network, a: number, b: number, bits: number): boolean {
  const [one] = addresses.words(a);
  const [two] = addresses.words(b);
  const free = 32 - Math.min(32, Math.max(0, Math.floor(bits)));
  return (free < 32 && (one ^ two) >>> free === 0) || free === 32 || (isGlobal(one) && isGlobal(two));
}

/** Whether two addresses have the 24 bits of a usual LAN in common. */
function isOneLan({ addresses }: Network, a: number, b: number): boolean {
  return (addresses.words(a)[0] ^ addresses.words(b)[0]) >>> 8 === 0;
}

/** Whether a station of the segment said that the address is its own. */
function isHeld({ bindings }: Network, segment: number, address: number): boolean {
  return bindings.of(segment, address).some((row) => (bindings.claims(row) & Claim.Own) !== 0);
}

/** Whether several stations say so: `arp/duplicate-address` and others tell of that. */
function isContested({ bindings }: Network, segment: number, address: number): boolean {
  return bindings.of(segment, address).filter((row) => (bindings.claims(row) & Claim.Own) !== 0).length > 1;
}

/** Whether a station sends IPv4 packets from addresses that it never claimed: it passes on those of others. */
function carriesOthers({ bindings, addresses }: Network, segment: number, hi: number, lo: number): boolean {
  for (const row of bindings.ofStation(segment, hi, lo)) {
    const claims = bindings.claims(row);
    if ((claims & Claim.Own) !== 0 || (claims & Claim.Source) === 0 || !addresses.isIpv4(bindings.address(row)))
      continue;
    if (addresses.words(bindings.address(row))[0] !== 0) return true;
  }
  return false;
}

/** Which of these addresses a host asked for by ARP. */
function askedBy({ resolutions }: Network, segment: number, source: number, own: readonly number[]) {
  const asked = resolutions.askedBy(source).filter((row) => resolutions.segment(row) === segment);
  return asked.map((row) => resolutions.tpa(row)).find((tpa) => own.includes(tpa));
}
