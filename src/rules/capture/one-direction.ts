import type { Rule } from '../rule.js';
import { frames as asEvidence, ofCapture, onDevice } from './parts/whole.js';

/** Only frames that go out, or only frames that come in; or one side of each TCP connection (catalogue K7, J6). */
export const oneDirection: Rule = {
  meta: {
    id: 'capture/one-direction',
    severity: 'info',
    summary: 'Only one direction was captured: silence from the other side proves nothing',
    catalogue: 'K7',
    thresholds: {
      frames: { value: 10, unit: 'frames, all of them one way', source: 'fewer may be an accident' },
      connections: {
        value: 3,
        unit: 'TCP connections, one side of each seen, and no other connections',
        source: 'one or two may just take another way back',
      },
    },
  },
  create(context) {
    const { thresholds, network } = context;
    const { segments } = network;
    const remedyOf = (capture: number) => [
      {
        text: 'Capture both directions',
        commands: [onDevice(context, capture, (device) => `tcpdump -Q inout -i ${device} -w again.pcap`)],
      },
    ];

    /** Without directions, connections show it: what is acknowledged was said, and is not here. */
    function tellConnections(capture: number): void {
      const { count, frames } = network.flows.oneSided((segment) => segments.captureOf(segment) === capture);
      if (count < thresholds.connections) return;
      const { name, ...whole } = ofCapture(context, capture);
      context.report({
        ...whole,
        confidence: 'certain',
        title: `Only one side of ${count} TCP connections is in the capture`,
        summary: `In ${name} ${count} TCP connections show what one end sends and never what the other does, though it is acknowledged and did arrive. No missing answer can be judged here.`,
        count,
        evidence: asEvidence(capture, frames, 'acknowledges what is not in the capture'),
        cause:
          'A capture filter for one source, tcpdump -Q in or -Q out, a mirror port that copies one direction, or the other direction takes another way and does not pass here: asymmetric routes, a balancer whose servers reply directly.',
        remedy: remedyOf(capture),
        wouldRaise: [],
      });
    }

    return {
      captureEnd(capture) {
        const { frames, inbound, outbound, info } = context.captures[capture];
        // netdiag itself takes both: nothing comes, or the port only listens.
        const isLive = info.format === 'live';
        if (isLive || frames < thresholds.frames || inbound + outbound < frames || (inbound > 0 && outbound > 0)) {
          tellConnections(capture);
          return;
        }
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
          remedy: remedyOf(capture),
          wouldRaise: ['a capture of both directions at the same place'],
        });
      },
    };
  },
};
