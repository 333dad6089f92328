import { formatIpv4 } from '../../wire/address.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { TcpFlag, tcpAcknowledgment, tcpDestinationPort, tcpFlags, tcpSourcePort } from '../../wire/tcp.js';
import { label } from '../parts/question.js';
import type { Rule } from '../rule.js';
import { frames as asEvidence, ofCapture } from './parts/whole.js';

const MAX_EXAMPLES = 16;
/** Segments, and addresses in each, that are remembered. */
const MAX_SEGMENTS = 256;
const MAX_PEERS = 1024;

/** What was sent to one address; `ports` are those of its first TCP connection, which the acknowledgments belong to. */
interface Peer {
  count: number;
  readonly numbers: number[];
  ports: number;
  firstAck: number;
  /** Bytes acknowledged since, though none of them is in the capture. */
  progress: number;
}

interface View {
  readonly capture: number;
  readonly segment: number;
  readonly hi: number;
  readonly lo: number;
  readonly sources: Set<number>;
  readonly peers: Map<number, Peer>;
}

/** A capture on an ipvlan child in mode l3s shows what leaves and not what comes (catalogue K11). */
export const ipvlanHalfView: Rule = {
  meta: {
    id: 'capture/ipvlan-half-view',
    severity: 'info',
    summary: 'A capture on an ipvlan child in mode l3s shows only what the child sends',
    catalogue: 'K11',
  },
  create(context) {
    const { network, report } = context;
    const views = new Map<number, View>();

    /** Whether nobody else sends here: what others send would be seen, in any other mode. */
    function isAlone({ segment, hi, lo }: View): boolean {
      const { stations } = network;
      return !stations
        .in(segment)
        .some((row) => stations.sent(row) > 0 && (stations.hi(row) !== hi || stations.lo(row) !== lo));
    }

    return {
      events: {
        // Frames of an l3 child name its one MAC twice.
        sameMac(frame, layer, segment) {
          const ip = layer + 1;
          if (ip >= frame.layerCount || frame.kinds[ip] !== Protocol.Ipv4 || frame.statuses[ip] !== 0) return;
          let view = views.get(segment);
          if (!view) {
            if (views.size === MAX_SEGMENTS) return;
            const ethernet = frame.offsets[layer];
            const [hi, lo] = [frame.view.getUint16(ethernet), frame.view.getInt32(ethernet + 2)];
            view = { capture: frame.capture, segment, hi, lo, sources: new Set(), peers: new Map() };
            views.set(segment, view);
          }
          const at = frame.offsets[ip];
          if (view.sources.size < MAX_PEERS) view.sources.add(ipv4Source(frame.view, at));
          const peer = peerOf(view, ipv4Destination(frame.view, at));
          if (!peer) return;
          peer.count++;
          if (peer.numbers.length < MAX_EXAMPLES) peer.numbers.push(frame.number);
          noteProgress(peer, frame, ip + 1);
        },
      },
      captureEnd(capture) {
        const { vantage } = network;
        if (vantage && vantage.mode !== 'l3s') return;
        for (const view of views.values()) {
          if (view.capture !== capture || !isAlone(view)) continue;
          const silent = [...view.peers].filter(([address]) => !view.sources.has(address) && !isGroup(address));
          const shown = vantage ? silent : silent.filter(([, { progress }]) => progress > 0);
          if (shown.length === 0) continue;
          const { name, ...whole } = ofCapture(context, capture);
          const [address, { progress }] = shown.find(([, peer]) => peer.progress > 0) ?? shown[0];
          const peer = formatIpv4(address);
          report({
            ...whole,
            key: String(view.segment),
            segment: view.segment,
            confidence: vantage ? 'certain' : 'likely',
            title: 'The capture shows one half: an ipvlan child in mode l3s is not shown what comes in',
            summary:
              `In ${name} packets leave for ${peer}${shown.length > 1 ? ` and ${shown.length - 1} others` : ''}, and none of theirs is here` +
              (progress > 0 ? `, though ${progress} bytes of them are acknowledged: they did arrive. ` : '. ') +
              'That replies are missing here proves nothing.',
            count: shown.reduce((sum, [, each]) => sum + each.count, 0),
            evidence: asEvidence(
              capture,
              shown.flatMap(([, { numbers }]) => numbers).slice(0, MAX_EXAMPLES),
              'sent, with no way for its reply into the capture',
            ),
            cause: 'In mode l3s the kernel hands received packets to the child behind the place where tcpdump listens.',
            remedy: [
              {
                text: 'Capture on the parent device, where both directions pass',
                commands: [
                  `tcpdump -i ${vantage?.parent ? label(vantage.parent).split(' ')[0] : '<parent>'} host ${formatIpv4([...view.sources][0])}`,
                ],
              },
            ],
            context: vantage ? [`${label(vantage)}: ipvlan l3s`] : [],
            wouldRaise: vantage ? [] : ['host context and the place of the capture: `ip -d link` tells the mode'],
            explains: [{ rule: 'capture/one-direction', key: String(capture) }],
          });
        }
      },
    };
  },
};

function peerOf({ peers }: View, address: number): Peer | undefined {
  let peer = peers.get(address);
  if (!peer && peers.size < MAX_PEERS) {
    peer = { count: 0, numbers: [], ports: -1, firstAck: 0, progress: 0 };
    peers.set(address, peer);
  }
  return peer;
}

/** Acknowledgments that grow tell of data that came. */
function noteProgress(peer: Peer, frame: Frame, layer: number): void {
  if (layer >= frame.layerCount || frame.kinds[layer] !== Protocol.Tcp || frame.statuses[layer] !== 0) return;
  const at = frame.offsets[layer];
  const { view } = frame;
  if ((tcpFlags(view, at) & (TcpFlag.Ack | TcpFlag.Syn | TcpFlag.Rst)) !== TcpFlag.Ack) return;
  const ports = tcpSourcePort(view, at) * 65536 + tcpDestinationPort(view, at);
  const ack = tcpAcknowledgment(view, at);
  if (peer.ports < 0) {
    peer.ports = ports;
    peer.firstAck = ack;
  } else if (peer.ports === ports) peer.progress = Math.max(peer.progress, (ack - peer.firstAck) | 0);
}

/** Multicast and broadcast: 224.0.0.0 and above (RFC 1112 section 4). */
function isGroup(address: number): boolean {
  return address >>> 28 >= 0xe;
}
