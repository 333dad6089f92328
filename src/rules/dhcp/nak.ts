import { formatIpv4, formatMac } from '../../wire/address.js';
import { DhcpMessage } from '../../wire/dhcp.js';
import { printable } from '../../wire/printable.js';
import { at, onlyOf } from '../parts/device-argument.js';
import type { Rule } from '../rule.js';
import { dhcpFrames, inOrder } from './parts/client.js';

const MAX_CLIENTS = 1 << 12;

/** A server refuses the address that a client was just offered, or refuses it again and again (catalogue H4). */
export const nak: Rule = {
  meta: {
    id: 'dhcp/nak',
    severity: 'warning',
    summary: 'A DHCP server refuses a client the address that it was offered, or refuses it again and again',
    catalogue: 'H4',
    thresholds: {
      refusals: {
        value: 2,
        unit: 'refusals in one exchange that are a circle, however far apart',
        source: 'a client that is refused begins anew (RFC 2131 section 3.1)',
      },
      window: {
        value: 60,
        unit: 'seconds between two refusals of a client that goes round in circles',
        source: 'a client that starts over is refused again within seconds',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { leases, segments } = network;
    /** Time of the latest refusal of a client, by its row. */
    const refused = new Map<number, number>();
    return {
      events: {
        leased(exchange, type) {
          if (type !== DhcpMessage.Nak) return;
          const client = leases.clientOf(exchange);
          const segment = leases.segment(client);
          const last = leases.time(exchange, DhcpMessage.Nak);
          const before = refused.get(client) ?? Number.NEGATIVE_INFINITY;
          if (refused.size < MAX_CLIENTS || refused.has(client)) refused.set(client, last);
          const again = leases.naks(exchange) >= thresholds.refusals || last - before <= thresholds.window * 1e9;
          const chosen = leases.chosen(exchange);
          const requested = leases.time(exchange, DhcpMessage.Request);
          // A client that comes from elsewhere asks for its old address and is rightly refused, once.
          if (chosen === 0 && !again) return;
          const mac = formatMac(leases.hi(client), leases.lo(client));
          const device = onlyOf(network.context?.devicesByMac(leases.hi(client), leases.lo(client)));
          const name = device ? printable(device.name) : '<device>';
          const capture = segments.captureOf(segment);
          // A renewal names the address in ciaddr, and a capture may begin behind the request.
          const wanted = leases.wanted(exchange);
          const ip = formatIpv4(wanted);
          const asked = wanted === 0 ? 'an address' : ip;
          report({
            key: `${segment} ${mac} ${leases.xid(exchange)}`,
            segment,
            capture,
            confidence: 'certain',
            count: leases.naks(exchange),
            // A capture may begin with the refusal.
            first: Number.isFinite(requested) ? Math.max(requested, last - thresholds.window * 1e9) : last,
            last,
            title: `${mac} asks for ${asked} and a DHCP server refuses it`,
            summary: again
              ? `${mac} asks for ${asked} and is refused (NAK) again and again.`
              : `${mac} asks the server ${formatIpv4(chosen)} for ${asked}, and a server answers with a NAK: it should start over.`,
            subject: wanted === 0 ? { mac } : { mac, ip },
            evidence: inOrder(
              dhcpFrames(capture, `DHCP request for ${asked}`, leases.places(exchange, DhcpMessage.Request)),
              dhcpFrames(capture, 'DHCP NAK', leases.places(exchange, DhcpMessage.Nak)),
            ),
            cause:
              'Two servers that do not know of each other, a subnet that moved, or a lease that another client got meanwhile.',
            remedy: [
              {
                text: 'See who answers, and stop the server that should not',
                commands: [at(device, `tcpdump -envi ${device ? name : 'any'} 'udp src port 67'`)],
              },
              {
                text: 'Let the client forget its old lease, and ask anew; it has no address meanwhile (dhcpcd: -k in place of -r)',
                commands: [at(device, `dhclient -r ${name}`), at(device, `dhclient ${name}`)],
              },
            ],
          });
        },
      },
    };
  },
};
