import type { Device, Namespace } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Fate } from '../../../network/context/netfilter/fate.js';
import {
  ADVERT,
  neighborMessage,
  type Packet,
  SOLICIT,
  solicitedGroup,
} from '../../../network/context/netfilter/packet.js';
import { comesIn, crossesBridge, leaves, type Machine } from '../../../network/context/netfilter/way.js';
import { reach } from '../../../network/context/reach.js';
import type { Network } from '../../../network/network.js';
import type { Remedy } from '../../rule.js';
import { label, type Question } from '../question.js';
import { type Filtered, machineOf } from './filtered.js';
import { cureOf, doubtsOf, placeContext, placeWords } from './words.js';

/** By which bridged packets go to the firewall for routed ones. */
const CALLED = 'net.bridge.bridge-nf-call-ip6tables';

/** What the host context adds to neighbor discovery in vain: a firewall drops its messages. */
export interface FilteredNeighbor {
  /** Behind the title. */
  readonly clause: string;
  readonly cause: string;
  readonly remedy: readonly Remedy[];
  readonly caveats: readonly string[];
  readonly context: readonly string[];
}

/**
 * Where the firewall of a bridge, of the target or of who asks drops neighbor solicitations or advertisements; null where none does, or that is not
 * known. `isAnswered`: advertisements are seen, and it is these that get lost. For events: it goes through rules.
 */
export function filteredNeighbor(network: Network, question: Question, isAnswered: boolean): FilteredNeighbor | null {
  const { context, addresses, resolutions } = network;
  const { asker, row, isIpv4, spa, tpa } = question;
  const target = context && targetOf(network, context, question);
  if (!context || isIpv4 || !asker || !target) return null;
  const ends = { asker, target };
  const [own, other] = [resolutions.spa(row), resolutions.tpa(row)].map((each) => [...addresses.words(each)]);
  const messages: Messages = {
    solicit: () => neighborMessage(SOLICIT, own, solicitedGroup(other)),
    advert: () => neighborMessage(ADVERT, other, own),
  };
  const found = isAnswered ? ofAnswer(network, context, ends, messages) : ofQuestion(network, context, ends, messages);
  if (!found) return null;
  const { place, fate, device, packet } = found;
  const end = endOf(question, ends, device);
  const who = `firewall of ${end ?? `the bridge ${label(device)}`}`;
  const [what, whose] = packet.icmpType === SOLICIT ? ['solicitations', spa] : ['advertisements', tpa];
  const counted = place.packets === null ? '' : `, and counted ${place.packets} packets`;
  return {
    clause: `: the ${who} drops neighbor ${what}`,
    cause: `The ${who} drops the neighbor ${what} of ${whose}: ${placeWords(place)} takes them${counted}. IPv6 finds no neighbour without them; connection tracking passes over them, so that rules for established connections do not let them through.`,
    remedy: cureOf([found], end ?? 'the host of the bridge'),
    caveats: doubtsOf({ isAnsweredBeyond: true, to: tpa }, found).caveats,
    context: [placeContext(place), ...fate.further.map(placeContext)],
  };
}

/** The address of the end that a device belongs to; null for that of a bridge between them. */
function endOf({ spa, tpa }: Question, { asker, target }: Ends, device: Device): string | null {
  if (device === target) return tpa;
  return device === asker ? spa : null;
}

interface Messages {
  readonly solicit: () => Packet;
  readonly advert: () => Packet;
}

interface Ends {
  readonly asker: Device;
  readonly target: Device;
}

/** The one device on the asker's link that has the address: a router may have one link-local address at each of its devices. */
function targetOf({ addresses, resolutions }: Network, context: HostContext, { row, asker, target }: Question) {
  if (target || !asker) return target;
  const holders = context.devicesByIp(addresses.words(resolutions.tpa(row)));
  const reached = holders.length > 1 ? reach(context, asker) : new Set<Device>();
  const here = holders.filter((device) => reached.has(device));
  return here.length === 1 ? here[0] : null;
}

/** The switch port of a device, or of what a child of it sends through. */
function portOf(context: HostContext, device: Device): Device | null {
  return context.switchPort(device.parent ?? device);
}

/** What solicitations, and then advertisements, come to on their way. */
function ofQuestion(
  network: Network,
  context: HostContext,
  ends: Ends,
  { solicit, advert }: Messages,
): Filtered | null {
  const { vantage } = network;
  const { asker, target } = ends;
  const [from, to] = [portOf(context, asker), portOf(context, target)];
  const back = crossing(network, context, to, from, advert());
  // What is seen at the target's side has crossed.
  const isAcross = vantage !== null && (vantage === target || vantage === to);
  const there = isAcross ? null : crossing(network, context, from, to, solicit());
  if (there) return { ...there, back: back && { place: back.place, packet: back.packet } };
  const machine = machineAt(network, context, target);
  if (!machine) return back ?? atAsker(network, context, asker, advert());
  const sent = leaves(machine, advert(), target);
  const lost = dropAt(machine, target, sent.fate, sent.packet);
  const way = comesIn(machine, target, solicit());
  const taken = way && dropAt(machine, target, way.fate, way.packet);
  if (taken) return { ...taken, back: lost && { place: lost.place, packet: lost.packet } };
  return lost ?? back ?? atAsker(network, context, asker, advert());
}

/** What advertisements that were seen come to. */
function ofAnswer(network: Network, context: HostContext, ends: Ends, { advert }: Messages): Filtered | null {
  const { vantage } = network;
  const { asker, target } = ends;
  const [from, to] = [portOf(context, asker), portOf(context, target)];
  const isAcross = vantage !== null && (vantage === asker || vantage === from);
  const lost = isAcross ? null : crossing(network, context, to, from, advert());
  return lost ?? atAsker(network, context, asker, advert());
}

/** An advertisement where it comes in. */
function atAsker(network: Network, context: HostContext, asker: Device, advert: Packet): Filtered | null {
  const machine = machineAt(network, context, asker);
  const way = machine && comesIn(machine, asker, advert);
  return way && dropAt(machine, asker, way.fate, way.packet);
}

function machineAt(network: Network, context: HostContext, device: Device): Machine | null {
  const namespace = context.namespaces.get(device.namespace);
  const ruleset = namespace?.firewall?.ruleset;
  return namespace && ruleset && ruleset.bases.length > 0 ? machineOf(network, namespace, ruleset) : null;
}

/** Between two ports of one bridge. */
function crossing(
  network: Network,
  context: HostContext,
  from: Device | null,
  to: Device | null,
  packet: Packet,
): Filtered | null {
  if (!from?.master || from.master !== to?.master || from === to) return null;
  const machine = machineAt(network, context, from);
  if (!machine) return null;
  const isCalled = (machine.namespace as Namespace).sysctl.get(CALLED) === '1';
  return dropAt(machine, from.master, crossesBridge(machine, from, to, packet, isCalled), packet);
}

function dropAt({ namespace, ruleset }: Machine, device: Device, fate: Fate, packet: Packet): Filtered | null {
  const { kind, place } = fate;
  return kind === 'drop' && place
    ? { namespace, ruleset, device, place, packet, isTarget: true, fate, back: null }
    : null;
}
