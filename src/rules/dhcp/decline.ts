import { formatIpv4, formatMac } from '../../wire/address.js';
import { DhcpMessage } from '../../wire/dhcp.js';
import type { Remedy, Rule } from '../rule.js';
import { dhcpFrames } from './parts/client.js';

/** Where nobody is seen to have the address, the client may have failed on its own. */
const WHY: Remedy = {
  text: 'On the client: see what it says when it gives the address back, and whether its script runs to its end',
  commands: ['dhclient -1 -v <device>'],
};

/** A client gives an address back because somebody uses it already (catalogue H8). */
export const decline: Rule = {
  meta: {
    id: 'dhcp/decline',
    severity: 'warning',
    summary: 'A DHCP client gives its address back: somebody else uses it already',
    catalogue: 'H8',
  },
  create({ network, report }) {
    const { leases, segments, claims, bindings, addresses } = network;
    return {
      events: {
        leased(exchange, type) {
          if (type !== DhcpMessage.Decline) return;
          const client = leases.clientOf(exchange);
          const segment = leases.segment(client);
          const capture = segments.captureOf(segment);
          const mac = formatMac(leases.hi(client), leases.lo(client));
          const ip = formatIpv4(leases.wanted(exchange));
          const time = leases.time(exchange, DhcpMessage.Decline);
          // Whoever answered the client when it looked whether the address is free.
          const holder = claims.holder(segment, addresses.ipv4(leases.wanted(exchange)));
          const isTaken =
            holder >= 0 && (bindings.hi(holder) !== leases.hi(client) || bindings.lo(holder) !== leases.lo(client));
          const evidence = dhcpFrames(capture, `DHCP decline of ${ip}`, leases.places(exchange, DhcpMessage.Decline));
          report({
            key: `${segment} ${mac} ${ip}`,
            segment,
            capture,
            confidence: 'certain',
            count: evidence.length,
            first: time,
            last: time,
            title: `${mac} declines ${ip}${isTaken ? ': the address is taken' : ', which DHCP gave it'}`,
            summary: `${mac} was given ${ip} by DHCP, ${isTaken ? 'found that another machine answers for it, ' : ''}and gave it back (DECLINE). The server will not hand it out for a while, and the pool shrinks.`,
            subject: { mac, ip },
            evidence,
            cause: isTaken
              ? 'The address lies in the pool of the server, and somebody has it by hand, or from another server.'
              : 'Clients give back what another machine answers for, and nobody is seen to answer here. dhclient gives back too what its script could not set up.',
            remedy: [
              ...(isTaken ? [] : [WHY]),
              { text: 'Find who has it', commands: [`arping -D -c 3 -I <device> ${ip}`, `ip neigh show ${ip}`] },
              {
                text: 'Keep it for its holder, so that the server gives it to nobody else (dnsmasq); or give the holder another',
                commands: [
                  `echo 'dhcp-host=${!isTaken ? '<MAC of the holder>' : formatMac(bindings.hi(holder), bindings.lo(holder))},${ip}' >> /etc/dnsmasq.d/reserved.conf`,
                  'systemctl restart dnsmasq',
                ],
              },
            ],
          });
        },
      },
    };
  },
};
