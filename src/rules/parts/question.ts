import type { Device } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { printable } from '../../wire/printable.js';
import type { EvidenceRef, Remedy, Trail } from '../rule.js';
import { stuckConnections } from './connections/connection.js';
import { unansweredPings } from './pings/ping.js';

/** An unanswered resolution in words and devices: who asks, for whom, on which frames. */
export interface Question {
  /** The same in every rule, so that causes can name the symptom. */
  readonly key: string;
  readonly row: number;
  readonly segment: number;
  readonly capture: number;
  readonly isIpv4: boolean;
  readonly mac: string;
  /** Addresses as text: who asks, and what for. */
  readonly spa: string;
  readonly tpa: string;
  /** Unanswered requests, copies not counted. */
  readonly requests: number;
  /** Devices of the host context that ask and that hold the target; null where it does not say. */
  readonly asker: Device | null;
  readonly target: Device | null;
  /** Fields of a diagnosis. */
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export function questionOf(network: Network, row: number): Question {
  const { resolutions, addresses, segments, context } = network;
  const segment = resolutions.segment(row);
  const hi = resolutions.hi(row);
  const lo = resolutions.lo(row);
  const spa = resolutions.spa(row);
  const tpa = resolutions.tpa(row);
  const mac = formatMac(hi, lo);
  const requests = resolutions.requests(row);
  const holders = context?.devicesByIp(addresses.words(spa)) ?? [];
  // ipvlan siblings share their MAC: the address tells which of them asks. A guest behind macvtap keeps its address to itself.
  const senders = context?.devicesByMac(hi, lo) ?? [];
  const asker = senders.find((device) => holders.includes(device)) ?? (senders.length === 1 ? senders[0] : null);
  const targets = context?.devicesByIp(addresses.words(tpa)) ?? [];
  return {
    key: `${segment} ${mac} ${addresses.format(spa)} ${addresses.format(tpa)}`,
    row,
    segment,
    capture: segments.captureOf(segment),
    isIpv4: addresses.isIpv4(tpa),
    mac,
    spa: addresses.format(spa),
    tpa: addresses.format(tpa),
    requests,
    asker,
    target: targets.length === 1 ? targets[0] : null,
    count: requests,
    first: resolutions.first(row),
    last: resolutions.last(row),
  };
}

/** The unanswered requests as evidence. */
export function requestFrames(network: Network, question: Question): EvidenceRef[] {
  const { capture, isIpv4, spa, tpa } = question;
  const note = isIpv4 ? `ARP who-has ${tpa} tell ${spa}` : `neighbor solicitation for ${tpa} from ${spa}`;
  const layer = isIpv4 ? 'arp' : 'icmpv6';
  return network.resolutions.frames(question.row).map((place) => ({ capture, layer, note, ...place }));
}

/** By what other captures of the run know the question again. */
export function trailOf({ row, isIpv4, spa, tpa, mac }: Question, title: string, cures: readonly Remedy[] = []): Trail {
  return {
    of: 'resolutions',
    rows: [row],
    title,
    asker: spa,
    target: tpa,
    // Advertisements go to who asks, solicitations come from there.
    watch: isIpv4 ? `arp and host ${tpa}` : `icmp6 and host ${spa}`,
    mac,
    cures,
  };
}

/** Answers that went to the very address they came from. */
export function selfReplyFrames(network: Network, question: Question): EvidenceRef[] {
  const { capture, isIpv4, tpa } = question;
  const note = `${isIpv4 ? 'ARP reply' : 'neighbor advertisement'} for ${tpa}, source and destination MAC the same`;
  const layer = isIpv4 ? 'arp' : 'icmpv6';
  return network.resolutions.selfReplyFrames(question.row).map((place) => ({ capture, layer, note, ...place }));
}

/** Key of a finding about all that one host asks for. */
export function askerKey({ segment, mac, spa }: Question): string {
  return `${segment} ${mac} ${spa}`;
}

/** The symptoms that a cause of this question explains: the question itself, and connections between the two. */
export function asSymptom(question: Question) {
  const { key, segment, spa, tpa } = question;
  return [
    ...stuckConnections(segment, spa, tpa),
    { rule: 'arp/off-subnet-target', key: askerKey(question) },
    { rule: 'arp/neighbor-lost', key },
    { rule: 'arp/unanswered', key },
    { rule: 'arp/gateway-unanswered', key },
    { rule: 'nd/unanswered', key },
    { rule: 'nd/multicast-filtered', key },
  ] as const;
}

/** As `asSymptom`, with unanswered pings between the two: those sent while the MAC was still remembered. */
export function asSymptoms(network: Network, question: Question) {
  const { row, segment } = question;
  const spa = network.resolutions.spa(row);
  const tpa = network.resolutions.tpa(row);
  return [
    ...asSymptom(question),
    ...unansweredPings(network, segment, spa, tpa),
    ...unansweredPings(network, segment, tpa, spa),
  ];
}

/** `macvlan1 in ns01`, safe to print. */
export function label(device: Device): string {
  return printable(`${device.name} in ${device.namespace}`);
}

/** `macvlan1 mode vepa (ns01)`, safe to print: what the host context says of a child. */
export function modeOf({ name, namespace, kind, mode, flag, link }: Device): string {
  const how = [kind, mode, flag].filter((word) => word !== null).join(' ');
  const parent = link?.device ? `, parent ${link.device.name} in ${link.device.namespace}` : '';
  return printable(`${name}: ${how} (${namespace})${parent}`);
}

/**
 * A command to be run in the namespace of a device; `host` is what a context calls the machine itself. Where `ip netns`
 * does not know a namespace, its name is `<program>/<pid>`, or the path of its file.
 */
export function inNamespace({ namespace }: Pick<Device, 'namespace'>, command: string): string {
  const safe = printable(command);
  if (namespace === 'host') return safe;
  if (!namespace.includes('/')) return `ip netns exec ${printable(namespace)} ${safe}`;
  const pid = /^[^/]+\/(\d+)$/.exec(namespace)?.[1];
  return `nsenter ${pid === undefined ? `--net=${printable(namespace)}` : `-t ${pid} -n`} ${safe}`;
}
