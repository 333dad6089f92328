import type { Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import type { Rule } from '../rule.js';
import { frames as asEvidence, ofCapture, onDevice } from './parts/whole.js';

const MAX_EXAMPLES = 16;
/** Longest frame with two VLAN tags, in bytes. */
const LONGEST_PLAIN = 1522;

/** Segments put together by the network stack, larger than any frame on the wire (catalogue K5). */
export const offloadSuperframes: Rule = {
  meta: {
    id: 'capture/offload-superframes',
    severity: 'info',
    summary: 'Frames are larger than the wire carries: segmentation offload, not a fault',
    catalogue: 'K5',
    thresholds: {
      jumbo: {
        value: 9234,
        unit: 'bytes of the longest frame of a wire, above which it is certain',
        source: 'jumbo frames: an MTU of 9000 to 9216, and headers',
      },
    },
  },
  create(context) {
    const { thresholds } = context;
    /** Oversized frames with TCP in them, or so large ones with UDP that no wire has them, by capture: of others it is open whether they are jumbo frames. */
    const found = new Map<number, number[]>();

    function note(frame: Frame): void {
      const numbers = found.get(frame.capture) ?? [];
      if (numbers.length === 0) found.set(frame.capture, numbers);
      if (numbers.length < MAX_EXAMPLES) numbers.push(frame.number);
    }

    return {
      layers: {
        Tcp(frame) {
          if (frame.wireLength > LONGEST_PLAIN && innermost(frame) > LONGEST_PLAIN) note(frame);
        },
        Udp(frame, layer) {
          if (frame.wireLength <= thresholds.jumbo || innermost(frame) <= thresholds.jumbo) return;
          if (!isLoopback(frame) && isInnermost(frame, layer)) note(frame);
        },
      },
      captureEnd(capture) {
        const numbers = found.get(capture);
        const quality = context.network.captures.of(capture);
        if (!numbers || !quality) return;
        const { name, ...whole } = ofCapture(context, capture);
        const oversized = quality.oversized === 1 ? '1 frame is' : `${quality.oversized} frames are`;
        const upTo = quality.oversized === 1 ? `: ${quality.longest} bytes` : `, up to ${quality.longest} bytes`;
        const isSure = quality.longest > thresholds.jumbo;
        context.report({
          ...whole,
          confidence: isSure ? 'certain' : 'likely',
          title: `${oversized} larger than a wire carries${upTo}`,
          summary: `In ${name} ${oversized} longer than ${LONGEST_PLAIN} bytes${upTo}. The stack hands TCP, and UDP of programs that ask for it, to the device in large pieces, and the device cuts them (TSO, USO, GSO) or joins them (GRO): the wire sees smaller frames. Sizes in this capture say nothing about the MTU.`,
          count: quality.oversized,
          evidence: asEvidence(capture, numbers, 'larger than the wire carries'),
          cause: 'Segmentation or receive offload of the capturing host, or jumbo frames.',
          remedy: [
            {
              text: 'Nothing to cure. To see real sizes, turn it off for the test',
              commands: [onDevice(context, capture, (device) => `ethtool -K ${device} tso off gso off gro off`)],
            },
          ],
          caveats: isSure ? [] : ['a network with jumbo frames looks alike'],
        });
      },
    };
  },
};

/** Length in bytes of the innermost Ethernet frame: what carries tunnels carries their headers besides. */
function innermost({ kinds, offsets, layerCount, start, wireLength }: Frame): number {
  let from = start;
  for (let layer = 0; layer < layerCount; layer++) if (kinds[layer] === Protocol.Ethernet) from = offsets[layer];
  return wireLength - (from - start);
}

/** Whether no TCP or further UDP is inside: a frame is noted once. */
function isInnermost({ kinds, layerCount }: Frame, layer: number): boolean {
  for (let at = layer + 1; at < layerCount; at++)
    if (kinds[at] === Protocol.Udp || kinds[at] === Protocol.Tcp) return false;
  return true;
}

/** On `lo`, whose MTU is 64 KiB, datagrams of that size are what they seem; its frames have no addresses. */
function isLoopback({ kinds, view, start }: Frame): boolean {
  return kinds[0] !== Protocol.Ethernet || (view.getUint32(start + 6) === 0 && view.getUint16(start + 10) === 0);
}
