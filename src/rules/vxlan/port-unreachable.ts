import type { Rule } from '../rule.js';
import { innerSymptoms, type Refusal, refusalOf, refusalsOf } from './parts/refusals.js';
import { onEndpoint, vxlanDevices, vxlanLine } from './parts/tunnel.js';

/** The far endpoint says that nothing listens on the VXLAN port (catalogue F1). */
export const portUnreachable: Rule = {
  meta: {
    id: 'vxlan/port-unreachable',
    severity: 'error',
    summary: 'The far tunnel endpoint refuses VXLAN: nothing listens on the port',
    catalogue: 'F1',
  },
  create({ network, report }) {
    function tell(refusal: Refusal): void {
      if (!refusal.isPort) return;
      const { key, segment, capture, count, first, last, from, to, port } = refusal;
      const devices = vxlanDevices(network, refusal.target);
      report({
        key,
        segment,
        capture,
        count,
        first,
        last,
        confidence: 'certain',
        title: `${to} refuses VXLAN from ${from}: nothing listens on UDP port ${port}`,
        summary:
          `${from} sends VXLAN to ${to}, UDP port ${port}, and ${to} answers "port unreachable", ${times(count)}. ` +
          'The packets arrive; what they carry is thrown away.',
        subject: { endpoint: to, sender: from, port },
        evidence: refusal.evidence,
        cause: `${to} has no VXLAN device on port ${port}: it is down or deleted, has another port, or ${to} is not the machine that was meant.`,
        remedy: [
          {
            text: `See which VXLAN devices ${to} has, and on which port`,
            commands: [onEndpoint(network, refusal.target, 'ip -d link show type vxlan')],
          },
          {
            text: 'Without a VXLAN device there: make one, with the VNI and port that the others use',
            commands: [
              onEndpoint(
                network,
                refusal.target,
                `ip link add vxlan0 type vxlan id <VNI> local ${to} remote ${from} dstport ${port}`,
              ),
            ],
          },
          {
            text: `If ${to} is the wrong machine: take it out of the sender's destinations`,
            commands: [onEndpoint(network, refusal.sender, `bridge fdb show | grep 'dst ${to}'`)],
          },
        ],
        context: devices.map(vxlanLine),
        wouldRaise: [],
        explains: [...innerSymptoms(network, refusal)],
      });
    }

    return {
      events: { tunnelRefused: (row) => tell(refusalOf(network, row)) },
      captureEnd: (capture) => refusalsOf(network, capture).forEach(tell),
    };
  },
};

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
