import { lossesOf } from '../parts/losses.js';
import { setting } from '../parts/setting.js';
import type { Rule } from '../rule.js';
import { ofCapture, onDevice } from './parts/whole.js';

/** The capturing side lost frames: it says so, or data is acknowledged that it does not hold (catalogue K1). */
export const droppedFrames: Rule = {
  meta: {
    id: 'capture/dropped-frames',
    severity: 'warning',
    summary: 'The capturing side lost frames: what seems missing may have been there',
    catalogue: 'K1',
    thresholds: { gaps: setting('lostGaps'), share: setting('lostShare') },
  },
  create(context) {
    return {
      captureEnd(capture) {
        const losses = lossesOf(context, capture);
        // Requests of pings may have taken another way.
        if (!losses || losses.lost === 0) return;
        const { isCounted, lost, isNotable, evidence } = losses;
        const { frames, records } = context.captures[capture];
        const { name, ...whole } = ofCapture(context, capture);
        const remedy = [
          {
            text: 'A larger buffer (KiB), a narrower filter, fewer bytes of each frame',
            commands: [
              onDevice(context, capture, (device) => `tcpdump -B 65536 -s 256 -i ${device} -w again.pcap arp or icmp`),
            ],
          },
        ];
        const caveat = isNotable
          ? 'findings of silence in this capture are less sure'
          : 'too few to make findings of silence in this capture less sure';
        if (isCounted) {
          context.report({
            ...whole,
            confidence: 'certain',
            title: `${lost} frames were lost while capturing`,
            summary: `${name} holds ${Math.max(frames, records)} frames and says itself that ${lost} more were dropped by the interface or the kernel. An answer that seems missing may be among them.`,
            count: lost,
            evidence: [],
            cause:
              'Frames came faster than they were written: the buffer was too small, the disk too slow, or the filter too wide.',
            remedy,
            caveats: [caveat],
          });
          return;
        }
        context.report({
          ...whole,
          confidence: 'likely',
          title: `Frames are missing in the capture: data is acknowledged that it does not hold, ${lost} times`,
          summary: `In ${name} receivers acknowledge TCP data that was never captured, in ${lost} places; what was sent before and after it is here. It arrived, so the network did not lose it: the capture did. An answer that seems missing may have been lost with it.`,
          count: lost,
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
