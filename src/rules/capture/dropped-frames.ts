import type { Network } from '../../network/network.js';
import type { Stream } from '../../network/streams.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { streamWords, tcpFrames } from '../stream.js';
import { ofCapture } from './whole.js';

const TCP = 6;
/** Longest headers in bytes: Ethernet, IPv4 and IPv6 without options, TCP with all; a VLAN tag, and a tunnel over IPv6 (VXLAN). */
const ETHERNET = 14;
const IPV4 = 20;
const IPV6 = 40;
const TCP_HEADER = 60;
const TAG = 4;
const TUNNEL = 70;
const MAX_FRAMES = 32;

/** The capturing side lost frames: it says so, or data is acknowledged that it does not hold (catalogue K1). */
export const droppedFrames: Rule = {
  meta: {
    id: 'capture/dropped-frames',
    severity: 'warning',
    summary: 'The capturing side lost frames: what seems missing may have been there',
    catalogue: 'K1',
    thresholds: {
      gaps: {
        value: 3,
        unit: 'gaps in data that its receiver acknowledged, where the file does not count what was dropped',
        source: 'catalogue K1; fewer may be an accident of the wire',
      },
    },
  },
  create(context) {
    return {
      captureEnd(capture) {
        const { info, frames } = context.captures[capture];
        const dropped = info.dropped ?? 0;
        const { name, ...whole } = ofCapture(context, capture);
        const remedy = [
          {
            text: 'A larger buffer (KiB), a narrower filter, fewer bytes of each frame',
            commands: ['tcpdump -B 65536 -s 256 -i <device> -w again.pcap arp or icmp'],
          },
        ];
        const caveat = 'findings of silence in this capture are less sure';
        if (dropped > 0) {
          context.report({
            ...whole,
            confidence: 'certain',
            title: `${dropped} frames were lost while capturing`,
            summary: `${name} holds ${frames} frames and says itself that ${dropped} more were dropped by the interface or the kernel. An answer that seems missing may be among them.`,
            count: dropped,
            evidence: [],
            cause:
              'Frames came faster than they were written: the buffer was too small, the disk too slow, or the filter too wide.',
            remedy,
            caveats: [caveat],
          });
          return;
        }
        const { gaps, evidence } = gapsOf(context.network, capture);
        if (gaps < context.thresholds.gaps) return;
        context.report({
          ...whole,
          confidence: 'likely',
          title: `Frames are missing in the capture: data is acknowledged that it does not hold, ${gaps} times`,
          summary: `In ${name} receivers acknowledge TCP data that was never captured, in ${gaps} places; what was sent before and after it is here. It arrived, so the network did not lose it: the capture did. An answer that seems missing may have been lost with it.`,
          count: gaps,
          evidence,
          cause:
            'Frames came faster than they were written (the buffer was too small, the disk too slow), a mirror port was overloaded, a capture filter let only some through, or some packets take another way, as over a bond that sends by turns.',
          remedy,
          caveats: [caveat],
          wouldRaise: ['the counts that tcpdump prints at its end: packets dropped by kernel'],
        });
      },
    };
  },
};

/** Acknowledged gaps in the data of all connections of a capture. */
function gapsOf(network: Network, capture: number): { gaps: number; evidence: EvidenceRef[] } {
  const { gaps: table, captures, segments } = network;
  const evidence: EvidenceRef[] = [];
  const quality = captures.of(capture);
  let gaps = 0;
  // Where frames are out of order, what seems missing was only not seen in time.
  if (!quality || quality.disordered > 0) return { gaps, evidence };
  for (let row = 0; row < table.count; row++) {
    const stream = table.stream(row);
    if (table.gaps(row) === 0 || segments.captureOf(stream.segment) !== capture) continue;
    const { source, from, to, fromPort, toPort } = streamWords(network, stream);
    // What was cut within its headers, or is a fragment, was not read.
    if (quality.shortest < headersOf(network, stream) || sendsFragments(network, source)) continue;
    gaps += table.gaps(row);
    if (evidence.length < MAX_FRAMES)
      evidence.push(
        ...tcpFrames(
          capture,
          table.places(row),
          `${to} has data of ${from}, ${fromPort} > ${toPort}, that is not here`,
        ),
      );
  }
  return { gaps, evidence: evidence.slice(0, MAX_FRAMES) };
}

/** Bytes of a frame that hold all headers of a segment. */
function headersOf({ segments }: Network, { segment, isIpv6 }: Stream): number {
  const { vlans, vnis } = segments.describe(segment);
  return ETHERNET + vlans.length * TAG + vnis.length * TUNNEL + (isIpv6 ? IPV6 : IPV4) + TCP_HEADER;
}

/** Segments in fragments are not followed. */
function sendsFragments({ fragments }: Network, source: number): boolean {
  for (let flow = 0; flow < fragments.count; flow++)
    if (fragments.source(flow) === source && fragments.protocol(flow) === TCP) return true;
  return false;
}
