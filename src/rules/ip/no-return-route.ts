import { wayTo } from '../../network/context/routing.js';
import { inNamespace, label } from '../question.js';
import type { Diagnosis, Rule } from '../rule.js';
import { SYNS } from '../usual-thresholds.js';
import { type Arrival, arrivalOf, holds, together, type Vanished, vanishing } from '../vanished.js';

/** Requests arrive at a host that knows no way back (catalogue I3). */
export const noReturnRoute: Rule = {
  meta: {
    id: 'ip/no-return-route',
    severity: 'error',
    summary: 'Requests arrive, and the host that they are for has no route back to their sender',
    catalogue: 'I3',
    thresholds: {
      syns: SYNS,
    },
  },
  create(context) {
    const { network } = context;

    function judge(vanished: Vanished): string | null {
      const arrival = arrivalOf(network, vanished);
      if (!arrival || !holds(network, arrival, vanished.destination)) return null;
      const way = wayTo(arrival.namespace, network.addresses.words(vanished.source));
      if (way.kind !== 'none' && way.kind !== 'refused') return null;
      return `${vanished.segment} ${arrival.namespace.name}`;
    }

    function tell(members: readonly Vanished[]): Diagnosis {
      const [vanished] = members;
      const { from, to, isIpv4 } = vanished;
      const { devices, namespace } = arrivalOf(network, vanished) as Arrival;
      const way = wayTo(namespace, network.addresses.words(vanished.source));
      const [device] = devices;
      const isRefused = way.kind === 'refused';
      const ip = isIpv4 ? 'ip' : 'ip -6';
      const dev = devices.length === 1 ? ` dev ${device.name}` : '';
      return {
        ...together(members),
        key: `${vanished.segment} ${namespace.name}`,
        confidence: 'likely',
        title: `${to} gets requests from ${from} and has no route back`,
        summary:
          `Requests from ${from} arrive at ${to} (${label(device)}), and it answers none of them. ` +
          (isRefused
            ? `Its route for ${from} is of type ${way.routes[0].type}.`
            : `No route in its main table covers ${from}, not even a default route.`),
        subject: { target: to, source: from },
        cause: `${to} makes an answer and cannot send it: it does not know a next hop towards ${from}.`,
        remedy: [
          {
            text: `On ${to}: see what it would do`,
            commands: [inNamespace(device, `${ip} route get ${from}`)],
          },
          isRefused
            ? {
                text: `On ${to}: take the route away`,
                commands: [inNamespace(device, `${ip} route del ${way.routes[0].type} ${way.routes[0].dst}`)],
              }
            : {
                text: `On ${to}: add a default route`,
                commands: [inNamespace(device, `${ip} route add default via <router>${dev}`)],
              },
          {
            text: 'Or a route only for those who ask',
            commands: [inNamespace(device, `${ip} route add <prefix of ${from}> via <router>${dev}`)],
          },
        ],
        caveats: ['a route in another table (`ip rule`) is not part of the host context'],
        wouldRaise: [`\`${ip} route get ${from}\` on ${to}: "Network is unreachable"`],
        context: [`${label(device)} holds ${to}`, isRefused ? `route ${way.routes[0].dst}` : `no route to ${from}`],
      };
    }

    return vanishing(context, judge, tell);
  },
};
