import type { Device, Namespace } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Fate } from '../../../network/context/netfilter/fate.js';
import { type Packet, wordsOf } from '../../../network/context/netfilter/packet.js';
import type { Ruleset } from '../../../network/context/netfilter/ruleset.js';
import { answerTo, comesBack, comesIn, crossesBridge, type Way } from '../../../network/context/netfilter/way.js';
import { reach } from '../../../network/context/reach.js';
import { forwards, wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { type Filtered, machineOf } from './filtered.js';

/** Machines that a packet passes at most. */
const MAX_HOPS = 8;
/** Ways of one host context that are followed; further ones are not. */
const MAX_KEPT = 4096;
/** Settings by which bridged packets go to the firewall for routed ones. */
const CALLS = { 4: 'net.bridge.bridge-nf-call-iptables', 6: 'net.bridge.bridge-nf-call-ip6tables' } as const;
const NO_RULES: Ruleset = { bases: [], chains: new Map(), elements: new Map(), byIptables: new Set() };

/** Where a packet ends on its way, by the host context. */
export interface WayEnd {
  /** What drops it; null where it arrives. */
  readonly drop: Filtered | null;
  /** The machine where it arrives, or is dropped, and the packet as it is there. */
  readonly namespace: Namespace;
  readonly packet: Packet;
  /** The device by which a router sends it on with another source address, where its way is not followed further. */
  readonly translator: Device | null;
  /** The bridge whose firewall it is; else it is of a machine that routes, or of the target. */
  readonly bridge: Device | null;
  /** Devices and machines that it passes before. */
  readonly passed: ReadonlySet<Device | string>;
}

const kept = new WeakMap<HostContext, Map<string, WayEnd | null>>();

/**
 * Follows a packet from the machine that sends it from router to router, by their routes, and through the firewalls of these and of the bridges
 * between them. Null where something on the way is not known. For events: it goes through rules.
 */
export function endOfWay(network: Network, sender: Namespace, first: Packet): WayEnd | null {
  const { context } = network;
  if (!context) return null;
  const known = kept.get(context) ?? new Map<string, WayEnd | null>();
  kept.set(context, known);
  const { source, destination, protocol, sourcePort, destinationPort, isReply } = first;
  const key = `${sender.name} ${source} ${destination} ${protocol} ${sourcePort} ${destinationPort} ${isReply}`;
  const before = known.get(key);
  if (before !== undefined || known.size === MAX_KEPT) return before ?? null;
  const end = follow(network, context, sender, first);
  known.set(key, end);
  return end;
}

function follow(network: Network, context: HostContext, sender: Namespace, first: Packet): WayEnd | null {
  const passed = new Set<Device | string>();
  let packet = first;
  let namespace = sender;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const step = nextOf(context, namespace, packet);
    if (!step) return null;
    const { output, input } = step;
    passed.add(namespace.name).add(output);
    const crossed = bridgeBetween(network, context, step, packet, passed);
    if (crossed === 'unknown') return null;
    if (crossed) return { ...crossed, passed };
    passed.add(input);
    const next = context.namespaces.get(input.namespace);
    const ruleset = next?.firewall?.ruleset;
    if (!next || !ruleset) return null;
    const isTarget = input.addresses.some(({ words }) => isSame(words, packet));
    if (!isTarget && forwards(next, input, packet.isIpv4 ? 4 : 6) !== true) return null;
    const machine = machineOf(network, next, ruleset);
    const way = comesIn(machine, input, fresh(packet));
    if (!way) return null;
    const drop = dropOf(way.fate, { namespace: next, ruleset, device: input, packet: way.packet, isTarget });
    if (drop) {
      const back = isTarget ? null : comesBack(machine, way.packet, sourceOf(packet));
      return {
        drop: withBack(drop, back),
        bridge: null,
        translator: null,
        passed,
        namespace: next,
        packet: way.packet,
      };
    }
    if (way.fate.kind !== 'accept') return null;
    if (isTarget) return { drop: null, bridge: null, translator: null, passed, namespace: next, packet: way.packet };
    if (way.packet.source === null) {
      const translator = next.devices.get(way.packet.output?.name ?? '') ?? input;
      return { drop: null, bridge: null, translator, passed, namespace: next, packet: way.packet };
    }
    packet = way.packet;
    namespace = next;
  }
  return null;
}

/** Whether a way comes by where a segment was captured. */
export function hasPassed({ vantage, namespace, segments }: Network, { passed }: WayEnd, segment: number): boolean {
  if (vantage && passed.has(vantage)) return true;
  if (passed.has(vantage?.namespace ?? namespace ?? '')) return true;
  if (vantage) return false;
  const { deviceIndex } = segments.describe(segment);
  return [...passed].some(
    (each) => typeof each !== 'string' && each.namespace === namespace && each.index === deviceIndex,
  );
}

/** The cable to the next machine: where the packet leaves, and where it comes in. */
interface Step {
  readonly output: Device;
  readonly input: Device;
}

function nextOf(context: HostContext, namespace: Namespace, { source, destination }: Packet): Step | null {
  const to = destination === null ? null : wordsOf(destination);
  const from = source === null ? null : wordsOf(source);
  if (!to || !from) return null;
  const { kind, routes } = wayTo(namespace, to, from);
  const [route] = routes;
  if (kind !== 'routed' || routes.length !== 1 || route.dev === null) return null;
  const output = namespace.devices.get(route.dev);
  const holders = context.devicesByIp(route.gateway?.words ?? to);
  const [input] = holders;
  if (!output || holders.length !== 1 || input.namespace === namespace.name) return null;
  return areLinked(context, output, input) ? { output, input } : null;
}

function areLinked(context: HostContext, output: Device, input: Device): boolean {
  if (output.peer === input) return true;
  const master = context.switchPort(output)?.master ?? null;
  return (master !== null && context.switchPort(input)?.master === master) || reach(context, output).has(input);
}

/** Of a bridge that both cables end in. One that has more bridges behind it is passed over. */
function bridgeBetween(
  network: Network,
  context: HostContext,
  { output, input }: Step,
  packet: Packet,
  passed: Set<Device | string>,
): Omit<WayEnd, 'passed'> | 'unknown' | null {
  const [from, to] = [context.switchPort(output), context.switchPort(input)];
  if (!from?.master || from.master !== to?.master || from === to) return null;
  passed.add(from);
  const namespace = context.namespaces.get(from.namespace);
  if (!namespace?.firewall) return 'unknown';
  const ruleset = namespace.firewall.ruleset ?? NO_RULES;
  const isCalled = namespace.sysctl.get(CALLS[packet.isIpv4 ? 4 : 6]) === '1';
  const own = fresh(packet);
  const machine = machineOf(network, namespace, ruleset);
  const fate = crossesBridge(machine, from, to, own, isCalled);
  const drop = dropOf(fate, { namespace, ruleset, device: from.master, packet: own, isTarget: false });
  if (drop) {
    const answer = answerTo(own);
    const back = { fate: crossesBridge(machine, to, from, answer, isCalled), packet: answer };
    return { drop: withBack(drop, back), bridge: from.master, translator: null, namespace, packet: own };
  }
  passed.add(to);
  return fate.kind === 'accept' ? null : 'unknown';
}

function dropOf(fate: Fate, where: Omit<Filtered, 'fate' | 'place' | 'back'>): Filtered | null {
  return fate.kind === 'drop' && fate.place ? { ...where, fate, place: fate.place, back: null } : null;
}

/** Who lets the requests through wants the answers, too. */
function withBack(drop: Filtered, back: Way | null): Filtered {
  const isLost = !drop.packet.isReply && back?.fate.kind === 'drop';
  return isLost && back.fate.place ? { ...drop, back: { place: back.fate.place, packet: back.packet } } : drop;
}

function sourceOf({ source }: Packet): number[] {
  return (source === null ? null : wordsOf(source)) ?? [];
}

/** The packet at another machine, which knows nothing of it yet. */
function fresh(packet: Packet): Packet {
  return {
    ...packet,
    input: null,
    output: null,
    state: packet.isReply ? 'established' : 'new',
    isBeforeTracking: false,
    isTranslated: false,
    mark: 0,
    isMarkAssumed: true,
    isLocal: null,
  };
}

function isSame(words: ArrayLike<number>, { destination }: Packet): boolean {
  const own = destination === null ? null : wordsOf(destination);
  return own !== null && own.length === words.length && own.every((word, i) => word === words[i]);
}
