import { icmpErrorOf } from '../icmp-error.js';
import type { Rule } from '../rule.js';

/** A router sends a host elsewhere (catalogue C6). */
export const redirect: Rule = {
  meta: {
    id: 'icmp/redirect',
    severity: 'warning',
    summary: 'A router tells a host to send to another machine on the same link instead',
    catalogue: 'C6',
  },
  create({ network, report }) {
    const { icmpErrors, addresses } = network;
    return {
      events: {
        icmpError(row) {
          if (icmpErrors.type(row) !== (icmpErrors.isV6(row) ? 137 : 5)) return;
          const isDirect = icmpErrors.gateway(row) === icmpErrors.destination(row);
          const gateway = addresses.format(icmpErrors.gateway(row));
          const error = icmpErrorOf(network, row, `redirect to ${gateway}`);
          const { reporter, from, to, count } = error;
          const version = icmpErrors.isV6(row) ? 'ipv6' : 'ipv4';
          report({
            ...error,
            confidence: 'certain',
            title: isDirect
              ? `${reporter} tells ${from} to send to ${to} directly`
              : `${reporter} tells ${from} to send to ${to} through ${gateway}`,
            summary:
              `${reporter} got packets from ${from} for ${to} and sends them out on the link they came from; it says so by ICMP redirect, ${count === 1 ? 'once' : `${count} times`}. ` +
              (isDirect
                ? 'A host that obeys asks for its neighbour itself: where the two cannot talk directly (VEPA without reflection, private VLAN, isolated ports) the connection then dies.'
                : 'A host that obeys uses the other gateway from now on.'),
            subject: { router: reporter, host: from, destination: to, gateway },
            cause: isDirect
              ? 'Two subnets are on one link, or the host has a route through the router for an address on its own link.'
              : `The host's route to ${to} goes through ${reporter}, and ${gateway} on the same link is nearer.`,
            remedy: [
              {
                text: 'On the host: do not obey redirects',
                commands: [
                  `sysctl -w net.${version}.conf.all.accept_redirects=0 net.${version}.conf.default.accept_redirects=0`,
                ],
              },
              ...(icmpErrors.isV6(row)
                ? []
                : [
                    {
                      text: 'On the router: do not send them; all and the device must both be 0',
                      commands: [
                        'sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0',
                        'sysctl -w net.ipv4.conf.<device>.send_redirects=0',
                      ],
                    },
                  ]),
              { text: 'On the host: see the route', commands: [`ip route get ${to}`] },
            ],
            caveats: ['redirects are harmless where the host can reach the new next hop'],
            wouldRaise: [`loss right after the redirect: does ${from} ask for ${gateway} and get an answer?`],
          });
        },
      },
    };
  },
};
