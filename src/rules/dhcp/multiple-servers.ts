import { formatIpv4, formatMac } from '../../wire/address.js';
import { DhcpMessage } from '../../wire/dhcp.js';
import { confidenceBy } from '../parts/confidence.js';
import type { Rule } from '../rule.js';
import { dhcpFrames, inOrder } from './parts/client.js';

/** Two servers offer for one discover (catalogue H5). */
export const multipleServers: Rule = {
  meta: {
    id: 'dhcp/multiple-servers',
    severity: 'warning',
    summary: 'Two DHCP servers offer to one client: one of them may be a stranger',
    catalogue: 'H5',
  },
  create({ network, report }) {
    const { leases, segments } = network;
    return {
      events: {
        leased(exchange, type) {
          const [server, rival] = leases.servers(exchange);
          if (rival === 0 || (type !== DhcpMessage.Offer && type !== DhcpMessage.Request)) return;
          const client = leases.clientOf(exchange);
          const segment = leases.segment(client);
          const capture = segments.captureOf(segment);
          const mac = formatMac(leases.hi(client), leases.lo(client));
          const [router, rivalRouter] = leases.routers(exchange);
          const differs = rivalRouter !== -1 && router !== rivalRouter;
          const [one, other] = [server, rival].map(formatIpv4).sort();
          const gateways = differs
            ? ` One names ${router === 0 ? 'no default router' : `the default router ${formatIpv4(router)}`}, the other ${rivalRouter === 0 ? 'none' : formatIpv4(rivalRouter)}.`
            : '';
          const evidence = inOrder(
            dhcpFrames(capture, 'DHCP offer', leases.places(exchange, DhcpMessage.Offer)),
            rivalRouter === -1
              ? dhcpFrames(
                  capture,
                  'DHCP request that names another server',
                  leases.places(exchange, DhcpMessage.Request),
                )
              : [],
          );
          report({
            key: `${segment} ${one} ${other}`,
            segment,
            capture,
            confidence: confidenceBy({ certain: differs, likely: rivalRouter === -1 }),
            count: 1,
            first: leases.time(exchange, DhcpMessage.Offer),
            last: leases.time(exchange, DhcpMessage.Offer),
            title: `Two DHCP servers answer ${mac}: ${one} and ${other}`,
            summary: `${mac} asks once, and ${one} and ${other} both offer an address.${gateways} Whoever comes first wins: addresses and routers change from one start to the next.`,
            subject: { server: one, rival: other },
            evidence,
            cause:
              "A second DHCP server is on this segment: a router plugged in the wrong way round, libvirt's or a container's dnsmasq on a bridge that reaches the LAN, or the other half of a failover pair.",
            remedy: [
              {
                text: 'Find the server that should not be here, by its MAC',
                commands: ["tcpdump -envi any 'udp src port 67'", `ip neigh show ${one}`, `ip neigh show ${other}`],
              },
              {
                text: 'If it is libvirt on this host: stop its network',
                commands: ['virsh net-list', 'virsh net-destroy <network>'],
              },
            ],
            caveats: differs ? [] : ['a failover pair of servers looks alike: both are meant to answer'],
            wouldRaise: ['which servers are meant to be here'],
          });
        },
      },
    };
  },
};
