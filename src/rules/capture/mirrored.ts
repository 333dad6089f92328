import { formatIpv4 } from '../../wire/address.js';
import { erspanSession } from '../../wire/erspan.js';
import { ipv4Destination, ipv4Source } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { segmentAt } from '../segment.js';
import { ofCapture } from './parts/whole.js';

const MAX_EXAMPLES = 16;
/** Mirror sessions that are told apart. */
const MAX_SESSIONS = 256;

interface Session {
  readonly capture: number;
  readonly segment: number;
  readonly session: number;
  /** Ends of the tunnel, empty where it does not run over IPv4. */
  readonly from: string;
  readonly to: string;
  count: number;
  readonly first: number;
  last: number;
  readonly evidence: EvidenceRef[];
}

/** The frames come from elsewhere, inside a mirror tunnel (catalogue K15). */
export const mirrored: Rule = {
  meta: {
    id: 'capture/mirrored',
    severity: 'info',
    summary: 'Frames are copies from a switch port elsewhere, delivered inside ERSPAN',
    catalogue: 'K15',
  },
  create(context) {
    const sessions = new Map<number, Session>();
    return {
      layers: {
        Erspan(frame, layer) {
          const segment = segmentAt(context.network, frame, layer + 1);
          let session = sessions.get(segment);
          const at = frame.offsets[layer];
          const { capture, time, number, view } = frame;
          if (!session) {
            if (segment < 0 || sessions.size === MAX_SESSIONS) return;
            const outer = layer >= 2 && frame.kinds[layer - 2] === Protocol.Ipv4 ? frame.offsets[layer - 2] : -1;
            session = {
              capture,
              segment,
              session: erspanSession(view, at),
              from: outer < 0 ? '' : formatIpv4(ipv4Source(view, outer)),
              to: outer < 0 ? '' : formatIpv4(ipv4Destination(view, outer)),
              count: 0,
              first: time,
              last: time,
              evidence: [],
            };
            sessions.set(segment, session);
          }
          session.count++;
          session.last = time;
          if (session.evidence.length < MAX_EXAMPLES)
            session.evidence.push({
              capture,
              frame: number,
              layer: 'erspan',
              offset: at - frame.start,
              length: frame.ends[layer] - at,
              note: 'a mirrored frame is inside',
            });
        },
      },
      captureEnd(capture) {
        for (const { session, from, to, ...found } of sessions.values()) {
          if (found.capture !== capture) continue;
          const { name } = ofCapture(context, capture);
          const way = from === '' ? '' : ` from ${from} to ${to}`;
          context.report({
            ...found,
            key: String(found.segment),
            confidence: 'certain',
            title: `ERSPAN session ${session} brings copies of frames from a switch port elsewhere`,
            summary: `${found.count} frames of ${name} carry mirrored frames${way}. What is inside is diagnosed as a network of its own, apart from the one that carries it. It went its way elsewhere: directions and the host context of this machine say nothing about it.`,
            subject: { session, ...(from === '' ? {} : { from, to }) },
            cause: 'A switch or virtual switch mirrors a port and sends the copies here (ERSPAN).',
            remedy: [
              {
                text: 'Nothing to cure. A mirror may drop copies under load, and show both directions of a frame: for proof of a loss capture at the hosts themselves',
                commands: ['tcpdump -i <device> -w host.pcap'],
              },
            ],
          });
        }
      },
    };
  },
};
