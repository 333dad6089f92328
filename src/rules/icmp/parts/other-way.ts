import type { Device, Namespace } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { reachThroughTunnels } from '../../../network/context/reach.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { Direction } from '../../../wire/frame.js';
import { IcmpType } from '../../../wire/icmp.js';
import { Icmpv6Type } from '../../../wire/icmpv6.js';
import type { Ping } from '../../parts/pings/ping.js';
import { INITIAL_HOPS } from '../../parts/ttl.js';
import { hasSharedGateway, isSpread } from './fabric.js';
import { isUnlearned, resolvedUnheard } from './ping-targets.js';
import { byOtherNic } from './second-nic.js';

/** Routers between target and pinging host that are followed at most. */
const MAX_HOPS = 8;
/** Replies without a request from which on the requests are taken to be left out: one may be older than the capture. */
const UNASKED_REPLIES = 2;
/** A host that makes a reply asks for its next hop at once (ns). */
const AT_ONCE_NS = 100e6;

export function sendsOnly(pings: Network['pings'], row: number): boolean {
  return pings.went(row, Direction.Out) && !pings.went(row, Direction.In);
}

/** Whether the requests came to this machine from another: a router sends them on, and the replies may take another way. */
export function isForwarded({ pings, segments }: Network, row: number): boolean {
  if (!INITIAL_HOPS.includes(pings.hops(row))) return true;
  const capture = segments.captureOf(pings.segment(row));
  return pings
    .elsewhere(row)
    .some((other) => segments.captureOf(pings.segment(other)) === capture && pings.went(other, Direction.In));
}

/**
 * Whether the host context shows the way back from the target to the pinging host, and a packet can take it without passing the device
 * that captured: of equally good routes one suffices.
 */
function returnsPast({ pings, addresses, context, vantage }: Network, row: number): boolean {
  if (!context || !vantage) return false;
  const source = addresses.words(pings.source(row));
  const target = addresses.words(pings.destination(row));
  const home = context.devicesByIp(source);
  if (home.length !== 1 || home[0].namespace === vantage.namespace) return false;

  const seen = new Set<Device>();

  function passesBeside(machine: readonly Device[], hop: number): boolean {
    const [at] = machine;
    if (hop === MAX_HOPS || !at) return false;
    // A gateway that several machines share (anycast, of the leaves of a fabric): any of them may be the nearest.
    const others = machine.filter(({ namespace }) => namespace !== at.namespace);
    if (others.length > 0) {
      const first = machine.filter(({ namespace }) => namespace === at.namespace);
      return hop > 0 && (passesBeside(first, hop) || passesBeside(others, hop + 1));
    }
    // Ways that meet again, as in a fabric, go on alike.
    if (seen.has(at)) return false;
    seen.add(at);
    const isHere = at.namespace === (vantage as Device).namespace;
    if (isHere && (hop === 0 || isSwitch(vantage as Device) || machine.includes(vantage as Device))) return false;
    const namespace = (context as HostContext).namespaces.get(at.namespace);
    const routes = namespace ? wayTo(namespace, source, target).routes : [];
    return routes.some(({ gateway, dev }) => {
      if (isHere) return machine.length === 1 && dev !== null && dev !== (vantage as Device).name;
      // The last machine on the way has the pinging host beside it: the switch between them may be where the capture was taken.
      if (!gateway) return hop > 0 && !(isSwitch(vantage as Device) && isOnLink(namespace, dev));
      return passesBeside((context as HostContext).devicesByIp(gateway.words), hop + 1);
    });
  }
  /** Whether frames on the link of a device get to the place of the capture. */
  function isOnLink(namespace: Namespace | undefined, name: string | null): boolean {
    const device = name === null ? undefined : namespace?.devices.get(name);
    return !device || reachThroughTunnels(context as HostContext, device).has(vantage as Device);
  }
  return passesBeside(context.devicesByIp(target), 0);
}

/** A port of a bridge sees what machines beside it send to each other. */
function isSwitch({ masterKind, kind }: Device): boolean {
  return masterKind === 'bridge' || kind === 'bridge';
}

/**
 * Whether the capture was, or may have been, taken where the requests enter their target, and the host context shows that it sends to the pinging
 * host by another device: with two in one subnet (ARP flux), or with routes that differ.
 */
function answersElsewhere({ pings, addresses, context, vantage }: Network, row: number): boolean {
  if (!context || pings.hi(row) < 0) return false;
  const holders = context.devicesByIp(addresses.words(pings.destination(row)));
  const receivers = context.devicesByMac(pings.hi(row), pings.lo(row));
  const [receiver] = receivers;
  if (receivers.length !== 1) return false;
  // A capture elsewhere on the link shows what leaves by the other device as well.
  if (vantage && vantage !== receiver && vantage !== receiver.peer) return false;
  const namespace = holders.some((holder) => holder.namespace === receiver.namespace)
    ? context.namespaces.get(receiver.namespace)
    : undefined;
  return (
    namespace !== undefined &&
    wayTo(namespace, addresses.words(pings.source(row))).routes.some(({ dev }) => dev !== receiver.name)
  );
}

/**
 * Why the replies may come back past this capture (asymmetric routing, where a bystander on one way sees requests only):
 * a machine that is neither the target nor the next hop asks for the pinging host, a connection of either shows one way, a
 * router tells it of a shorter way, or the target asked for a neighbour whose answer did not pass here.
 */
export function otherWay(network: Network, ping: Ping): string | null {
  const { row, from, to, isIpv4 } = ping;
  const { pings, resolutions, claims, flows, addresses, icmpErrors, segments } = network;
  const isOneSided = (end: number) =>
    flows.isOneSided(pings.segment(row), !isIpv4, isIpv4 ? addresses.words(end)[0] : end);
  // At the machine that pings replies come by, but for what is handed to an ipvlan child in mode l3s, which no capture in it shows.
  if (sendsOnly(pings, row) && !isForwarded(network, row)) return isOneSided(pings.source(row)) ? oneSided(from) : null;
  if (returnsPast(network, row)) return 'by the routes of the host context they pass other machines';
  if (answersElsewhere(network, row)) return 'the target sends to the pinging host by another of its devices';
  const segment = pings.segment(row);
  const source = pings.source(row);
  for (const [end, name] of [[source, from] as const, [pings.destination(row), to] as const])
    if (isOneSided(end)) return oneSided(name);
  // Both ends of VXLAN show both ways as a rule, if nothing between them spreads flows; tunnels of routers (IPIP, GRE) are routed like what they carry.
  const isOverlay = segments.describe(segment).vnis.length > 0;
  const isPassedOn = isForwarded(network, row) || (pings.wasTunnelled(row) && !isOverlay);
  const { oneWay, bothWays } = heardIn(network, segment);
  // Routers see some both ways and others one way only, by the way that each takes back.
  if (!isOverlay && oneWay > 0 && (isPassedOn || oneWay >= bothWays))
    return 'of others, too, one way alone is in this capture, and they go on';
  if (isOverlay && isSpread(network, segment, oneWay, bothWays))
    return 'routers carry this tunnel, and where several ways cost the same each direction may take another (ECMP)';
  if (isPassedOn && hasSharedGateway(network, segment))
    return 'a gateway that several machines share (anycast) sends them on, and the target answers to the one nearest to it';
  if (isPassedOn && bothWays === 0) {
    const isMachines = segments.sawInbound(segment) || segments.sawOutbound(segment);
    // A target that is on this link answers by another router of it only rarely.
    const isBeyond = claims.holder(segment, pings.destination(row)) < 0;
    if (isBeyond && !network.context && !isMachines)
      return 'routers pass the requests on here, and nothing at all in this capture is answered';
  }
  for (let each = 0; each < icmpErrors.count; each++)
    if (
      icmpErrors.segment(each) === segment &&
      icmpErrors.destination(each) === pings.destination(row) &&
      icmpErrors.type(each) === (isIpv4 ? IcmpType.Redirect : Icmpv6Type.Redirect)
    )
      return `a router redirects ${from}, and does not see the replies to what it sends on`;
  for (const each of resolutions.askedFor(source)) {
    if (resolutions.segment(each) !== segment || resolutions.spa(each) === pings.destination(row)) continue;
    if (talks(network, segment, resolutions.spa(each), source, isIpv4)) continue;
    if (resolutions.hi(each) !== pings.hi(row) || resolutions.lo(each) !== pings.lo(row))
      return `another machine asks for ${from} here`;
  }
  if (isUnlearned(network, row))
    return `${to} names a MAC that it never sends from: switches flood what goes there past others, and pass its replies to ${from} alone`;
  if (resolvedUnheard(network, row))
    return `${from} asked for ${to}, and the answer that gave it the MAC did not pass here: replies need not either`;
  const neighbor = askedUnheard(network, row);
  return neighbor < 0
    ? byOtherNic(network, ping)
    : `${to} asked for ${addresses.format(neighbor)} once, and the answer did not pass here: replies to it need not either`;
}

function oneSided(name: string): string {
  return `of a TCP connection of ${name} only one way is here, and it goes on`;
}

/** Whether two hosts have pings or a connection of their own, for which one asks for the other. */
function talks({ pings, flows, addresses }: Network, segment: number, one: number, other: number, isIpv4: boolean) {
  if (pings.ofPair(one, other).length > 0) return true;
  const [a, b] = [one, other].map((each) => (isIpv4 ? addresses.words(each)[0] : each));
  return flows.delivered(segment, !isIpv4, a, b) > 0 || flows.delivered(segment, !isIpv4, b, a) > 0;
}

/**
 * Connections and pings of a segment that go on though one way alone is in it: the capture leaves out what comes back (`tcpdump -Q in`, half of a
 * mirror), a switch passes it elsewhere, or it takes another router (VRRP, ECMP); and those of which both ways are.
 */
function heardIn({ pings, flows }: Network, segment: number): { oneWay: number; bothWays: number } {
  const heard = flows.heard(segment);
  for (let each = 0; each < pings.count; each++) {
    if (pings.segment(each) !== segment || pings.replies(each) === 0) continue;
    if (pings.requests(each) > 0) heard.bothWays++;
    else if (pings.replies(each) >= UNASKED_REPLIES) heard.oneWay++;
  }
  return heard;
}

/**
 * The neighbour that the target of a ping from beyond its link asked for at the first request, once, with an answer that is not
 * in the capture: it was content, and answers through that one. -1 if there is none.
 */
function askedUnheard({ pings, resolutions, claims }: Network, row: number): number {
  const segment = pings.segment(row);
  const target = pings.destination(row);
  if (claims.holder(segment, pings.source(row)) >= 0) return -1;
  for (const each of resolutions.askedBy(target)) {
    if (resolutions.segment(each) !== segment || resolutions.tpa(each) === pings.source(row)) continue;
    const after = resolutions.last(each) - pings.first(row);
    const isOnce = resolutions.requests(each) === 1 && resolutions.run(each) === 1;
    if (isOnce && after >= 0 && after <= AT_ONCE_NS) return resolutions.tpa(each);
  }
  return -1;
}
