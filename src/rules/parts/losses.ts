import type { Stream } from '../../network/flows/streams.js';
import type { Network } from '../../network/network.js';
import { IpProtocol } from '../../wire/ip-protocols.js';
import type { CaptureFacts, EvidenceRef } from '../rule.js';
import { streamWords, tcpFrames } from './connections/stream.js';

/** Longest headers in bytes: Ethernet, IPv4 and IPv6 without options, TCP with all; a VLAN tag, and a tunnel over IPv6 (VXLAN). */
const ETHERNET = 14;
const IPV4 = 20;
const IPV6 = 40;
const TCP_HEADER = 60;
const TAG = 4;
const TUNNEL = 70;
const MAX_FRAMES = 32;

/** Frames that were there and are not in a capture (catalogue K1). */
export interface Losses {
  /** The file counts them; if not, data is acknowledged, or replies come to requests, that it does not hold. */
  readonly isCounted: boolean;
  /** How many; at least, if they are not counted. 0 where pings alone show it: their requests may have taken another way. */
  readonly lost: number;
  /** Part of all frames that are in the capture or should be, 0 to 1. */
  readonly share: number;
  /** Whether they are many enough for silence to be less sure. */
  readonly isNotable: boolean;
  /** Time from the first frame to the last, in ns. */
  readonly duration: number;
  /** The acknowledgments, where nothing is counted. */
  readonly evidence: readonly EvidenceRef[];
}

interface Observed {
  readonly network: Network;
  readonly captures: readonly CaptureFacts[];
}

/** What a capture lost as far as it has been read, null if nothing shows that it did. */
export function lossesOf({ network, captures }: Observed, capture: number): Losses | null {
  const { info, frames, records, first, last } = captures[capture];
  const { lostGaps, lostShare } = network.settings;
  const dropped = info.dropped ?? 0;
  const found = dropped > 0 ? { gaps: 0, share: 0, evidence: [] } : gapsOf(network, capture);
  const pings = dropped > 0 ? { unseen: 0, share: 0 } : unseenRequests(network, capture);
  if (dropped === 0 && found.gaps + pings.unseen < lostGaps) return null;
  const gaps = found.gaps < lostGaps ? 0 : found.gaps;
  const evidence = gaps > 0 ? found.evidence : [];
  const lost = dropped || gaps;
  // Drops were counted before a filter of this run, gaps were seen behind it.
  const share = dropped > 0 ? lost / (lost + Math.max(frames, records)) : Math.max(found.share, pings.share);
  return {
    isCounted: dropped > 0,
    lost,
    share,
    isNotable: share >= lostShare,
    duration: Number.isNaN(first) ? 0 : last - first,
    evidence,
  };
}

/** Acknowledged gaps in the data of all connections of a capture, and what share of it they are. */
function gapsOf(network: Network, capture: number): { gaps: number; share: number; evidence: EvidenceRef[] } {
  const { gaps: table, flows, captures, segments, virtualRouters } = network;
  const evidence: EvidenceRef[] = [];
  const quality = captures.of(capture);
  let gaps = 0;
  const sent = table.count === 0 ? 0 : flows.dataSegments((segment) => segments.captureOf(segment) === capture);
  // Where frames are out of order, what seems missing was only not seen in time.
  if (!quality || quality.disordered > 0 || sent === 0) return { gaps, share: 0, evidence };
  // While another router is master, what goes on takes another way (VRRP).
  const detours =
    table.count === 0 ? 0 : virtualRouters.takeovers((segment) => segments.captureOf(segment) === capture);
  for (let row = 0; row < table.count; row++) {
    const stream = table.stream(row);
    if (table.gaps(row) <= detours || segments.captureOf(stream.segment) !== capture) continue;
    const { source, from, to, fromPort, toPort } = streamWords(network, stream);
    // What was cut within its headers, or is a fragment, was not read.
    if (quality.shortest < headersOf(network, stream) || sendsFragments(network, source)) continue;
    gaps += table.gaps(row) - detours;
    if (evidence.length < MAX_FRAMES)
      evidence.push(
        ...tcpFrames(
          capture,
          table.places(row),
          `${to} has data of ${from}, ${fromPort} > ${toPort}, that is not here`,
        ),
      );
  }
  return { gaps, share: gaps / (gaps + sent), evidence: evidence.slice(0, MAX_FRAMES) };
}

/** Requests of pings that are missing in front of their replies, and what share of those with replies they are. */
function unseenRequests({ pings, segments }: Network, capture: number): { unseen: number; share: number } {
  let unseen = 0;
  let replies = 0;
  for (let row = 0; row < pings.count; row++) {
    if (segments.captureOf(pings.segment(row)) !== capture || pings.requests(row) === 0) continue;
    unseen += pings.unseenRequests(row);
    replies += pings.replies(row);
  }
  // Of a way that most requests do not take, as of a switch that floods some, nothing was lost.
  return unseen * 2 > replies ? { unseen: 0, share: 0 } : { unseen, share: unseen / Math.max(replies, 1) };
}

/** Bytes of a frame that hold all headers of a segment. */
function headersOf({ segments }: Network, { segment, isIpv6 }: Stream): number {
  const { vlans, vnis } = segments.describe(segment);
  return ETHERNET + vlans.length * TAG + vnis.length * TUNNEL + (isIpv6 ? IPV6 : IPV4) + TCP_HEADER;
}

/** Segments in fragments are not followed. */
function sendsFragments({ fragments }: Network, source: number): boolean {
  for (let flow = 0; flow < fragments.count; flow++)
    if (fragments.source(flow) === source && fragments.protocol(flow) === IpProtocol.Tcp) return true;
  return false;
}
