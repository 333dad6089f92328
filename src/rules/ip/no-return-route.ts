import { forwards, wayTo } from '../../network/context/routing.js';
import type { Network } from '../../network/network.js';
import { IcmpType } from '../../wire/icmp.js';
import { Icmpv6Type } from '../../wire/icmpv6.js';
import { printable } from '../../wire/printable.js';
import { stuckConnections } from '../parts/connections/connection.js';
import { at } from '../parts/device-argument.js';
import { nextRouter, prefixAround } from '../parts/next-router.js';
import { unansweredPings } from '../parts/pings/ping.js';
import { inNamespace, label } from '../parts/question.js';
import { icmpErrorOf } from '../parts/refusals/icmp-error.js';
import { attempts, refusedNoMore } from '../parts/refusals/refused-no-more.js';
import { SYNS } from '../parts/usual-thresholds.js';
import { type Arrival, arrivalOf, holds } from '../parts/vanished/arrival.js';
import { together, type Vanished } from '../parts/vanished/requests.js';
import { vanishing } from '../parts/vanished/vanished.js';
import type { Diagnosis, Remedy, Rule } from '../rule.js';
import { translateThere } from './parts/behind-nat.js';
import { cutOff } from './parts/not-there.js';

/** Code of "net unreachable" (RFC 792), and of "no route to destination" (RFC 4443 section 3.1). */
const NO_ROUTE = 0;
/** Errors about answers that are looked at again at the end of a capture, at most. */
const MAX_REFUSED = 256;

/** Requests arrive at a host that knows no way back, or whose router knows none (catalogue I3). */
export const noReturnRoute: Rule = {
  meta: {
    id: 'ip/no-return-route',
    severity: 'error',
    summary: 'Requests arrive, and the host they are for, or its router, has no route back to their sender',
    catalogue: 'I3',
    silence: true,
    thresholds: {
      syns: SYNS,
      errors: {
        value: 2,
        unit: 'errors of a router about answers',
        source: 'whoever asks with a forged address asks once; a real one again',
      },
    },
  },
  create(context) {
    const { network, report, withdraw, thresholds } = context;

    function judge(vanished: Vanished): string | null {
      const arrival = arrivalOf(network, vanished);
      if (!arrival) return null;
      const { addresses } = network;
      const answered = addresses.words(vanished.destination);
      const way = wayTo(arrival.namespace, addresses.words(vanished.source), answered);
      if (way.kind !== 'none' && way.kind !== 'refused') return null;
      // The routes of a device go with it when it is set down, and nothing arrives: ip/not-forwarded tells of that.
      if (cutOff(network, arrival, vanished)) return null;
      if (!holds(network, arrival, vanished.destination) && !isWayBack(network, arrival, vanished)) return null;
      return `${vanished.segment} ${arrival.namespace.name}`;
    }

    function tell(members: readonly Vanished[]): Diagnosis {
      const [vanished] = members;
      const { from, to, isIpv4 } = vanished;
      const { devices, namespace } = arrivalOf(network, vanished) as Arrival;
      const answered = network.addresses.words(vanished.destination);
      const way = wayTo(namespace, network.addresses.words(vanished.source), answered);
      const [device] = devices;
      const isRefused = way.kind === 'refused';
      const ip = isIpv4 ? 'ip' : 'ip -6';
      const dev = devices.length === 1 ? ` dev ${device.name}` : '';
      const isRouter = !holds(network, arrivalOf(network, vanished) as Arrival, vanished.destination);
      const asker = network.addresses.words(vanished.source);
      const next = nextRouter(
        network.context,
        isRouter ? [...namespace.devices.values()] : devices,
        isIpv4 ? 4 : 6,
        asker,
      );
      const via = next ? `via ${next.address} dev ${printable(next.device.name)}` : `via <router>${dev}`;
      // A route to the asker alone goes before the one that refuses.
      const askers = isRefused ? from : prefixAround(network.context, asker, from);
      const who = isRouter ? `the router ${label(device)}` : to;
      return {
        ...together(members),
        key: `${vanished.segment} ${namespace.name}`,
        confidence: 'likely',
        title: isRouter
          ? `${label(device)}, the router between ${from} and ${to}, has no route back to ${from}`
          : `${to} gets requests from ${from} and has no route back`,
        summary:
          (isRouter
            ? `Requests from ${from} to ${to} come to ${label(device)}, which passes them on; answers come back to it and end there. `
            : `Requests from ${from} arrive at ${to} (${label(device)}), and it answers none of them. `) +
          (isRefused
            ? `Its route for ${from} is of type ${way.routes[0].type}.`
            : `No route in its main table covers ${from}, not even a default route.`),
        subject: { target: to, source: from },
        cause: isRouter
          ? `The router does not know a next hop towards ${from}: it drops the answers of ${to}, and tells ${to} alone (net unreachable).`
          : `${to} makes an answer and cannot send it: it does not know a next hop towards ${from}.`,
        remedy: [
          {
            text: `On ${who}: see what it would do`,
            commands: [inNamespace(device, `${ip} route get ${from}`)],
          },
          isRefused
            ? {
                text: `On ${who}: take the route away`,
                commands: [inNamespace(device, `${ip} route del ${way.routes[0].type} ${way.routes[0].dst}`)],
              }
            : {
                text: `On ${who}: add a default route; lasts until its network starts again`,
                commands: [inNamespace(device, `${ip} route add default ${via}`)],
              },
          {
            text: 'Or a route only for those who ask',
            commands: [inNamespace(device, `${ip} route add ${printable(askers)} ${via}`)],
          },
          ...(next && isIpv4 && !isRouter ? translateThere(network.context, next, asker) : []),
        ],
        caveats: ['a route in another table is not known where the host context has no `ip rule`'],
        wouldRaise: [`\`${ip} route get ${from}\` on ${who}: "Network is unreachable"`],
        context: [
          isRouter ? `${label(device)}: forwards` : `${label(device)} holds ${to}`,
          isRefused ? `route ${way.routes[0].dst}` : `no route to ${from}`,
        ],
      };
    }

    /** Rows of `icmpErrors` that were told, by key. */
    const refused = new Map<string, number>();

    /** An ICMP error of a router (row of `icmpErrors`) about what a host answered. */
    function refuses(row: number): void {
      const { icmpErrors } = network;
      const type = icmpErrors.isV6(row) ? Icmpv6Type.DestinationUnreachable : IcmpType.DestinationUnreachable;
      if (icmpErrors.type(row) !== type || icmpErrors.code(row) !== NO_ROUTE) return;
      if (icmpErrors.errors(row) < thresholds.errors || icmpErrors.reporter(row) === icmpErrors.source(row)) return;
      const asker = icmpErrors.destination(row);
      const target = icmpErrors.source(row);
      // A router that masquerades means the client behind it, whom its error does not name.
      if (asker === icmpErrors.reporter(row)) return;
      const answered = answeredBy(network, icmpErrors.segment(row), asker, target);
      if (!answered) return;
      // There is a way, at times at least.
      if (answeredBy(network, icmpErrors.segment(row), target, asker) !== null) return;
      const { reporter, from: to, to: from, segment, ...error } = icmpErrorOf(network, row, 'no route to who asked');
      const ip = icmpErrors.isV6(row) ? 'ip -6' : 'ip';
      const key = `${segment} refused ${row}`;
      if (refused.size < MAX_REFUSED) refused.set(key, row);
      report({
        ...error,
        key,
        segment,
        confidence: 'likely',
        title: `${reporter} has no route back to ${from}: the answers of ${to} end there`,
        summary: `${from} asks ${to} (${answered}), and ${to} answers through ${reporter}. ${reporter} says "destination unreachable, no route", ${error.count} times: the requests come by a way that the answers do not find back.`,
        subject: { target: to, source: from, router: reporter },
        cause: `No route of ${reporter} covers ${from}, not even a default route.`,
        remedy: refusedRemedies(network, row, ip),
        caveats: [`that ${from} is a real address: answers to a forged one end the same way`],
        wouldRaise: [`a capture at ${from}: does it ask, and get nothing?`],
        explains: [
          { rule: 'icmp/unreachable', key: error.key },
          ...stuckConnections(segment, from, to),
          ...unansweredPings(network, segment, asker, target),
        ],
      });
    }

    const { events } = vanishing(context, judge, tell);
    return {
      events: { ...events, icmpError: refuses },
      captureEnd(capture) {
        for (const [key, row] of refused)
          if (network.segments.captureOf(network.icmpErrors.segment(row)) === capture && refusedNoMore(network, row))
            withdraw(key);
      },
    };
  },
};

/** A missing route at the router that reports it, or another way at the host whose answers it refuses. */
function refusedRemedies({ context, icmpErrors, addresses }: Network, row: number, ip: string): Remedy[] {
  const words = (address: number) => addresses.words(address);
  const [reporter, target, asker] = [icmpErrors.reporter(row), icmpErrors.source(row), icmpErrors.destination(row)];
  const from = addresses.format(asker);
  const prefix = printable(prefixAround(context, words(asker), from));
  const family = icmpErrors.isV6(row) ? 6 : 4;
  const holderOf = (address: number) => {
    const holders = context?.devicesByIp(words(address)) ?? [];
    return holders.length === 1 ? holders[0] : null;
  };
  const router = holderOf(reporter);
  const host = holderOf(target);
  const devices = router ? [...(context?.namespaces.get(router.namespace)?.devices.values() ?? [])] : [];
  const next = nextRouter(context, devices, family, words(asker));
  const beside = host ? nextRouter(context, [host], family, words(asker)) : null;
  return [
    {
      text: `On ${addresses.format(reporter)}: see which route is taken`,
      commands: [at(router, `${ip} route get ${from}`)],
    },
    {
      text: `On ${addresses.format(reporter)}: add the missing one; lasts until its network starts again`,
      commands: [
        at(
          router,
          `${ip} route add ${prefix} via ${next ? `${next.address} dev ${printable(next.device.name)}` : `<router that leads to ${from}>`}`,
        ),
      ],
    },
    // With no other router beside the host there is no such way.
    ...(host && next && !beside
      ? []
      : [
          {
            text: `Or on ${addresses.format(target)}: answer through the router that the requests come by`,
            commands: [at(host, `${ip} route add ${prefix} via ${beside?.address ?? '<that router>'}`)],
          },
        ]),
  ];
}

/** What a host (rows of `Addresses`) asked another that was answered here; null if nothing was. */
function answeredBy(network: Network, segment: number, asker: number, target: number) {
  const { pings, handshakes } = network;
  if (pings.between(segment, asker, target).some((row) => pings.replies(row) > 0)) return 'ping';
  const row = attempts(network, segment, asker, target).find((row) => handshakes.answers(row) > 0);
  return row === undefined ? null : `TCP port ${handshakes.serverPort(row)}`;
}

/** Whether a machine passes requests on, and the answers of who they are for come back to it. */
function isWayBack(network: Network, { namespace, devices }: Arrival, vanished: Vanished): boolean {
  const { context, addresses } = network;
  if (!context) return false;
  const family = vanished.isIpv4 ? 4 : 6;
  if (devices.length === 0 || !devices.every((device) => forwards(namespace, device, family) === true)) return false;
  const [from, to] = [vanished.source, vanished.destination].map((row) => addresses.words(row));
  if (wayTo(namespace, to, from).kind !== 'routed') return false;
  const homes = new Set(context.devicesByIp(to).map((device) => device.namespace));
  const [home] = [...homes].map((name) => context.namespaces.get(name));
  if (homes.size !== 1 || !home) return false;
  const back = wayTo(home, from, to);
  const own = [...namespace.devices.values()].flatMap((device) => device.addresses);
  return back.kind === 'routed' && back.routes.every(({ gateway }) => own.some(({ text }) => text === gateway?.text));
}
