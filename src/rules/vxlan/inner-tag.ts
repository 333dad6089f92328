import type { Rule } from '../rule.js';
import { address, deviceName, evidence, onEndpoint, tunnelsOf, vxlanDevices, vxlanLine } from './parts/tunnel.js';

/** Frames inside carry a VLAN tag (catalogue F12). */
export const innerTag: Rule = {
  meta: {
    id: 'vxlan/inner-tag',
    severity: 'info',
    summary: 'Frames inside VXLAN carry VLAN tags, which endpoints may drop',
    catalogue: 'F12',
  },
  create({ network, report }) {
    const { tunnels, segments } = network;

    function tell(tunnel: number): void {
      const count = tunnels.taggedFrames(tunnel);
      if (count === 0) return;
      const segment = tunnels.segment(tunnel);
      const capture = segments.captureOf(segment);
      const source = tunnels.source(tunnel);
      const [from, to] = [address(network, source), address(network, tunnels.destination(tunnel))];
      const vni = tunnels.vni(tunnel);
      report({
        key: String(tunnel),
        segment,
        capture,
        confidence: 'certain',
        title: `Frames with VLAN tags go through VNI ${vni} from ${from} to ${to}`,
        summary: `${count} of ${tunnels.frames(tunnel)} frames that ${from} sends to ${to} in VNI ${vni} carry a VLAN tag inside. An endpoint should drop such frames unless it is told otherwise, and each tag takes 4 more bytes.`,
        subject: { sender: from, endpoint: to, vni },
        count,
        first: tunnels.first(tunnel),
        last: tunnels.last(tunnel),
        evidence: evidence(capture, 'vlan', tunnels.taggedPlaces(tunnel), 'VLAN tag inside VXLAN'),
        cause:
          'A trunk, or a guest that tags, is bridged into the tunnel. Linux passes the tags on; many hardware endpoints do not.',
        remedy: [
          {
            text: 'If tags are not meant to pass: let the bridge take them off, one VNI for each VLAN',
            commands: [
              onEndpoint(
                network,
                source,
                `bridge vlan add dev ${deviceName(network, source, vni)} vid <VLAN> pvid untagged`,
              ),
            ],
          },
        ],
        context: vxlanDevices(network, source, vni).map(vxlanLine),
      });
    }

    return {
      events: { tunnelled: tell },
      captureEnd: (capture) => tunnelsOf(network, capture).forEach(tell),
    };
  },
};
