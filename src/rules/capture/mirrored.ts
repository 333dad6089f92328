import { formatIpv4 } from '../../wire/address.js';
import { erspanSession } from '../../wire/erspan.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { headerOf } from '../parts/evidence.js';
import { Observations, wholeOf } from '../parts/observations.js';
import { segmentAt } from '../parts/segment.js';
import type { Rule } from '../rule.js';
import { ofCapture } from './parts/whole.js';

const MAX_EXAMPLES = 16;
/** Mirror sessions that are told apart. */
const MAX_SESSIONS = 256;

interface Session {
  readonly session: number;
  /** Ends of the tunnel, empty where it does not run over IPv4. */
  readonly from: string;
  readonly to: string;
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
    const sessions = new Observations<Session>(MAX_SESSIONS, MAX_EXAMPLES);
    return {
      layers: {
        Erspan(frame, layer) {
          const segment = segmentAt(context.network, frame, layer + 1);
          if (segment < 0) return;
          const session = sessions.at(String(segment), segment, frame, () => sessionOf(frame, layer));
          if (session && sessions.count(session, frame))
            session.evidence.push(headerOf(frame, layer, 'erspan', 'a mirrored frame is inside'));
        },
      },
      captureEnd(capture) {
        for (const found of sessions.of(capture)) {
          const { session, from, to } = found.what;
          const { name } = ofCapture(context, capture);
          const way = from === '' ? '' : ` from ${from} to ${to}`;
          context.report({
            ...wholeOf(found),
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

/** The session of the ERSPAN header in `layer`. */
function sessionOf({ view, kinds, offsets }: Frame, layer: number): Session {
  const ip = layer >= 2 && kinds[layer - 2] === Protocol.Ipv4 ? offsets[layer - 2] : -1;
  return {
    session: erspanSession(view, offsets[layer]),
    from: ip < 0 ? '' : formatIpv4(ipv4Source(view, ip)),
    to: ip < 0 ? '' : formatIpv4(ipv4Destination(view, ip)),
  };
}
