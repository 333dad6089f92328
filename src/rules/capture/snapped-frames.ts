import type { Rule } from '../rule.js';
import { frames as asEvidence, ofCapture, onDevice } from './parts/whole.js';

/** Only the beginning of frames was kept (catalogue K2). */
export const snappedFrames: Rule = {
  meta: {
    id: 'capture/snapped-frames',
    severity: 'info',
    summary: 'Only the beginning of frames was kept: inner headers and checksums may be missing',
    catalogue: 'K2',
  },
  create(context) {
    return {
      captureEnd(capture) {
        const quality = context.network.captures.of(capture);
        if (!quality || quality.snapped === 0) return;
        const { snapped, shortest, snappedFrames: numbers } = quality;
        const { name, ...whole } = ofCapture(context, capture);
        context.report({
          ...whole,
          confidence: 'certain',
          title: `${snapped} of ${context.captures[capture].frames} frames were cut, to ${shortest} bytes at the shortest`,
          summary: `${name} keeps only the beginning of ${snapped} frames. Headers behind the cut (DHCP options, what VXLAN carries) are not known, and checksums over the cut part cannot be checked.`,
          count: snapped,
          evidence: asEvidence(capture, numbers, 'cut'),
          cause: 'The capture was taken with a snap length.',
          remedy: [
            {
              text: 'Keep whole frames',
              commands: [onDevice(context, capture, (device) => `tcpdump -s 0 -i ${device} -w again.pcap`)],
            },
          ],
        });
      },
    };
  },
};
