import type { Rule } from '../rule.js';
import { ofCapture } from './whole.js';

/** The capturing side says that it lost frames (catalogue K1). */
export const droppedFrames: Rule = {
  meta: {
    id: 'capture/dropped-frames',
    severity: 'warning',
    summary: 'The capturing side lost frames: what seems missing may have been there',
    catalogue: 'K1',
  },
  create(context) {
    return {
      captureEnd(capture) {
        const { info, frames } = context.captures[capture];
        const dropped = info.dropped ?? 0;
        if (dropped === 0) return;
        const { name, ...whole } = ofCapture(context, capture);
        context.report({
          ...whole,
          confidence: 'certain',
          title: `${dropped} frames were lost while capturing`,
          summary: `${name} holds ${frames} frames and says itself that ${dropped} more were dropped by the interface or the kernel. An answer that seems missing may be among them.`,
          count: dropped,
          evidence: [],
          cause:
            'Frames came faster than they were written: the buffer was too small, the disk too slow, or the filter too wide.',
          remedy: [
            {
              text: 'A larger buffer (KiB), a narrower filter, fewer bytes of each frame',
              commands: ['tcpdump -B 65536 -s 256 -i <device> -w again.pcap arp or icmp'],
            },
          ],
          caveats: ['findings of silence in this capture are less sure'],
        });
      },
    };
  },
};
