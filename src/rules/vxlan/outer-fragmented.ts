import type { Network } from '../../network/network.js';
import { IpProtocol } from '../../wire/ip-protocols.js';
import { USUAL_MTU } from '../parts/sizes/oversize.js';
import type { Rule } from '../rule.js';
import { largerBelow, smallerInside } from './parts/sizes.js';
import { address, evidence, isGroup, tunnelsOf, vxlanDevices, vxlanLine } from './parts/tunnel.js';

/** What VXLAN adds: outer IP, UDP and VXLAN headers and the inner Ethernet header, in bytes (IPv4; IPv6 20 more). */
const OVERHEAD_V4 = 50;
const OVERHEAD_V6 = 70;

/** Outer packets are sent in fragments (catalogue F9). */
export const outerFragmented: Rule = {
  meta: {
    id: 'vxlan/outer-fragmented',
    severity: 'warning',
    summary: 'VXLAN packets are sent in fragments: they are larger than the network below carries',
    catalogue: 'F9',
  },
  create({ network, report }) {
    const { tunnels, segments, fragments, addresses } = network;

    function tell(tunnel: number): void {
      const count = tunnels.fragmentedPackets(tunnel);
      if (count === 0) return;
      const segment = tunnels.segment(tunnel);
      const capture = segments.captureOf(segment);
      const source = tunnels.source(tunnel);
      const destination = tunnels.destination(tunnel);
      const [from, to] = [address(network, source), address(network, destination)];
      const vni = tunnels.vni(tunnel);
      const flow = fragments.find(segment, IpProtocol.Udp, source, destination);
      const ends = [source, destination].filter((each) => !isGroup(network, each));
      const lost = flow < 0 ? 0 : fragments.lost(flow);
      const overhead = addresses.isIpv4(source) ? OVERHEAD_V4 : OVERHEAD_V6;
      report({
        key: String(tunnel),
        segment,
        capture,
        confidence: 'certain',
        title: `VXLAN from ${from} to ${to} goes in fragments${lost > 0 ? ', and not all of them arrive' : ''}`,
        summary:
          `${count} of ${tunnels.frames(tunnel)} packets of VNI ${vni} from ${from} to ${to} are too large for the network below and were cut into fragments. ` +
          (lost > 0 ? `Of ${lost} of them, fragments are missing here. ` : '') +
          'Endpoints must not fragment; many endpoints, firewalls and network cards drop fragments, and then large packets vanish while small ones pass.',
        subject: { sender: from, endpoint: to, vni },
        count,
        first: tunnels.first(tunnel),
        last: tunnels.last(tunnel),
        evidence: evidence(
          capture,
          addresses.isIpv4(source) ? 'ipv4' : 'ipv6',
          tunnels.fragmentedPlaces(tunnel),
          'first fragment of a VXLAN packet',
        ),
        cause: `What the stations inside send is larger than the MTU of the network below less the ${overhead} bytes that VXLAN adds.`,
        remedy: [
          {
            text: 'Where the network below allows it: a larger MTU there, on every device on the way',
            commands: largerBelow(network, ends, 1600),
          },
          {
            text: `Else a smaller MTU inside, at both ends: ${overhead} bytes less than below (in the guests too)`,
            commands: smallerInside(network, ends, vni, mtuBelow(network, source) - overhead),
          },
          {
            text: 'For containers',
            commands: [
              `docker network create --opt com.docker.network.driver.mtu=${USUAL_MTU - overhead} -d overlay <network>`,
            ],
          },
        ],
        context: vxlanDevices(network, source, vni).map((device) => `${vxlanLine(device)}, MTU ${device.mtu ?? '?'}`),
        explains: [
          { rule: 'mtu/fragments-incomplete', key: String(flow) },
          { rule: 'vxlan/inner-mtu', key: `${capture} ${vni}` },
          { rule: 'vxlan/inner-mtu', key: `${capture} ${vni} ipv6` },
        ],
      });
    }

    return {
      events: { tunnelled: tell },
      captureEnd: (capture) => tunnelsOf(network, capture).forEach(tell),
    };
  },
};

/** MTU of the device that carries an endpoint, by the host context; else the usual one. */
function mtuBelow({ context, addresses }: Network, endpoint: number): number {
  const devices = context?.devicesByIp(addresses.words(endpoint)) ?? [];
  return (devices.length === 1 ? devices[0].mtu : null) ?? USUAL_MTU;
}
