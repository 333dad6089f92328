import { REFLECTION_WINDOW_NS } from '../../network/link/copies.js';
import type { Network } from '../../network/network.js';
import { Direction } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import { confidenceBy } from '../parts/confidence.js';
import { pairOf } from '../parts/evidence.js';
import { isAtReflector } from '../parts/reflector.js';
import type { EvidenceRef, Rule } from '../rule.js';

const MAX_FRAMES = 64;
const MAX_PORTS = 1000;
/** Stations looked at in order to tell a relay from a tap. */
const MAX_STATIONS = 10_000;

interface Port {
  base: number;
  capture: number;
  /** Pairs seen going out and coming in, and pairs of unknown direction. */
  reflected: number;
  unknown: number;
  loops: boolean;
  first: number;
  last: number;
  frames: EvidenceRef[];
}

/** The switch sends frames back to the port they came from (catalogue B2): a healthy reflective relay. */
export const reflection: Rule = {
  meta: {
    id: 'ethernet/reflection',
    severity: 'info',
    summary: 'Frames come back in just after they left: the switch reflects them (reflective relay, hairpin)',
    catalogue: 'B2',
    thresholds: {
      pairs: { value: 3, unit: 'pairs where directions are unknown', source: 'fewer may be chance' },
      loop: {
        value: 5,
        unit: 'sightings of one frame that speak of a loop, not of a relay',
        source: 'a relay sends each back once',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const ports = new Map<number, Port>();

    function tell(port: Port): void {
      const { base, capture, reflected, unknown, loops, first, last, frames } = port;
      const key = String(base);
      const doubling = reflected > 0 ? null : doublingOf(network, base);
      const isKnown = isAtReflector(network);
      if (loops || (reflected === 0 && (unknown < thresholds.pairs || (doubling === null && !isKnown)))) {
        withdraw(key);
        return;
      }
      const count = reflected + unknown;
      report({
        key,
        segment: base,
        capture,
        count,
        first,
        last,
        confidence: confidenceBy({ certain: reflected > 0 || isKnown, likely: doubling === 'some' }),
        title: `The switch reflects frames: ${count} came back right after ${count === 1 ? 'it was' : 'they were'} sent`,
        summary:
          `${count === 1 ? 'One frame is' : `${count} frames are`} here twice, byte for byte, within ${REFLECTION_WINDOW_NS / 1e6} ms${reflected > 0 ? ', first going out and then coming in' : ''}. ` +
          'That is a reflective relay (hairpin) at work, as VEPA needs it: these are no duplicates, no loop and no retransmissions.',
        subject: {},
        evidence: frames,
        cause: 'The switch port facing this host has hairpin mode (reflective relay) on.',
        remedy: [
          {
            text: 'Nothing to cure. To look at the setting on a Linux bridge',
            commands: ['bridge -d link show dev <port>'],
          },
        ],
        caveats:
          reflected > 0 ? [] : ['directions are unknown in this file: a tap that doubles frames would look alike'],
        wouldRaise: reflected > 0 ? [] : ['a capture that keeps directions: `tcpdump -i any`, or pcapng'],
      });
    }

    return {
      events: {
        copied(copy, frame, base) {
          // A cooked capture of all devices shows a frame once for each device; LINUX_SLL does not say which.
          if (frame.kinds[0] === Protocol.Sll) return;
          const { copies } = network;
          let port = ports.get(base);
          if (!port) {
            if (ports.size === MAX_PORTS) return;
            port = {
              base,
              capture: frame.capture,
              reflected: 0,
              unknown: 0,
              loops: false,
              first: copies.firstTime(copy),
              last: frame.time,
              frames: [],
            };
            ports.set(base, port);
          }
          if (copies.count(copy) + 1 >= thresholds.loop) port.loops = true;
          if (copies.count(copy) > 1 || frame.time - copies.firstTime(copy) > REFLECTION_WINDOW_NS) return;
          const isOutIn = copies.firstDirection(copy) === Direction.Out && frame.direction === Direction.In;
          if (isOutIn) port.reflected++;
          else if (frame.direction === Direction.Unknown) port.unknown++;
          else return;
          port.last = frame.time;
          if (port.frames.length + 2 <= MAX_FRAMES)
            port.frames.push(...pairOf(frame, copies.firstNumber(copy), ['sent', 'the same frame comes back']));
        },
      },
      captureEnd(capture) {
        for (const port of ports.values()) if (port.capture === capture) tell(port);
      },
    };
  },
};

/**
 * Which stations are doubled where directions are unknown. `some`: at least two of them with every frame, others
 * not at all; `all`: every frame of all of them, at least two; null: neither, so no relay does it.
 */
function doublingOf(network: Network, base: number): 'some' | 'all' | null {
  const { stations, segments } = network;
  let whole = 0;
  let single = 0;
  for (let row = 0; row < Math.min(stations.count, MAX_STATIONS); row++) {
    if (stations.sent(row) === 0 || segments.baseOf(stations.segment(row)) !== base) continue;
    if (stations.doubled(row) === 0) single++;
    else if (stations.doubled(row) * 2 >= stations.sent(row)) whole++;
    else return null;
  }
  if (whole < 2) return null;
  return single > 0 ? 'some' : 'all';
}
