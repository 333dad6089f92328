import type { Device, Namespace } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { Attempt } from '../../network/flows/handshake-rows.js';
import type { Network } from '../../network/network.js';
import { Direction } from '../../wire/frame.js';
import type { Diagnosis, EvidenceRef, Handlers, RuleContext, RuleId } from '../rule.js';
import { connectionOf, stuckConnections, synFrames } from './connection.js';
import { ownNextHop } from './own-next-hop.js';
import { type Ping, pingOf } from './ping.js';

/** Findings of a rule, and requests in one, at most. */
const MAX_GROUPS = 256;
const MAX_MEMBERS = 32;
/** A router passes a packet on within this time (ns). */
const PASSING_NS = 50e6;

/** Requests of one host to another, pings or SYNs, that nobody answered, refused or passed on in this capture. */
export interface Vanished {
  readonly segment: number;
  readonly capture: number;
  /** Rows of `Addresses`, and as text. */
  readonly source: number;
  readonly destination: number;
  readonly from: string;
  readonly to: string;
  readonly isIpv4: boolean;
  readonly protocol: 'icmp' | 'tcp';
  /** Of TCP; null of pings. */
  readonly sourcePort: number | null;
  readonly destinationPort: number | null;
  /** They went on, and were answered, at another port of the same capture: the answers do not come back from there. */
  readonly isAnsweredBeyond: boolean;
  /** MAC that they were sent to; hi is -1 where the capture does not tell. */
  readonly hi: number;
  readonly lo: number;
  /** Every one of them came in to the machine that captured. */
  readonly cameIn: boolean;
  /** Every one of them left the machine that captured. */
  readonly wentOut: boolean;
  /** A cooked capture says that they were for another machine: this one is a bridge on their way, or overhears them. */
  readonly forOther: boolean;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly evidence: readonly EvidenceRef[];
  readonly symptoms: readonly { rule: RuleId; key: string }[];
}

/** A machine of the host context that requests reach, and the devices of it that they come in at. */
export interface Arrival {
  readonly namespace: Namespace;
  readonly devices: readonly Device[];
}

/**
 * Handlers of a rule that tells what becomes of vanished requests; it has the threshold `syns`. `judge` names the finding that requests belong to, null
 * if to none; `tell` words it for all of them. `beyond`: requests are looked at too that were passed on and answered, and the answers lost on their way back.
 * `last`: with a host context, requests that a capture shows at several ports are looked at where it shows them last.
 */
export function vanishing(
  { network, report, withdraw, thresholds }: RuleContext,
  judge: (vanished: Vanished) => string | null,
  tell: (members: readonly Vanished[]) => Diagnosis,
  { beyond = false, last = false } = {},
): Handlers {
  const groups = new Map<string, Map<string, Vanished>>();
  const groupOf = new Map<string, string>();

  function look(name: string, vanished: Vanished | null): void {
    const key = vanished && judge(vanished);
    const before = groupOf.get(name);
    if (before !== undefined && before !== key) leave(name, before);
    if (!vanished || key === null) return;
    const group = groups.get(key) ?? new Map<string, Vanished>();
    if (!groups.has(key)) {
      if (groups.size === MAX_GROUPS) return;
      groups.set(key, group);
    }
    if (!group.has(name) && group.size === MAX_MEMBERS) return;
    group.set(name, vanished);
    groupOf.set(name, key);
    report(tell([...group.values()]));
  }

  function leave(name: string, key: string): void {
    groupOf.delete(name);
    const group = groups.get(key);
    if (!group?.delete(name)) return;
    // What was heard may speak against the others too: who answers one is there.
    for (const [other, member] of group)
      if (judge(member) !== key) {
        group.delete(other);
        groupOf.delete(other);
      }
    if (group.size > 0) report(tell([...group.values()]));
    else {
      groups.delete(key);
      withdraw(key);
    }
  }

  return {
    events: {
      pingLost(row) {
        const seen = last && network.context ? lastOfPing(network, row) : row;
        const vanished = vanishedPing(network, row, seen) ?? (beyond ? pingAnsweredBeyond(network, row) : null);
        look(`ping ${row}`, vanished);
      },
      connecting(row) {
        const seen = last && network.context ? lastOfAttempt(network, row) : row;
        const how = { enough: thresholds.syns, beyond };
        look(`syn ${row}`, seen === row ? vanishedSyns(network, row, how) : lastLeg(network, seen, how.enough));
      },
    },
  };
}

/** The parts of a diagnosis that all requests of a finding add up to. */
export function together(members: readonly Vanished[]) {
  const [{ segment, capture }] = members;
  return {
    segment,
    capture,
    count: members.reduce((sum, { count }) => sum + count, 0),
    first: Math.min(...members.map(({ first }) => first)),
    last: Math.max(...members.map(({ last }) => last)),
    evidence: members.flatMap(({ evidence }) => evidence),
    explains: members.flatMap(({ symptoms }) => symptoms),
  };
}

/**
 * The machine that requests reach: the holder of the MAC they are sent to, or, where the capture keeps no destinations,
 * the one that captured, known by its own MACs, or the one that this one sends to. Null where the context leaves that open.
 */
export function arrivalOf(network: Network, vanished: Vanished): Arrival | null {
  const { context } = network;
  if (!context) return null;
  const { hi, lo, cameIn, wentOut, forOther, source, destination } = vanished;
  let devices: readonly Device[];
  if (hi >= 0) devices = context.devicesByMac(hi, lo);
  else {
    const own = forOther || !(cameIn || wentOut) ? [] : ownDevices(network, context, vanished.segment);
    devices = cameIn ? own : own.flatMap((device) => ownNextHop(network, device, source, destination));
  }
  // A bridge or bond has the MAC of a port of its own, and packets come in at the master.
  devices = devices.filter(({ master, masterKind }) => !master || masterKind === 'vrf');
  const names = new Set(devices.map(({ namespace }) => namespace));
  const [name] = names;
  const namespace = names.size === 1 ? context.namespaces.get(name) : undefined;
  return namespace ? { namespace, devices } : null;
}

/** The devices that a segment of a cooked capture may be: who sent frames with their MAC, and got none. */
function ownDevices(
  { stations, segments, namespace }: Network,
  context: HostContext,
  segment: number,
): readonly Device[] {
  const index = segments.describe(segment).deviceIndex;
  const own = new Set<Device>();
  const candidates =
    index === 0 ? context.devices : [...context.namespaces.values()].flatMap(({ byIndex }) => byIndex.get(index) ?? []);
  for (const device of candidates) {
    if (!device.mac || device.loopback) continue;
    const row = stations.find(segment, device.mac.hi, device.mac.lo | 0);
    if (row >= 0 && stations.sentOut(row) && !stations.cameIn(row)) own.add(device);
  }
  // A device that sent nothing has its number.
  const here = own.size > 0 || index === 0 ? null : namespace;
  const numbered = here === null ? undefined : context.namespaces.get(here)?.byIndex.get(index);
  return numbered ? [numbered] : [...own];
}

/** Whether the machine holds the address on any of its devices. */
export function holds({ context, addresses }: Network, { namespace }: Arrival, address: number): boolean {
  const holders = context?.devicesByIp(addresses.words(address)) ?? [];
  return holders.some((device) => device.namespace === namespace.name);
}

/** A ping, told by its first row in the capture, where the capture shows it last (`seen`). */
function vanishedPing(network: Network, row: number, seen: number): Vanished | null {
  const { pings, segments } = network;
  const ping = pingOf(network, row);
  if (!ping || ping.replies > 0 || pings.wasPassedOn(seen) || wasTranslated(network, seen)) return null;
  const lost = describe(network, seen, { ...ping, segment: pings.segment(seen) });
  const others = pings
    .elsewhere(row)
    .filter((other) => segments.captureOf(pings.segment(other)) === lost.capture && pings.requests(other) > 0);
  if (seen === row) return others.length > 0 ? null : lost;
  return { ...lost, symptoms: [row, ...others].map((each) => ({ rule: 'icmp/echo-unanswered', key: String(each) })) };
}

/** Of the rows of a ping in its capture, none of them answered, the one that shows it farthest on its way: the row itself if there is but one. */
function lastOfPing({ pings, segments }: Network, row: number): number {
  const capture = segments.captureOf(pings.segment(row));
  let last = row;
  for (const other of pings.elsewhere(row)) {
    if (segments.captureOf(pings.segment(other)) !== capture || pings.requests(other) === 0) continue;
    if (pings.replies(other) > 0) return row;
    // Rows are made in the order of the frames.
    const isLater = pings.hops(other) < pings.hops(last) || (pings.hops(other) === pings.hops(last) && other > last);
    if (isLater) last = other;
  }
  return last;
}

/** A ping that got no reply, passed on or not; null if it got one. */
export function lostPing(network: Network, row: number): Vanished | null {
  const ping = pingOf(network, row);
  return ping && ping.replies === 0 ? describe(network, row, ping) : null;
}

/** A ping without replies at this port of a capture, which another port of it shows answered. */
function pingAnsweredBeyond(network: Network, row: number): Vanished | null {
  const { pings, segments, addresses, now } = network;
  const state = pings.state(row, now);
  if (!state || pings.replies(row) > 0) return null;
  const segment = pings.segment(row);
  const capture = segments.captureOf(segment);
  const isAnswered = pings.elsewhere(row).some((other) => {
    const isSame = segments.captureOf(pings.segment(other)) === capture && pings.requests(other) > 0;
    return isSame && pings.replies(other) > 0 && pings.hops(other) < pings.hops(row);
  });
  if (!isAnswered) return null;
  const from = addresses.format(pings.source(row));
  const to = addresses.format(pings.destination(row));
  const isIpv4 = addresses.isIpv4(pings.source(row));
  const layer = isIpv4 ? 'icmp' : 'icmpv6';
  const note = `echo request ${from} > ${to}, no reply here`;
  const evidence = state.places.map((place) => ({ capture, layer, note, ...place }));
  const { unanswered, first, last } = state;
  const ping = { key: String(row), segment, capture, from, to, isIpv4, unanswered, first, last, evidence };
  return { ...describe(network, row, ping), isAnsweredBeyond: true };
}

function describe(
  { pings }: Network,
  row: number,
  ping: Omit<Ping, 'row' | 'replies' | 'passed' | 'announcer' | 'mac'>,
): Vanished {
  const { segment, capture, from, to, isIpv4, unanswered: count, first, last, evidence, key } = ping;
  return {
    protocol: 'icmp',
    sourcePort: null,
    destinationPort: null,
    isAnsweredBeyond: false,
    segment,
    capture,
    source: pings.source(row),
    destination: pings.destination(row),
    from,
    to,
    isIpv4,
    hi: pings.hi(row),
    lo: pings.lo(row),
    cameIn: pings.went(row, Direction.In) && !pings.went(row, Direction.Out),
    wentOut: pings.went(row, Direction.Out) && !pings.went(row, Direction.In),
    forOther: pings.wasForOther(row),
    count,
    first,
    last,
    evidence,
    symptoms: [{ rule: 'icmp/echo-unanswered', key }],
  };
}

/** Whether the requests went on to another address, a hop nearer to their end: a router translated their destination (DNAT). */
function wasTranslated({ pings, segments }: Network, row: number): boolean {
  const capture = segments.captureOf(pings.segment(row));
  for (let other = 0; other < pings.count; other++) {
    if (pings.identifier(other) !== pings.identifier(row) || pings.source(other) !== pings.source(row)) continue;
    if (pings.destination(other) === pings.destination(row) || pings.hops(other) >= pings.hops(row)) continue;
    const after = pings.first(other) - pings.first(row);
    if (after >= 0 && after <= PASSING_NS && segments.captureOf(pings.segment(other)) === capture) return true;
  }
  return false;
}

function vanishedSyns(
  network: Network,
  row: number,
  { enough, beyond }: { enough: number; beyond: boolean },
): Vanished | null {
  const { handshakes } = network;
  if (handshakes.syns(row) < enough || handshakes.firstLeg(row) >= 0) return null;
  const isAnsweredBeyond = handshakes.wasAnsweredElsewhere(row);
  if (isAnsweredBeyond ? !beyond : handshakes.wasPassedOn(row)) return null;
  const lost = lostSyns(network, row);
  if (!lost || !isAnsweredBeyond) return lost;
  const others = handshakes
    .elsewhere(row)
    .flatMap((other) => stuckConnections(handshakes.segment(other), lost.from, lost.to));
  return { ...lost, isAnsweredBeyond, symptoms: [...lost.symptoms, ...others] };
}

/** As of a ping. */
function lastOfAttempt({ handshakes, segments }: Network, row: number): number {
  // Asked first: the others are found by looking at every attempt.
  if (!handshakes.wasPassedOn(row)) return row;
  const capture = segments.captureOf(handshakes.segment(row));
  let last = row;
  for (const other of handshakes.elsewhere(row)) {
    if (segments.captureOf(handshakes.segment(other)) !== capture || handshakes.syns(other) === 0) continue;
    if (handshakes.answers(other) > 0) return row;
    if (other > last) last = other;
  }
  return last;
}

/** An attempt to connect where its capture shows it last. */
function lastLeg(network: Network, row: number, enough: number): Vanished | null {
  const { handshakes } = network;
  const lost = handshakes.syns(row) < enough || handshakes.wasPassedOn(row) ? null : lostSyns(network, row);
  if (!lost) return null;
  const others = handshakes
    .elsewhere(row)
    .flatMap((other) => stuckConnections(handshakes.segment(other), lost.from, lost.to));
  return { ...lost, symptoms: [...lost.symptoms, ...others] };
}

/** As `lostPing`, an attempt to connect. */
export function lostSyns(network: Network, row: number): Vanished | null {
  const { handshakes, addresses } = network;
  if (handshakes.state(row) !== Attempt.Waiting || handshakes.answers(row) > 0) return null;
  const connection = connectionOf(network, row);
  const { segment, capture, client, server, clientRow, serverRow } = connection;
  return {
    protocol: 'tcp',
    sourcePort: handshakes.clientPort(row),
    destinationPort: handshakes.serverPort(row),
    isAnsweredBeyond: false,
    segment,
    capture,
    source: clientRow,
    destination: serverRow,
    from: client,
    to: server,
    isIpv4: addresses.isIpv4(serverRow),
    hi: handshakes.hi(row),
    lo: handshakes.lo(row),
    cameIn: handshakes.synsWent(row, Direction.In),
    wentOut: handshakes.synsWent(row, Direction.Out) && !handshakes.synsWent(row, Direction.In),
    forOther: handshakes.wasForOther(row),
    count: handshakes.syns(row),
    first: handshakes.first(row),
    last: handshakes.last(row),
    evidence: synFrames(network, [connection], `SYN ${client} > ${server}, no answer`),
    symptoms: stuckConnections(segment, client, server),
  };
}
