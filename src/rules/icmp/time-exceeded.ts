import { Quoted } from '../../network/icmp/icmp-errors.js';
import { icmpErrorOf } from '../parts/refusals/icmp-error.js';
import { times } from '../parts/words.js';
import type { Rule } from '../rule.js';

/** Packets run out of hops (catalogue I1). */
export const timeExceeded: Rule = {
  meta: {
    id: 'icmp/time-exceeded',
    severity: 'info',
    summary: 'Packets run out of hops on the way: their TTL reaches 0',
    catalogue: 'I1',
  },
  create({ network, report }) {
    const { icmpErrors } = network;
    return {
      events: {
        icmpError(row) {
          if (icmpErrors.type(row) !== (icmpErrors.isV6(row) ? 3 : 11) || icmpErrors.code(row) !== 0) return;
          if (icmpErrors.isAbout(row, Quoted.Trace)) return;
          const error = icmpErrorOf(network, row, 'time exceeded in transit');
          const { reporter, from, to, count } = error;
          // Traceroute sends with small TTLs.
          const isPing = icmpErrors.isAbout(row, Quoted.Ping);
          report({
            ...error,
            confidence: isPing ? 'likely' : 'hint',
            title: `Packets from ${from} to ${to} run out of hops at ${reporter}`,
            summary: `${reporter} says ${times(count)} that it drops packets from ${from} to ${to}, because their TTL reached 0.`,
            subject: { reporter, source: from, destination: to },
            cause: isPing
              ? `The packets left with a TTL that reaches any place: routers near ${reporter} send them in a circle.`
              : 'Routers send the packets in a circle, or their sender gave them few hops, as traceroute does.',
            remedy: [
              { text: 'See where the way turns back on itself', commands: [`traceroute -n ${to}`] },
              { text: 'On the routers in the circle: see where each sends', commands: [`ip route get ${to}`] },
            ],
            wouldRaise: [`a capture between the routers near ${reporter}: the same packet with falling TTL`],
          });
        },
      },
    };
  },
};
