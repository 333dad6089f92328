import type { Rule } from '../rule.js';
import { ofCapture } from './parts/whole.js';

/** Only frames that go out, or only frames that come in (catalogue K7). */
export const oneDirection: Rule = {
  meta: {
    id: 'capture/one-direction',
    severity: 'info',
    summary: 'Only one direction was captured: silence from the other side proves nothing',
    catalogue: 'K7',
    thresholds: {
      frames: { value: 10, unit: 'frames, all of them one way', source: 'fewer may be an accident' },
    },
  },
  create(context) {
    const { thresholds } = context;
    return {
      captureEnd(capture) {
        const { frames, inbound, outbound, info } = context.captures[capture];
        // netdiag itself takes both: nothing comes, or the port only listens.
        if (info.format === 'live') return;
        if (frames < thresholds.frames || inbound + outbound < frames || (inbound > 0 && outbound > 0)) return;
        const { name, ...whole } = ofCapture(context, capture);
        const missing = inbound === 0 ? 'came in' : 'went out';
        context.report({
          ...whole,
          confidence: 'likely',
          title: `No frame ${missing}: the capture may show one direction only`,
          summary: `All ${frames} frames of ${name} ${inbound === 0 ? 'went out' : 'came in'}. Either the link is dead in the other direction, or the capture left it out: then no missing answer can be judged here.`,
          count: frames,
          evidence: [],
          cause:
            'tcpdump -Q in or -Q out, a mirror port that copies one direction, or a link on which nothing comes back.',
          remedy: [{ text: 'Capture both directions', commands: ['tcpdump -Q inout -i <device> -w again.pcap'] }],
          wouldRaise: ['a capture of both directions at the same place'],
        });
      },
    };
  },
};
