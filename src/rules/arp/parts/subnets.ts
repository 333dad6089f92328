import { isWithin } from '../../../network/context/address.js';
import type { Device, DeviceAddress } from '../../../network/context/device.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { formatAddress, formatIpv4 } from '../../../wire/address.js';
import { forwarderOf, isGlobal, isPrivate } from '../../ip/parts/forwarder.js';
import { label, type Question } from '../../parts/question.js';
import type { Confidence, EvidenceRef } from '../../rule.js';

/** Types of ICMP and ICMPv6 redirects (RFC 792, RFC 4861 section 4.5). */
const REDIRECT = { v4: 5, v6: 137 } as const;
/** What hosts begin to count from: a packet with another TTL has passed a router. */
const INITIAL_TTLS: readonly number[] = [0, 32, 64, 128, 255];
/** A subnet that has room for hosts, in bits less than an address; one with a longer prefix says nothing about its link. */
const HOST_BITS = 2;
/** Prefix of the largest link on which a router is sought in any case. */
const LARGEST_LINK = 20;

/** A subnet that a DHCP server gives out on a segment. */
export interface Leased {
  /** Signed. */
  readonly network: number;
  readonly length: number;
  readonly evidence: EvidenceRef;
}

/** Why an address that is asked for is not on the link of the asking host. */
export interface Elsewhere {
  readonly kind: 'mask' | 'route' | 'lease' | 'router' | 'public';
  readonly confidence: Confidence;
  /** One sentence. */
  readonly reason: string;
  /** The subnet of the link, null where it is not known. */
  readonly subnet: string | null;
  readonly context: readonly string[];
  readonly evidence: readonly EvidenceRef[];
  /** The asking device and its address, where the host context tells. */
  readonly asker: { device: Device; address: DeviceAddress } | null;
  /** Router of the link, where it is known. */
  readonly gateway: string | null;
}

/** Why the target of a question is elsewhere; null where nothing says so, or something contradicts it. */
export function elsewhere(network: Network, question: Question, leased: readonly Leased[]): Elsewhere | null {
  const { resolutions, addresses, claims } = network;
  const { row, segment } = question;
  const spa = resolutions.spa(row);
  const tpa = resolutions.tpa(row);
  const from = addresses.words(spa);
  const to = addresses.words(tpa);
  // Link-local addresses are asked for from any subnet (RFC 3927 section 2.6.2); with IPv6 they ask for others, too.
  if (isLinkLocal(to) || (question.isIpv4 && isLinkLocal(from))) return null;
  // Somebody on this link has the address, or answers for it.
  const isHeld = question.isIpv4 ? claims.holder(segment, tpa) >= 0 : network.neighborHolders.isHeld(segment, tpa);
  if (isHeld || resolutions.selfReplies(row) > 0) return null;
  if (wasRedirected(network, spa, tpa)) return null;
  const known = byContext(network, question, from, to);
  if (known !== undefined) return known;
  if (question.isIpv4 && leased.some((each) => covers(each, to[0]))) return null;
  const lease = (question.isIpv4 ? leased : []).find((each) => covers(each, from[0]));
  if (lease) {
    const subnet = `${formatIpv4(lease.network)}/${lease.length}`;
    return {
      ...NOTHING,
      kind: 'lease',
      confidence: 'likely',
      reason: `DHCP gives out ${subnet} on this link.`,
      subnet,
      evidence: [lease.evidence],
    };
  }
  const forwarder = forwarderOf(network, segment, tpa);
  const binding = forwarder ? network.bindings.find(segment, forwarder.hi, forwarder.lo, tpa) : -1;
  if (
    forwarder &&
    binding >= 0 &&
    forwarder.own.some((own) => mayBeGateway(addresses.words(own), from, to)) &&
    !INITIAL_TTLS.includes(network.bindings.ttl(binding))
  ) {
    const gateway = addresses.format(forwarder.own[0]);
    return {
      ...NOTHING,
      kind: 'router',
      confidence: 'likely',
      reason: `${question.tpa} is behind ${gateway}: its packets come from there, with a ${question.isIpv4 ? 'TTL' : 'hop limit'} that has passed a router.`,
      gateway,
    };
  }
  if (!question.isIpv4 || !isPrivate(from[0]) || !isGlobal(to[0])) return null;
  return {
    ...NOTHING,
    kind: 'public',
    confidence: 'hint',
    reason: `${question.tpa} is a public address and ${question.spa} a private one: they are hardly on one link.`,
  };
}

const NOTHING = { subnet: null, context: [], evidence: [], asker: null, gateway: null };

/**
 * Whether a router with an address may be on the link of the asking host: their subnet is as small as most are, or the target is further off. If not,
 * two links are shown as one: VLANs that run into each other, or a mirror.
 */
function mayBeGateway(own: ArrayLike<number>, from: ArrayLike<number>, to: ArrayLike<number>): boolean {
  if (from.length > 1) return true;
  const near = Math.clz32(own[0] ^ from[0]);
  return near >= LARGEST_LINK || near > Math.clz32(to[0] ^ from[0]);
}

/** What the host context says; undefined where it says nothing of it. */
function byContext(
  network: Network,
  question: Question,
  from: Int32Array,
  to: Int32Array,
): Elsewhere | null | undefined {
  const { context } = network;
  if (!context) return undefined;
  const { asker, target } = question;
  const home = target && context.namespaces.get(target.namespace);
  const back = home ? wayTo(home, from) : null;
  // The target takes the asking host for a neighbour as well: whether they reach each other is another matter.
  if (back?.kind === 'routed' && back.routes.every(({ gateway }) => gateway === null)) return null;
  const namespace = asker && context.namespaces.get(asker.namespace);
  const address = asker && addressOf(asker, from, to);
  if (!asker || !namespace || !address) return byNeighbours(network, question, from, to, null, false);
  const way = wayTo(namespace, to);
  // It would not ask itself: a redirect sent it here, or the routes have changed since.
  if (way.kind === 'none' || way.kind === 'refused' || way.routes.some(({ gateway }) => gateway !== null)) return null;
  // A gateway outside the subnet (`onlink`) is arp/gateway-unanswered's.
  if (namespace.routes.some(({ gateway }) => gateway && isSame(gateway.words, to))) return null;
  if (isWithin(to, address.words, address.prefixLength)) {
    const isTargetElsewhere = back !== null && back.kind !== 'unknown';
    return byNeighbours(network, question, from, to, { device: asker, address }, isTargetElsewhere);
  }
  if (way.kind === 'unknown') return undefined;
  // A route for a smaller network was made on purpose, as those of pods are.
  if (way.routes.some(({ dst }) => dst !== 'default')) return null;
  return {
    ...NOTHING,
    kind: 'route',
    confidence: 'certain',
    reason: `The default route of ${label(asker)} names a device and no gateway, so ${address.text} takes every address for a neighbour.`,
    context: [`${label(asker)}: ${address.text}/${address.prefixLength}, default route without gateway`],
    asker: { device: asker, address },
  };
}

/** Other machines on the link that have a smaller subnet than the asking host acts by. */
function byNeighbours(
  network: Network,
  question: Question,
  from: Int32Array,
  to: Int32Array,
  asker: Elsewhere['asker'],
  isTargetElsewhere: boolean,
): Elsewhere | null | undefined {
  const { context, vantage } = network;
  if (!context) return undefined;
  const near = asker?.address.words ?? from;
  const gateways = asker ? (context.namespaces.get(asker.device.namespace)?.routes ?? []) : [];
  const narrow: { device: Device; address: DeviceAddress; isGateway: boolean }[] = [];
  let agreeing = 0;
  for (const device of context.devices) {
    if (device.loopback || device === asker?.device || device.namespace === asker?.device.namespace) continue;
    for (const address of device.addresses) {
      const longest = address.words.length * 32 - HOST_BITS;
      // Every device has the link-local network: it says nothing of the other one on its link.
      if (isLinkLocal(Int32Array.from(address.words))) continue;
      if (address.prefixLength > longest || !isWithin(near, address.words, address.prefixLength)) continue;
      const isGateway =
        context.devicesByIp(address.words).length === 1 &&
        gateways.some(({ gateway, dev }) => gateway?.text === address.text && dev === asker?.device.name);
      const isHere = device === vantage || isHeard(network, question.segment, device) || isGateway;
      if (!isHere || isSame(address.words, near)) continue;
      if (isWithin(to, address.words, address.prefixLength)) agreeing++;
      else narrow.push({ device, address, isGateway });
    }
  }
  const [best] = narrow.sort((a, b) => Number(b.isGateway) - Number(a.isGateway));
  if (!best) return asker ? null : undefined;
  if (agreeing >= narrow.length) return null;
  const subnet = subnetOf(best.address);
  const isSure = asker !== null && agreeing === 0 && (best.isGateway || isTargetElsewhere);
  const others = narrow.map(({ device, address }) => `${label(device)}: ${address.text}/${address.prefixLength}`);
  return {
    kind: 'mask',
    confidence: isSure ? 'certain' : 'likely',
    reason: asker
      ? `With ${asker.address.text}/${asker.address.prefixLength} it takes ${question.tpa} for a neighbour, but this link is ${subnet}: ${label(best.device)} has ${best.address.text}/${best.address.prefixLength}.`
      : `This link is ${subnet}: ${label(best.device)} has ${best.address.text}/${best.address.prefixLength}.`,
    subnet,
    context: [
      ...(asker ? [`${label(asker.device)}: ${asker.address.text}/${asker.address.prefixLength}`] : []),
      ...new Set(others),
    ],
    evidence: [],
    asker,
    gateway: best.isGateway ? best.address.text : null,
  };
}

function isHeard({ stations }: Network, segment: number, { mac }: Device): boolean {
  const station = mac ? stations.find(segment, mac.hi, mac.lo) : -1;
  return station >= 0 && stations.sent(station) > 0;
}

/** Whether a router told the host to send to the target directly. */
function wasRedirected({ icmpErrors }: Network, spa: number, tpa: number): boolean {
  for (let row = 0; row < icmpErrors.count; row++) {
    const isAbout = icmpErrors.destination(row) === tpa || icmpErrors.gateway(row) === tpa;
    const isRedirect = icmpErrors.type(row) === (icmpErrors.isV6(row) ? REDIRECT.v6 : REDIRECT.v4);
    if (isAbout && isRedirect && icmpErrors.source(row) === spa) return true;
  }
  return false;
}

function isLinkLocal([word, ...rest]: Int32Array): boolean {
  return rest.length === 0 ? word >>> 16 === 0xa9fe : word >>> 22 === 0xfe80 >>> 6;
}

/** The address of the asking device that the question is asked with; with IPv6 that may be another than the one that has the target in its subnet. */
function addressOf({ addresses }: Device, from: Int32Array, to: Int32Array): DeviceAddress | undefined {
  if (!isLinkLocal(from)) return addresses.find(({ words }) => isSame(words, from));
  return (
    addresses.find(({ words, prefixLength }) => isWithin(to, words, prefixLength)) ??
    addresses.find(({ words }) => words.length === to.length && !isLinkLocal(Int32Array.from(words)))
  );
}

function isSame(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && isWithin(a, b, a.length * 32);
}

function covers({ network, length }: Leased, address: number): boolean {
  return isWithin([address], [network], length);
}

function subnetOf({ words, prefixLength }: DeviceAddress): string {
  const network = Array.from(words, (word, index) => {
    const bits = Math.min(32, Math.max(0, prefixLength - 32 * index));
    return bits === 0 ? 0 : word & (-1 << (32 - bits));
  });
  return `${formatAddress(network)}/${prefixLength}`;
}
