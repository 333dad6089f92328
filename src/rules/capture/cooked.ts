import type { Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import type { Rule } from '../rule.js';
import { ofCapture } from './parts/whole.js';

/** Cooked captures have no destination MAC (catalogue K8). */
export const cooked: Rule = {
  meta: {
    id: 'capture/cooked',
    severity: 'info',
    summary: 'A cooked capture has no destination MAC: some rules cannot speak',
    catalogue: 'K8',
  },
  create(context) {
    /** Packets with a cooked header by capture, where the destination MAC would have told something. */
    const counts = new Map<number, number>();
    function count({ kinds, readable, capture }: Frame): void {
      let packets = 0;
      for (let layer = 1; layer < readable; layer++)
        if (kinds[layer] === Protocol.Ipv4 || kinds[layer] === Protocol.Ipv6) packets++;
      if (packets > 0) counts.set(capture, (counts.get(capture) ?? 0) + packets);
    }

    return {
      layers: { Sll: count, Sll2: count },
      captureEnd(capture) {
        const packets = counts.get(capture);
        if (packets === undefined) return;
        const { name, ...whole } = ofCapture(context, capture);
        context.report({
          ...whole,
          confidence: 'certain',
          title: 'The capture is cooked: it keeps directions, but no destination MAC',
          summary: `${name} was taken on all devices at once. Each of its ${packets} IP packets has a direction and a device number, but no destination MAC, and the same packet may be in it once for each device it passed: rules about equal or foreign MACs are silent here.`,
          count: packets,
          evidence: [],
          cause: 'tcpdump -i any writes Linux cooked headers (LINUX_SLL, LINUX_SLL2).',
          remedy: [
            { text: 'For MAC addresses capture on the device itself', commands: ['tcpdump -i <device> -w again.pcap'] },
          ],
        });
      },
    };
  },
};
