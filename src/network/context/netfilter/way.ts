import type { Device, Namespace } from '../device.js';
import { wayTo } from '../routing.js';
import { ACCEPTED, type Fate, OPEN } from './fate.js';
import { addressValue, isForMany, type Packet, type Port, wordsOf } from './packet.js';
import type { BaseChain, Ruleset } from './ruleset.js';
import { Traversal } from './traverse.js';

/** Statements that all questions about one ruleset look at, at most. */
const MAX_EFFORT = 2_000_000;
/** First ten bits of fe80::/10 (RFC 4291 section 2.5.6). */
const LINK_LOCAL = 0x3fa;

/** What a machine does with a packet, and what the packet is then. */
export interface Way {
  readonly fate: Fate;
  readonly packet: Packet;
}

/** Statements looked at so far. */
const efforts = new WeakMap<Ruleset, number>();

/** One machine and its rules. */
export interface Machine {
  readonly namespace: Namespace;
  readonly ruleset: Ruleset;
  readonly isCounted: boolean;
  /** Whether it holds an address: words as in `Ip`. */
  readonly holds: (words: ArrayLike<number>) => boolean;
}

/** What becomes of a packet that comes in at a device: for the machine itself, or on its way through. Null where routes decide otherwise. */
export function comesIn(machine: Machine, device: Device, packet: Packet): Way | null {
  const { namespace, ruleset } = machine;
  // What is in a VRF passes the hooks twice, under two names.
  if (device.masterKind === 'vrf') return null;
  const run = begin(machine, packet);
  const { bases } = ruleset;
  const isLocal = () => isForMany(packet.destination) || machine.holds(wordsOf(packet.destination ?? '') ?? []);
  packet.isLocal = packet.destination === null ? null : isLocal();
  // By which port it came to a bridge is not known.
  const bridged = device.kind === 'bridge' ? run(ofBridge(bases, ['prerouting', 'input'])) : ACCEPTED;
  if (bridged.kind !== 'accept') return { fate: bridged, packet };
  packet.input = portOf(device);
  packet.wayBack = wayBackOf(namespace, packet);
  const before = run([...atDevice(bases, 'ingress', device.name), ...atHook(bases, 'prerouting', packet)]);
  if (before.kind !== 'accept') return { fate: before, packet };
  const words = packet.destination === null ? null : wordsOf(packet.destination);
  if (!words) return { fate: OPEN, packet };
  packet.isLocal = isLocal();
  if (packet.isLocal) return { fate: run(atHook(bases, 'input', packet)), packet };
  const way = wayTo(namespace, words);
  if (way.kind === 'none' || way.kind === 'refused') return null;
  packet.output = outputOf(namespace, way.kind === 'routed' ? way.routes.map(({ dev }) => dev) : []);
  const after = run([...atHook(bases, 'forward', packet), ...atHook(bases, 'postrouting', packet)]);
  if (after.kind !== 'accept') return { fate: after, packet };
  return { fate: run(atDevice(bases, 'egress', packet.output?.name ?? null)), packet };
}

/** What becomes of the answer to a packet that passed: it comes in where that left. Null where no route leads back to who asked. */
export function comesBack(machine: Machine, request: Packet, asker: ArrayLike<number>): Way | null {
  const { namespace, ruleset } = machine;
  const { bases } = ruleset;
  const way = wayTo(namespace, asker);
  if (way.kind !== 'routed') return null;
  const output = outputOf(
    namespace,
    way.routes.map(({ dev }) => dev),
  );
  const packet: Packet = { ...answerTo(request), input: request.output, output };
  packet.wayBack = wayBackOf(namespace, packet);
  const run = begin(machine, packet);
  // Where the source is translated the answer is for the machine itself at first.
  const isHidden = bases.some(({ isNat, hook, rules }) => isNat && hook === 'postrouting' && rules.length > 0);
  packet.destination = isHidden ? null : addressValue(asker);
  const before = run([
    ...atDevice(bases, 'ingress', packet.input?.name ?? null),
    ...atHook(bases, 'prerouting', packet),
  ]);
  packet.destination = addressValue(asker);
  if (before.kind !== 'accept') return { fate: before, packet };
  // What connection tracking does not see is not translated back.
  const isTracked = packet.state !== 'untracked' && packet.state !== null;
  if (!isTracked && request.state === 'new' && (isHidden || request.isTranslated !== false))
    return { fate: OPEN, packet };
  const fate = run([
    ...atHook(bases, 'forward', packet),
    ...atHook(bases, 'postrouting', packet),
    ...atDevice(bases, 'egress', output?.name ?? null),
  ]);
  return { fate, packet };
}

/** What becomes of the answer of the machine itself. */
export function answersTo(machine: Machine, request: Packet): Way {
  return leaves(machine, answerTo(request));
}

/** What becomes of a packet that the machine itself sends: by a device, or where the routes lead. */
export function leaves(machine: Machine, packet: Packet, device: Device | null = null): Way {
  const { namespace, ruleset } = machine;
  const words = packet.destination === null ? null : wordsOf(packet.destination);
  const way = words && wayTo(namespace, words);
  const names = way?.kind === 'routed' ? way.routes.map(({ dev }) => dev) : [];
  packet.output = device ? portOf(device) : outputOf(namespace, names);
  const run = begin(machine, packet);
  const { bases } = ruleset;
  const fate = run([
    ...atHook(bases, 'output', packet),
    ...atHook(bases, 'postrouting', packet),
    ...atDevice(bases, 'egress', packet.output?.name ?? null),
  ]);
  return { fate, packet };
}

/** What becomes of a packet between two ports of a bridge. `isCalled`: the firewall for what is routed is asked too. */
export function crossesBridge(machine: Machine, from: Device, to: Device, packet: Packet, isCalled: boolean): Fate {
  const { bases } = machine.ruleset;
  packet.input = portOf(from);
  packet.output = portOf(to);
  const own = begin(
    machine,
    packet,
  )([
    ...atDevice(bases, 'ingress', from.name),
    ...ofBridge(bases, ['prerouting', 'forward', 'postrouting']),
    ...atDevice(bases, 'egress', to.name),
  ]);
  if (own.kind !== 'accept' || !isCalled) return own;
  // The firewall for what is routed sees the bridge on both sides (kernel: br_nf_forward_ip in net/bridge/br_netfilter_hooks.c).
  packet.input = packet.output = from.master && portOf(from.master);
  const run = begin(machine, packet);
  return run(['prerouting', 'forward', 'postrouting'].flatMap((hook) => atHook(bases, hook, packet)));
}

/** What becomes of a broadcast that comes in by a port of a bridge: for the bridge itself, or for what is behind whichever other port. */
export function entersBridge(machine: Machine, port: Device, packet: Packet, isForBridge: boolean): Fate {
  const { bases } = machine.ruleset;
  packet.input = portOf(port);
  return begin(
    machine,
    packet,
  )([...atDevice(bases, 'ingress', port.name), ...ofBridge(bases, ['prerouting', isForBridge ? 'input' : 'forward'])]);
}

/** The answer to a packet, at a place that is still to be said. */
export function answerTo(request: Packet): Packet {
  return {
    ...request,
    source: request.destination,
    destination: request.source,
    sourcePort: request.destinationPort,
    destinationPort: request.sourcePort,
    isReply: true,
    input: null,
    output: null,
    state: request.state === 'new' ? 'established' : null,
    mark: 0,
    isMarkAssumed: true,
    isLocal: false,
    wayBack: null,
  };
}

/** Devices through which a machine would answer a packet; null where that is not known, as of what has no address yet or one of the link alone. */
function wayBackOf(namespace: Namespace, { source }: Packet): (string | null)[] | null {
  const words = source === null ? null : wordsOf(source);
  if (!words || words[0] === 0 || (words.length > 1 && words[0] >>> 22 === LINK_LOCAL)) return null;
  const way = wayTo(namespace, words);
  if (way.kind === 'unknown') return null;
  return way.kind === 'routed' ? way.routes.map(({ dev }) => dev) : [];
}

function atHook(bases: readonly BaseChain[], hook: string, { isIpv4 }: Packet): BaseChain[] {
  const own = isIpv4 ? 'ip' : 'ip6';
  return bases.filter((base) => base.hook === hook && (base.family === own || base.family === 'inet'));
}

function ofBridge(bases: readonly BaseChain[], hooks: readonly string[]): BaseChain[] {
  return hooks.flatMap((hook) => bases.filter((base) => base.family === 'bridge' && base.hook === hook));
}

/** Chains of one device, and those whose device nft does not tell. */
function atDevice(bases: readonly BaseChain[], hook: string, name: string | null): BaseChain[] {
  return bases.filter(
    (base) => base.hook === hook && (!base.devices || (name !== null && base.devices.includes(name))),
  );
}

/** Runs a packet through base chains, one after the other, until it is dropped. */
function begin({ ruleset, isCounted }: Machine, packet: Packet): (bases: readonly BaseChain[]) => Fate {
  const traversal = new Traversal(ruleset, packet, isCounted);
  return (bases) => {
    const spent = efforts.get(ruleset) ?? 0;
    if (spent > MAX_EFFORT) return OPEN;
    const before = traversal.effort;
    const fate = runAll(bases, traversal);
    efforts.set(ruleset, spent + traversal.effort - before);
    return fate;
  };
}

function runAll(bases: readonly BaseChain[], traversal: Traversal): Fate {
  let fate: Fate = ACCEPTED;
  for (const base of bases) {
    // Connection tracking asks for a translation once only.
    const { state } = traversal.packet;
    if (base.isNat && (state === 'established' || state === 'untracked')) continue;
    const ends = traversal.run(base);
    const { assumesMark, assumesRoute } = traversal;
    const isDropped = fate.kind === 'drop';
    if (traversal.isExhausted || traversal.isContradicted) return isDropped ? fate : OPEN;
    const drops = ends.filter(({ kind }) => kind === 'drop');
    const last = drops[drops.length - 1];
    const refusals = ends.filter(({ kind }) => kind === 'refuse');
    // Of a chain at a device that nft does not name only its counters tell.
    const assumesDevice = !base.devices && (base.hook === 'ingress' || base.hook === 'egress');
    const isSure = drops.length === ends.length && (!assumesDevice || (last.place?.packets ?? 0) > 0);
    if (isDropped) {
      if (isSure && last.place) fate = { ...fate, further: [...fate.further, last.place] };
    } else if (isSure) fate = { ...OPEN, kind: 'drop', place: last.place, assumesMark, assumesDevice, assumesRoute };
    else if (refusals.length > 0)
      return {
        ...OPEN,
        kind: 'refuse',
        place: fate.kind === 'accept' && refusals.length === 1 ? refusals[0].place : null,
      };
    else if (ends.some(({ kind }) => kind === 'other')) return OPEN;
    else if (drops.length > 0) {
      // One such condition asks for established connections as a rule; of two, one may ask for new ones.
      const doubts = ends.filter(({ kind, doubt }) => kind !== 'drop' || doubt !== 'none');
      const hidesTracking =
        fate.kind === 'accept' && !assumesDevice && doubts.length === 1 && doubts[0].doubt === 'tracking';
      const suspect =
        fate.suspect ?? drops.find(({ doubt, place }) => doubt === 'none' && place?.packets)?.place ?? null;
      const place = hidesTracking ? last.place : null;
      fate = { ...OPEN, place, suspect, assumesMark, assumesRoute, hidesTracking };
    }
  }
  return fate.kind === 'accept' ? { ...fate, assumesMark: traversal.assumesMark } : fate;
}

/** The one device that all of some routes lead through. */
function outputOf(namespace: Namespace, names: readonly (string | null)[]): Port | null {
  const [name] = names;
  const device = name && names.every((each) => each === name) ? namespace.devices.get(name) : undefined;
  return device ? portOf(device) : null;
}

function portOf({ name, index, master, masterKind }: Device): Port {
  return { name, index, bridge: masterKind === 'bridge' && master ? master.name : null };
}
