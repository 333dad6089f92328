import type { Network } from '../../network/network.js';
import { Checksum, transportChecksum } from '../../wire/checksum.js';
import { Direction, type Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import { TcpFlag, tcpFlags, tcpSequence, tcpSourcePort } from '../../wire/tcp.js';
import { confidenceBy } from '../parts/confidence.js';
import { connectionOf } from '../parts/connections/connection.js';
import { headerOf } from '../parts/evidence.js';
import type { EvidenceRef, Remedy, Rule } from '../rule.js';

/** Packets checked in each capture, and after that every how-manieth. */
const SAMPLE = 2000;
const EVERY = 128;
/** Frames longer than this, with 50 to 70 bytes of VXLAN, are put together or cut by the device (catalogue K5). */
const LONGEST_ON_WIRE = 1592;
const MAX_EXAMPLES = 16;
/** Right ones for each wrong one, from which on those of open connections were damaged by chance: a broken offload spoils most of a sender's. */
const MOSTLY_RIGHT = 8;
const MAX_OPENINGS = 4096;
/** A SYN that did not come again within this time (ns) was answered: the first repetition follows after a second (RFC 6298 section 2). */
const TAKEN_NS = 3e9;

interface Seen {
  wrong: number;
  /** Those of them that belong to open connections: a broken offload lets none open. */
  wrongOfOpen: number;
  /** Those of them that are known to have come in. */
  inbound: number;
  right: number;
  first: number;
  last: number;
  readonly frames: EvidenceRef[];
  /** Unfinished SYNs that came in, how often each and when last. */
  readonly openings: Map<number, { times: number; last: number }>;
  repeated: number;
  repeatedFirst: number;
  repeatedLast: number;
  readonly repeatedFrames: EvidenceRef[];
}

const REMEDIES: Remedy[] = [
  {
    text: 'At the sending endpoint: compute checksums before the tunnel',
    commands: ['ethtool -K <vxlan device> tx-checksum-ip-generic off'],
  },
  {
    text: 'Calico does it by itself with',
    commands: [
      'calicoctl patch felixconfiguration default --patch \'{"spec":{"featureDetectOverride":"ChecksumOffloadBroken=true"}}\'',
    ],
  },
  {
    text: 'For a test: no tunnel offload in the network card',
    commands: ['ethtool -K <underlay device> tx-udp_tnl-csum-segmentation off'],
  },
];

const LOOK_FOR_ERRORS: Remedy[] = [
  {
    text: 'Look for errors that the devices count',
    commands: ['ip -s -s link', 'ethtool -S <device> | grep -iE "err|crc|bad"'],
  },
];

/** TCP and UDP inside VXLAN come with wrong checksums (catalogue F7). */
export const badInnerChecksum: Rule = {
  meta: {
    id: 'vxlan/bad-inner-checksum',
    severity: 'warning',
    summary: 'TCP or UDP inside VXLAN comes with wrong checksums: broken offload at the sender',
    catalogue: 'F7',
    thresholds: {
      packets: {
        value: 3,
        unit: 'packets with a wrong checksum, or SYNs sent again with an unfinished one',
        source: 'one or two may be damaged on the way, or lost; a third is a pattern',
      },
    },
  },
  create({ network, report, thresholds }) {
    const captures = new Map<number, Seen>();
    let latest = -1;
    let looked = 0;

    function seenIn(frame: Frame): Seen {
      let seen = captures.get(frame.capture);
      if (!seen) {
        const { time } = frame;
        seen = {
          wrong: 0,
          wrongOfOpen: 0,
          inbound: 0,
          right: 0,
          first: time,
          last: time,
          frames: [],
          openings: new Map(),
          repeated: 0,
          repeatedFirst: time,
          repeatedLast: time,
          repeatedFrames: [],
        };
        captures.set(frame.capture, seen);
      }
      return seen;
    }

    function look(frame: Frame, layer: number): void {
      // What this machine sends is finished by its device.
      if (frame.direction === Direction.Out || frame.wireLength > LONGEST_ON_WIRE) return;
      if (frame.capture !== latest) {
        latest = frame.capture;
        looked = 0;
      }
      looked++;
      if (looked % EVERY === 0 || looked <= SAMPLE) check(frame, layer);
    }

    function check(frame: Frame, layer: number): void {
      const isOuter = frame.kinds[layer + 1] === Protocol.Vxlan && layer + 1 < frame.layerCount;
      if (!isOuter && !isInside(frame, layer)) return;
      const checksum = transportChecksum(frame, layer);
      if (checksum === Checksum.Unknown) return;
      const seen = seenIn(frame);
      if (checksum === Checksum.Right) seen.right++;
      else if (checksum === Checksum.Wrong) {
        if (isOuter && !isFinishedInside(frame)) return;
        if (seen.wrong++ === 0) seen.first = frame.time;
        seen.last = frame.time;
        if (frame.direction === Direction.In) seen.inbound++;
        if (isOfOpen(frame)) seen.wrongOfOpen++;
        note(seen.frames, frame, layer, isOuter ? 'wrong outer UDP checksum' : 'wrong checksum inside');
      } else if (frame.kinds[layer] === Protocol.Tcp && frame.direction === Direction.In) opening(seen, frame, layer);
    }

    /** Unfinished checksums are fine on virtual links, whose receiver trusts them; not where the same SYN has to come again. */
    function opening(seen: Seen, frame: Frame, layer: number): void {
      const { view } = frame;
      const at = frame.offsets[layer];
      if ((tcpFlags(view, at) & (TcpFlag.Syn | TcpFlag.Ack)) !== TcpFlag.Syn) return;
      const key = tcpSequence(view, at) * 65536 + tcpSourcePort(view, at);
      const times = (seen.openings.get(key)?.times ?? 0) + 1;
      if (times > 1 || seen.openings.size < MAX_OPENINGS) seen.openings.set(key, { times, last: frame.time });
      if (times < 2) return;
      if (seen.repeated === 0) seen.repeatedFirst = frame.time;
      seen.repeated++;
      seen.repeatedLast = frame.time;
      note(seen.repeatedFrames, frame, layer, `SYN for the ${times}. time, its checksum is unfinished`);
    }

    function note(list: EvidenceRef[], frame: Frame, layer: number, text: string): void {
      const name = frame.kinds[layer] === Protocol.Tcp ? 'tcp' : 'udp';
      if (list.length < MAX_EXAMPLES) list.push(headerOf(frame, layer, name, text));
    }

    function tell(capture: number, seen: Seen): void {
      const isWrong = seen.wrong >= thresholds.packets;
      if (
        !isWrong &&
        (seen.repeated < thresholds.packets || takesUnfinished(seen) || wereTaken(seen) || cannotAnswer(seen))
      )
        return;
      const count = isWrong ? seen.wrong : seen.repeated;
      const isByChance = isWrong && seen.wrongOfOpen > 0 && seen.right >= MOSTLY_RIGHT * seen.wrong;
      const evidence = isWrong ? seen.frames : seen.repeatedFrames;
      report({
        key: String(capture),
        segment: -1,
        capture,
        // Where no checksum is right, somebody may have changed the addresses in the file, or the link is virtual and the target dead.
        confidence: confidenceBy({
          certain: isWrong && seen.inbound >= thresholds.packets,
          likely: seen.right > 0,
        }),
        title: isWrong
          ? `${count} packets come through VXLAN with wrong checksums`
          : 'SYNs come through VXLAN again and again with unfinished checksums',
        summary: isWrong
          ? `Of the TCP and UDP packets that came through VXLAN, ${count} have wrong checksums and ${seen.right} right ones. The receiver drops the wrong ones without a word${isByChance ? ', and TCP has to send them again' : ': connections open only after several tries (1, 3, 7 … 63 seconds), or hang'}.`
          : `${count} times a SYN came again whose checksum holds the sum of the pseudo header only: nobody filled it in, and ${seen.right > 0 ? 'the receiver drops it. On a virtual link such a packet would have been answered' : 'on a wire the receiver drops it'}.`,
        subject: {},
        count,
        first: isWrong ? seen.first : seen.repeatedFirst,
        last: isWrong ? seen.last : seen.repeatedLast,
        evidence,
        cause: isByChance
          ? 'Most are right, and some of connections that work are wrong: packets are damaged on the way, by a bad cable, transceiver, network card, switch or memory.'
          : 'The sender leaves checksums inside the tunnel to its network device, which cannot do it, or netfilter changed the packet after that was decided.',
        remedy: isByChance ? LOOK_FOR_ERRORS : REMEDIES,
        caveats:
          isWrong || seen.right > 0
            ? []
            : [
                'no packet of the tunnel has a finished checksum: between virtual machines and containers that is usual, and the SYNs lack an answer for another reason',
              ],
        wouldRaise:
          seen.inbound >= thresholds.packets
            ? []
            : ['a capture at the sender, and one behind the receiving VXLAN device'],
        explains: slowConnections(network, capture, evidence),
      });
    }

    /** Other SYNs with unfinished checksums were taken: it is a virtual link, and those that came again lack something else. */
    function takesUnfinished({ openings }: Seen): boolean {
      return [...openings.values()].some(({ times, last }) => times === 1 && network.now - last > TAKEN_NS);
    }

    /** One was answered whose latest SYN was unfinished too: it is a virtual link, and a slow one. The bug's last SYN is a finished one. */
    function wereTaken({ repeatedFrames }: Seen): boolean {
      const { handshakes } = network;
      const frames = new Set(repeatedFrames.map(({ frame }) => frame));
      for (let row = 0; row < handshakes.count; row++) {
        if (handshakes.answers(row) === 0) continue;
        const latest = handshakes.synPlaces(row).at(-1);
        if (latest && frames.has(latest.frame)) return true;
      }
      return false;
    }

    /** All targets of the SYNs ask for a neighbour in vain, as for their gateway: they got the SYN, and have no way to answer. */
    function cannotAnswer({ repeatedFrames }: Seen): boolean {
      const { handshakes, resolutions } = network;
      const frames = new Set(repeatedFrames.map(({ frame }) => frame));
      const servers = new Set<number>();
      for (let row = 0; row < handshakes.count; row++)
        if (handshakes.synPlaces(row).some(({ frame }) => frames.has(frame)))
          servers.add(connectionOf(network, row).serverRow);
      const asksInVain = (server: number) => resolutions.askedBy(server).some((row) => resolutions.run(row) >= 2);
      return servers.size > 0 && [...servers].every(asksInVain);
    }

    return {
      layers: {
        Tcp(frame, layer) {
          if (frame.tunnels > 0) look(frame, layer);
        },
        Udp(frame, layer) {
          if (frame.tunnels > 0) look(frame, layer);
        },
      },
      captureEnd(capture) {
        const seen = captures.get(capture);
        if (seen) tell(capture, seen);
      },
    };
  },
};

/**
 * Whether the checksum inside is right: the outer one is made for a packet whose inner one is filled in, and looks wrong
 * until that is done (linux/Documentation/networking/checksum-offloads.rst, local checksum offload).
 */
function isFinishedInside(frame: Frame): boolean {
  const layer = frame.kinds
    .subarray(0, frame.layerCount)
    .findLastIndex((kind) => kind === Protocol.Tcp || kind === Protocol.Udp);
  return frame.kinds[layer + 1] !== Protocol.Vxlan && transportChecksum(frame, layer) === Checksum.Right;
}

/** Whether the innermost packet is a TCP segment other than a SYN. */
function isOfOpen(frame: Frame): boolean {
  const layer = frame.kinds.subarray(0, frame.layerCount).lastIndexOf(Protocol.Tcp);
  return layer >= 0 && isInside(frame, layer) && (tcpFlags(frame.view, frame.offsets[layer]) & TcpFlag.Syn) === 0;
}

function isInside({ kinds }: Frame, layer: number): boolean {
  for (let at = layer - 1; at >= 0; at--) if (kinds[at] === Protocol.Vxlan) return true;
  return false;
}

/** The connections whose SYNs are among these frames: they come up late, or not at all. */
function slowConnections(network: Network, capture: number, evidence: readonly EvidenceRef[]) {
  const { handshakes, segments } = network;
  const wrong = new Set(evidence.map(({ frame }) => frame));
  const keys = new Set<string>();
  for (let row = 0; row < handshakes.count; row++) {
    if (segments.captureOf(handshakes.segment(row)) !== capture) continue;
    if (handshakes.synPlaces(row).some(({ frame }) => wrong.has(frame))) keys.add(connectionOf(network, row).key);
  }
  return [...keys].map((key) => ({ rule: 'tcp/syn-unanswered', key }) as const);
}
