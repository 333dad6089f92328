import type { Network } from '../../network/network.js';
import { ArpOperation, arpOperation, isEthernetIpv4, SPA, TPA } from '../../wire/arp.js';
import { Direction, type Frame } from '../../wire/frame.js';
import { ipv4Identification } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { PacketType, sll2PacketType } from '../../wire/sll.js';
import { pairOf } from '../parts/evidence.js';
import { setting } from '../parts/setting.js';
import type { EvidenceRef, Remedy, Rule } from '../rule.js';

/** Sightings of one frame that speak of a loop: bridge/loop tells of it. */
const LOOP = 5;
const MAX_FRAMES = 32;
const MAX_PORTS = 256;

const REMEDY: readonly Remedy[] = [
  {
    text: 'Look for a second way: two uplinks without a bond, a VM or container that bridges two bridged devices, a bridge in promiscuous mode',
    commands: ['bridge link', 'ip -d link show type bridge'],
  },
  {
    text: 'On ESXi with teamed uplinks and a promiscuous port group: drop what comes back by the other uplink',
    commands: ['esxcli system settings advanced set -o /Net/ReversePathFwdCheckPromisc -i 1'],
  },
  {
    text: 'Kubernetes, bridge cbr0 in promiscuous mode: let the ports have hairpin mode instead, on each node',
    commands: ['kubelet --hairpin-mode=hairpin-veth'],
  },
];

/** Frames that came in twice at one device. */
interface Port {
  readonly base: number;
  readonly capture: number;
  pairs: number;
  /** What goes out is doubled as well, or frames come many times: the capture does it, or a loop. */
  isExcused: boolean;
  first: number;
  last: number;
  readonly frames: EvidenceRef[];
}

/** Packets arrive twice at who they are for (catalogue I11, B12). */
export const duplicateDatagrams: Rule = {
  meta: {
    id: 'ip/duplicate-datagrams',
    severity: 'warning',
    summary: 'Packets are delivered twice: two ways lead to their receiver, or something on the way copies them',
    catalogue: 'I11',
    thresholds: {
      window: {
        value: 0.001,
        unit: 'seconds between the two of a pair',
        source: 'a second copy that came another way follows at once',
      },
      requests: {
        value: 2,
        unit: 'echo requests answered twice',
        source: 'one may be a frame that was flooded while a switch learned',
      },
      share: {
        value: 0.1,
        unit: 'of the requests of a ping; fewer answered twice are a note',
        source: 'a second way doubles all; a link that repeats a frame now and then does no harm',
      },
      pairs: { value: 3, unit: 'frames that came in twice', source: 'fewer may be chance' },
      doubleReply: setting('doubleReply'),
    },
  },
  create({ network, report, thresholds }) {
    const { copies, doubleReplies, segments } = network;
    const ports = new Map<number, Port>();

    function tellPing(row: number): void {
      const count = doubleReplies.doubled(row);
      if (count < thresholds.requests || doubleReplies.repeats(row) > 0 || isElsewhere(network, row)) return;
      const segment = doubleReplies.segment(row);
      const capture = segments.captureOf(segment);
      const from = network.addresses.format(doubleReplies.source(row));
      const to = network.addresses.format(doubleReplies.destination(row));
      const isRare = count < thresholds.share * network.pings.requests(row);
      const isNeighbor = network.claims.holder(segment, doubleReplies.destination(row)) >= 0;
      report({
        key: pingKey(network, row),
        segment,
        capture,
        count,
        first: doubleReplies.first(row),
        last: doubleReplies.last(row),
        ...(isRare ? { severity: 'info' as const } : {}),
        confidence: isNeighbor ? 'certain' : 'likely',
        title: `${to} gets packets of ${from} twice: it answers one ping two times`,
        summary:
          `${count} echo requests from ${from} to ${to} were answered twice each. The two replies have different IP identifications: ` +
          `${to} made both, for a request that reached it two times. Something on the way doubles packets; ping says "DUP!", UDP programs get everything twice.`,
        subject: { source: from, destination: to },
        evidence: doubleReplies.places(row).map((place, i) => ({
          capture,
          layer: 'icmp',
          note: i % 3 === 0 ? 'echo request' : `reply ${i % 3} to it`,
          ...place,
        })),
        cause: 'Two ways lead to the receiver, or something on the way sends a copy along.',
        remedy: [
          {
            text: `On ${to}: see both copies, and which MAC they come from`,
            commands: [`tcpdump -eni any 'icmp and host ${from}'`],
          },
          ...REMEDY,
        ],
        caveats: isNeighbor ? [] : ['two hosts behind one router that share the address would answer like that'],
        wouldRaise: isNeighbor ? [] : [`a capture on ${to}`],
      });
    }

    function tellPort({ base, capture, pairs, first, last, frames }: Port): void {
      report({
        key: `port ${base}`,
        segment: base,
        capture,
        count: pairs,
        first,
        last,
        confidence: 'likely',
        title: `${pairs} frames came in twice${deviceOf(network, base)}: something on the way doubles them`,
        summary:
          `${pairs} frames for this machine came in two times within a millisecond, byte for byte, at one device. What it sends is not doubled, so it is not the capture that does it: ` +
          'programs get these packets twice, ping says "DUP!".',
        subject: {},
        evidence: frames,
        cause: 'Two ways lead to this machine, or something on the way sends a copy along.',
        remedy: REMEDY,
        caveats: ['a mirror port that also serves as an ordinary one would look alike'],
        wouldRaise: ['a capture on the sender: do they leave it once?'],
        explains: pingsAt(network, base),
      });
    }

    return {
      events: {
        answeredTwice: tellPing,
        copied(copy, frame, base) {
          const kind = frame.kinds[0];
          // LINUX_SLL does not tell devices apart: what passes two of them is no copy.
          if (kind !== Protocol.Ethernet && kind !== Protocol.Sll2) return;
          let port = ports.get(base);
          if (!port) {
            if (ports.size === MAX_PORTS) return;
            const { capture, time } = frame;
            port = { base, capture, pairs: 0, isExcused: false, first: time, last: time, frames: [] };
            ports.set(base, port);
          }
          const before = copies.firstDirection(copy);
          if (before === Direction.Out && frame.direction === Direction.Out && isSentOnce(frame)) port.isExcused = true;
          if (copies.count(copy) + 1 >= LOOP) port.isExcused = true;
          if (before !== Direction.In || frame.direction !== Direction.In || copies.count(copy) !== 1) return;
          if (frame.time - copies.firstTime(copy) > thresholds.window * 1e9 || !isSentOnce(frame)) return;
          if (!isForUs(network, frame, base)) return;
          if (port.pairs++ === 0) port.first = copies.firstTime(copy);
          port.last = frame.time;
          if (port.frames.length + 2 <= MAX_FRAMES)
            port.frames.push(...pairOf(frame, copies.firstNumber(copy), ['comes in', 'comes in again']));
        },
      },
      captureEnd(capture) {
        for (let row = 0; row < doubleReplies.count; row++)
          if (segments.captureOf(doubleReplies.segment(row)) === capture) tellPing(row);
        for (const port of ports.values())
          if (
            port.capture === capture &&
            port.pairs >= thresholds.pairs &&
            !port.isExcused &&
            sendsItself(network, port.base)
          )
            tellPort(port);
      },
    };
  },
};

/**
 * Whether no host sends such a frame twice in a millisecond: IPv4 with an identification, which is another for each datagram
 * (RFC 6864 section 4), and ARP questions. Announcements, IPv6 and datagrams without identification are repeated as they are.
 */
function isSentOnce({ view, kinds, offsets, readable }: Frame): boolean {
  let layer = 1;
  while (layer < readable && kinds[layer] === Protocol.Vlan) layer++;
  if (layer >= readable) return false;
  const at = offsets[layer];
  if (kinds[layer] === Protocol.Ipv4) return ipv4Identification(view, at) !== 0;
  if (kinds[layer] !== Protocol.Arp || !isEthernetIpv4(view, at)) return false;
  const spa = view.getInt32(at + SPA);
  return arpOperation(view, at) === ArpOperation.Request && spa !== 0 && spa !== view.getInt32(at + TPA);
}

/** Whether a frame is for the capturing machine: to a group, or to a MAC that it sends from. */
function isForUs({ stations }: Network, { view, kinds, offsets }: Frame, base: number): boolean {
  const at = offsets[0];
  if (kinds[0] === Protocol.Sll2) return sll2PacketType(view, at) !== PacketType.OtherHost;
  if ((view.getUint8(at) & 1) !== 0) return true;
  const row = stations.find(base, view.getUint16(at), view.getInt32(at + 2));
  return row >= 0 && stations.sentOut(row);
}

/** Whether the machine sends at this port: a place that only listens is a mirror's. */
function sendsItself({ stations, segments }: Network, base: number): boolean {
  for (let row = 0; row < stations.count; row++)
    if (segments.baseOf(stations.segment(row)) === base && stations.sentOut(row)) return true;
  return false;
}

/** ` at device 3` where a cooked capture tells its index. */
function deviceOf({ segments }: Network, base: number): string {
  const index = segments.describe(base).deviceIndex;
  return index === 0 ? '' : ` at device ${index}`;
}

/** What this rule says of pings at the port: the replies to what came in twice. */
function pingsAt(network: Network, base: number) {
  const { doubleReplies, segments } = network;
  const found = [];
  for (let row = 0; row < doubleReplies.count; row++)
    if (segments.baseOf(doubleReplies.segment(row)) === base)
      found.push({ rule: 'ip/duplicate-datagrams', key: pingKey(network, row) } as const);
  return found;
}

/** The same for all pings between two hosts. */
function pingKey({ doubleReplies, segments }: Network, row: number): string {
  const segment = doubleReplies.segment(row);
  const { vlans, vnis } = segments.describe(segment);
  return `ping ${segments.captureOf(segment)} ${vlans} ${vnis} ${doubleReplies.source(row)} ${doubleReplies.destination(row)}`;
}

/** Whether another row tells of the same two hosts: another ping, or this one at another port; the one with most is told. */
function isElsewhere(network: Network, row: number): boolean {
  const { doubleReplies } = network;
  const count = doubleReplies.doubled(row);
  for (let other = 0; other < doubleReplies.count; other++) {
    if (doubleReplies.source(other) !== doubleReplies.source(row)) continue;
    const more = doubleReplies.doubled(other) - count;
    if (other !== row && (more > 0 || (more === 0 && other < row)) && pingKey(network, other) === pingKey(network, row))
      return true;
  }
  return false;
}
