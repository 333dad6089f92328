import { setting } from '../parts/setting.js';
import type { Rule } from '../rule.js';
import { frames as asEvidence, ofCapture, onDevice } from './parts/whole.js';

/** Time stamps run backwards by more than receive queues explain, or are missing (catalogue K6). */
export const timeDisorder: Rule = {
  meta: {
    id: 'capture/time-disorder',
    severity: 'info',
    summary: 'Time stamps run backwards, or are missing: what depends on time is less sure',
    catalogue: 'K6',
    thresholds: {
      disorder: setting('disorder'),
    },
  },
  create(context) {
    /** Simple packet blocks have no time; the reader of texts says of itself what it does without times. */
    function untimed(capture: number): void {
      const { info, frames } = context.captures[capture];
      if (info.untimed === 0 || info.format !== 'pcapng') return;
      const { name, key, ...whole } = ofCapture(context, capture);
      context.report({
        ...whole,
        key: `${key} untimed`,
        confidence: 'certain',
        title: `${info.untimed} of ${frames} frames carry no time`,
        summary: `${name} holds ${info.untimed} frames in simple packet blocks, which have no time stamp; each is taken for as late as the frame before it. Windows such as "no answer within two seconds" mean nothing there, and equal frames count as one.`,
        count: info.untimed,
        evidence: [],
        cause: 'The program that wrote the file did without times.',
        remedy: [
          {
            text: 'Capture again, with times',
            commands: [onDevice(context, capture, (device) => `tcpdump -i ${device} -w again.pcap`)],
          },
        ],
      });
    }

    return {
      captureEnd(capture) {
        untimed(capture);
        const quality = context.network.captures.of(capture);
        if (!quality || quality.disordered === 0) return;
        const { disordered, longestBack, disorderedFrames } = quality;
        const { name, ...whole } = ofCapture(context, capture);
        context.report({
          ...whole,
          confidence: 'certain',
          title: `${disordered} frames are stamped earlier than frames before them, by up to ${(longestBack / 1e9).toFixed(1)} s`,
          summary: `In ${name} ${disordered} frames are stamped up to ${(longestBack / 1e9).toFixed(3)} s before frames that stand in front of them. Windows such as "no answer within two seconds" mean less there.`,
          count: disordered,
          evidence: asEvidence(capture, disorderedFrames, 'stamped before its predecessor'),
          cause: 'Files were put one behind the other without sorting, or the clock was set while capturing.',
          remedy: [
            {
              text: 'Sort by time',
              commands: ['reordercap in.pcap sorted.pcap', 'mergecap -w sorted.pcap a.pcap b.pcap'],
            },
          ],
        });
      },
    };
  },
};
