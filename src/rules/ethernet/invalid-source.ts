import { formatMac } from '../../wire/address.js';
import type { Frame } from '../../wire/frame.js';
import { bytesOf } from '../parts/evidence.js';
import { Observations, type Observed, wholeOf } from '../parts/observations.js';
import { segmentAt } from '../parts/segment.js';
import type { Rule } from '../rule.js';

const MAX_SOURCES = 1000;
const MAX_FRAMES = 16;

interface Source {
  readonly mac: string;
  readonly isZero: boolean;
}

/** Frames whose source MAC no device can have (catalogue D6). */
export const invalidSource: Rule = {
  meta: {
    id: 'ethernet/invalid-source',
    severity: 'warning',
    summary: 'Frames carry a source MAC that is a group address or zero, which bridges drop',
    catalogue: 'D6',
    thresholds: {
      frames: { value: 3, unit: 'frames that make more than a hint', source: 'fewer may be one damaged record' },
    },
  },
  create({ network, report, thresholds }) {
    const sources = new Observations<Source>(MAX_SOURCES, MAX_FRAMES);

    function note(frame: Frame, layer: number, hi: number, lo: number): void {
      const segment = segmentAt(network, frame, layer);
      const mac = formatMac(hi, lo);
      const source = sources.at(`${segment} ${mac}`, segment, frame, () => ({ mac, isZero: hi === 0 && lo === 0 }));
      if (source && sources.count(source, frame))
        source.evidence.push(bytesOf(frame, 'ethernet', frame.offsets[layer] + 6, 6, `source ${mac}`));
    }

    function tell(source: Observed<Source>): void {
      const { count } = source;
      const { mac, isZero } = source.what;
      const kind = isZero ? 'the address zero' : 'a group address';
      report({
        ...wholeOf(source),
        confidence: count >= thresholds.frames ? 'certain' : 'hint',
        title: `${count === 1 ? 'A frame has' : `${count} frames have`} the source ${mac}, which is ${kind}`,
        summary: `${count === 1 ? 'One frame carries' : `${count} frames carry`} the source MAC ${mac}. That is ${kind}, which no device may send from: bridges and switches drop such frames, and what answers them is flooded or lost.`,
        subject: { mac },
        cause: isZero
          ? 'A device, a program or a tunnel sends before it has an address, or writes the header itself and leaves the source empty.'
          : 'The address was made up by hand or at random with the lowest bit of its first byte set; in 01, 03, 05 … it marks a group. A program that writes headers itself may also have swapped source and destination.',
        remedy: [
          {
            text: 'Find the device and give it an address whose first byte is even, such as 02',
            commands: [`ip -br link | grep -i '${mac}'`, 'ip link set dev <device> address 02:00:00:00:00:01'],
          },
        ],
        wouldRaise: count >= thresholds.frames ? [] : ['more such frames: one or two may be damaged records'],
      });
    }

    return {
      events: {
        invalidSource(frame, layer) {
          const { view } = frame;
          const at = frame.offsets[layer];
          const [hi, lo] = [view.getUint16(at + 6), view.getInt32(at + 8)];
          // The loopback device writes zero into both, and so do captures whose headers were made up.
          const isFromAndToZero = (hi | lo | view.getUint16(at) | view.getInt32(at + 2)) === 0;
          if (!isFromAndToZero) note(frame, layer, hi, lo);
        },
      },
      captureEnd(capture) {
        for (const source of sources.of(capture)) tell(source);
      },
    };
  },
};
