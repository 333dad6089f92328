import type { Network } from '../../network/network.js';
import { isLocallyAdministered } from '../../wire/address.js';
import { Direction } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import { isAtReflector } from '../parts/reflector.js';
import type { Rule } from '../rule.js';
import { frames as asEvidence, ofCapture } from './parts/whole.js';

const MAX_EXAMPLES = 16;

interface Doubling {
  pairs: number;
  reflected: number;
  /** Longer series than pairs are a loop's. */
  more: boolean;
  frames: number[];
  /** Ports (base segments) of the copies. */
  bases: Set<number>;
}

/** Nearly every frame is there twice, whoever sent it: the tap doubles them (catalogue K3). */
export const duplicatedByTap: Rule = {
  meta: {
    id: 'capture/duplicated-by-tap',
    severity: 'info',
    summary: 'Nearly every frame was captured twice: the mirror port or tap doubles them',
    catalogue: 'K3',
    thresholds: {
      share: {
        value: 0.45,
        unit: 'of all frames that the pairs make up',
        source: 'a tap that doubles everything makes them half of it',
      },
      window: {
        value: 0.001,
        unit: 'seconds between the two of a pair',
        source: 'a tap delivers its second copy at once',
      },
      pairs: { value: 8, unit: 'pairs of equal frames', source: 'fewer may be chance' },
    },
  },
  create(context) {
    const { thresholds } = context;
    const { network } = context;
    const captures = new Map<number, Doubling>();
    return {
      events: {
        copied(copy, frame, base) {
          const { copies } = network;
          // Cooked captures hold a frame once for each device; that is their nature and no tap's.
          if (frame.kinds[0] !== Protocol.Ethernet) return;
          let doubling = captures.get(frame.capture);
          if (!doubling) {
            doubling = { pairs: 0, reflected: 0, more: false, frames: [], bases: new Set() };
            captures.set(frame.capture, doubling);
          }
          if (copies.count(copy) > 1) doubling.more = true;
          else if (frame.time - copies.firstTime(copy) <= thresholds.window * 1e9) {
            doubling.pairs++;
            if (doubling.bases.size < MAX_EXAMPLES) doubling.bases.add(base);
            if (copies.firstDirection(copy) === Direction.Out && frame.direction === Direction.In) doubling.reflected++;
            if (doubling.frames.length < MAX_EXAMPLES) doubling.frames.push(copies.firstNumber(copy), frame.number);
          }
        },
      },
      captureEnd(capture) {
        const doubling = captures.get(capture);
        if (!doubling || doubling.more || doubling.reflected > 0 || doubling.pairs < thresholds.pairs) return;
        const total = context.captures[capture].frames;
        if (doubling.pairs < total * thresholds.share || !hasStranger(capture) || seesReflections(network)) return;
        const { name, ...whole } = ofCapture(context, capture);
        context.report({
          ...whole,
          confidence: 'likely',
          title: `${doubling.pairs} frames are in the capture twice: ${doubling.pairs * 2} of its ${total}`,
          summary: `In ${name} ${doubling.pairs} frames follow themselves within a millisecond, whoever sent them. The place of capture doubles them; they were on the wire once, and are counted once here.`,
          count: doubling.pairs,
          evidence: asEvidence(capture, doubling.frames, 'the same frame twice'),
          cause:
            'A mirror port that copies a frame where it enters and where it leaves, or a capture on a device and the one below it.',
          remedy: [
            {
              text: 'Mirror one direction of each port, or capture one device',
              commands: ['tcpdump -i <one device> -w again.pcap'],
            },
            { text: 'Take the copies out', commands: ['editcap -D 5 in.pcap out.pcap'] },
          ],
          caveats: ['a reflective relay doubles what its own hosts send to each other; here others are doubled too'],
          wouldRaise: ['a capture that keeps directions'],
          explains: [...doubling.bases].map((base) => ({ rule: 'ethernet/reflection', key: String(base) })),
        });
      },
    };

    /** A relay doubles a few MACs behind one port; a tap doubles stations that answer each other from both of its sides. */
    function hasStranger(capture: number): boolean {
      const { stations, segments } = network;
      let universal = 0;
      for (let row = 0; row < stations.count; row++) {
        if (segments.captureOf(stations.segment(row)) !== capture || stations.sent(row) === 0) continue;
        // Group-addressed frames alone may well come back by a relay; what is answered by a third machine does not.
        if (!isLocallyAdministered(stations.hi(row)) && stations.doubled(row) > 0) universal++;
      }
      return universal > 1;
    }
  },
};

/** Whether the host context says that frames come back at the place of capture: its own port is in hairpin mode, or the one it is plugged into. */
function seesReflections(network: Network): boolean {
  return network.vantage?.hairpin === true || isAtReflector(network);
}
