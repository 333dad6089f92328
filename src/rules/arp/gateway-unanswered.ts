import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import type { Network } from '../../network/network.js';
import { formatIpv4 } from '../../wire/address.js';
import { DhcpMessage, dhcpMessageType, dhcpWordOption } from '../../wire/dhcp.js';
import { printable } from '../../wire/printable.js';
import { bareBridge, giveGateway } from '../parts/bare-bridge.js';
import { at } from '../parts/device-argument.js';
import { filteredNeighbor } from '../parts/firewalls/filtered-neighbor.js';
import { guardedPort } from '../parts/firewalls/guarded-port.js';
import { downHolder, setUp } from '../parts/link-down.js';
import { nextRouter } from '../parts/next-router.js';
import { inNamespace, label, type Question, questionOf, requestFrames, trailOf } from '../parts/question.js';
import { segmentAt } from '../parts/segment.js';
import type { Remedy, Rule } from '../rule.js';

/** Router option (RFC 2132 section 3.5). */
const ROUTER_OPTION = 3;
/** Routes of a host that are written anew in a cure, at most. */
const MAX_ROUTES = 4;
/** Gateways and unanswered targets remembered at most. */
const MAX_REMEMBERED = 4096;

/** The router of a subnet does not answer ARP, or neighbor discovery (catalogue A2). */
export const gatewayUnanswered: Rule = {
  meta: {
    id: 'arp/gateway-unanswered',
    severity: 'error',
    summary: 'The gateway does not answer ARP or neighbor discovery: nothing leaves the subnet',
    catalogue: 'A2',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests in vain that make more than a hint', source: "the kernel's mcast_solicit" },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    /** Segment and address of routers that DHCP names. */
    const offered = new Set<string>();
    const waiting = new Map<string, Map<string, number>>();

    /** `askers`: so many hosts ask for it, and that is all that makes it a gateway; 0 if something names it as one. */
    function tell(question: Question, why: string, askers = 0): void {
      const { spa, tpa, mac, requests, isIpv4 } = question;
      const sure = askers > 0 ? 'likely' : 'certain';
      // The host context may show it alive.
      const down = downHolder(network, network.resolutions.tpa(question.row));
      const family = isIpv4 ? 4 : 6;
      const bare =
        network.context && question.asker && !question.target && askers === 0
          ? bareBridge(network.context, question.asker, family)
          : null;
      const router = question.target?.up ? question.target : null;
      const ip = isIpv4 ? 'ip' : 'ip -6';
      const nothing = `Without its MAC nothing leaves the subnet${isIpv4 ? '' : ' by IPv6'}.`;
      const filtered =
        requests >= thresholds.requests
          ? (filteredNeighbor(network, question, false) ?? guardedPort(network, question))
          : null;
      const title = `${spa} gets no answer from its gateway ${tpa}`;
      const shared =
        askers > 0 ? `${spa} gets no answer from ${tpa}, nor do others: their gateway, or a server for many` : null;
      report({
        ...question,
        confidence: requests >= thresholds.requests ? sure : 'hint',
        title: filtered ? `${title}${filtered.clause}` : (shared ?? title),
        summary:
          `${spa} (${mac}) asks who has ${tpa} ${requests} times in vain. ${why} ${askers > 0 ? '' : nothing}`.trim(),
        subject: { ip: tpa, requester: spa, mac },
        evidence: requestFrames(network, question),
        cause: filtered?.cause ?? (bare ? bareWords(bare, tpa) : causeOf(question, down, askers > 0)),
        remedy: [
          ...setUp(down),
          ...(bare && question.asker ? [giveGateway(bare, question.asker, family, tpa)] : []),
          ...(filtered?.remedy ?? []),
          ...(router && !filtered
            ? [
                {
                  text: 'On the router, see whether the requests arrive and answers leave',
                  commands: [
                    inNamespace(router, `tcpdump -eni ${router.name} ${isIpv4 ? 'arp' : 'icmp6'} and host ${tpa}`),
                  ],
                },
              ]
            : [
                {
                  text: 'Check the gateway that the host uses',
                  commands: [at(question.asker, `${ip} route show default`)],
                },
                ...(filtered ? [] : otherGateway(network.context, question, ip)),
                {
                  text: 'On the router, check that the address is there and its device is up',
                  commands: [`ip -br addr | grep -F ${tpa}`],
                },
              ]),
          ...(isIpv4 && !router
            ? [
                {
                  text: 'Under Docker, compare with its networks',
                  commands: ['docker network inspect $(docker network ls -q)'],
                },
              ]
            : []),
        ],
        caveats: filtered?.caveats ?? [],
        context: filtered?.context ?? [],
        wouldRaise: [
          `a capture on ${askers > 0 ? tpa : 'the router'}: does the request arrive there?`,
          ...(askers > 0
            ? ['host context (--context): `ip route` of those who ask tells whether it is their gateway']
            : []),
        ],
        explains: [{ rule: isIpv4 ? 'arp/unanswered' : 'nd/unanswered', key: question.key }],
        trail: trailOf(question, askers > 0 ? `${spa} gets no answer from ${tpa}, nor do others` : title, setUp(down)),
      });
    }

    return {
      layers: {
        Dhcp(frame, layer) {
          const at = frame.offsets[layer];
          const type = dhcpMessageType(frame.view, at, frame.limits[layer]);
          if (type !== DhcpMessage.Offer && type !== DhcpMessage.Ack) return;
          const router = dhcpWordOption(frame.view, at, frame.limits[layer], ROUTER_OPTION);
          if (router >= 0 && offered.size < MAX_REMEMBERED)
            offered.add(`${segmentAt(network, frame, layer)} ${formatIpv4(router)}`);
        },
      },
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { segment, tpa, spa, isIpv4 } = question;
          const { resolutions, claims, neighborHolders } = network;
          const address = resolutions.tpa(row);
          if (resolutions.sweeps(segment, resolutions.hi(row), resolutions.lo(row))) return;
          // A bystander hears broadcast requests but not the unicast answers: there only a kernel's retries prove silence.
          const isProved = resolutions.retries(row) >= Math.min(question.requests, thresholds.requests) - 1;
          if (!isProved && network.seesAnswersTo(row) !== 'yes') return;
          // A gateway that answers others is alive: then it is about who asks.
          if (isIpv4 ? claims.holder(segment, address) >= 0 : neighborHolders.isHeld(segment, address)) return;
          if (network.context && isGatewayOf(network.context, question)) {
            tell(question, 'The routes of that host name it as the gateway.');
            return;
          }
          if (offered.has(`${segment} ${tpa}`)) {
            tell(question, 'DHCP names it as the router.');
            return;
          }
          if (someAdvertises(network, segment, address)) {
            tell(question, 'It advertises itself as a router, and hosts take it for their default router.');
            return;
          }
          // The routes of who asks are known, and it is none of them; or who routes by IPv6 here says so itself.
          if (question.asker && network.context?.namespaces.get(question.asker.namespace)?.routes.length) return;
          if (!isIpv4 && someAdvertises(network, segment)) return;
          // A bystander hears many ask for a popular host and none of the answers.
          if (network.seesAnswersTo(row) === 'no' || resolutions.retries(row) < 2) return;
          const target = `${segment} ${tpa}`;
          const askers = waiting.get(target) ?? new Map<string, number>();
          if (waiting.size < MAX_REMEMBERED) waiting.set(target, askers);
          if (askers.size < MAX_REMEMBERED) askers.set(spa, row);
          if (askers.size > 1 && question.requests >= thresholds.requests)
            for (const each of askers.values())
              tell(
                questionOf(network, each),
                `${askers.size} hosts ask for it in vain, as for a gateway or a server that is gone.`,
                askers.size,
              );
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};

function bareWords(bridge: Device, tpa: string): string {
  return (
    `${label(bridge)}, the bridge of those who ask, has no address, and nothing but such hosts is on it: ${tpa} was its own, ` +
    'and somebody took it away, or a program that manages the network did.'
  );
}

/** @param isShared whether nothing names the address as a gateway but that many hosts ask for it */
function causeOf({ tpa, target }: Question, down: Device | null, isShared: boolean): string {
  if (target?.up)
    return (
      `${tpa} is ${label(target)}, which is up: the requests do not reach it, or its answers do not come back. A virtual switch or a port that takes ` +
      'one MAC only does that, a filter, isolated or closed bridge ports, another VLAN or bridge on one side.'
    );
  if (down) return `${label(down)} is down${down === target ? '' : `, and ${tpa} hangs on it`}.`;
  const [who, whose] = isShared ? ['it', ''] : ['the router', ' of the gateway'];
  return `No host on this segment holds ${tpa}: ${who} is down or missing here, its interface is in another VLAN or bridge, or the address${whose} is wrong.`;
}

/** The router that the host context shows beside the asking host, in place of the gateway that nobody has. */
function otherGateway(context: HostContext | null, { asker, tpa, isIpv4 }: Question, ip: string): Remedy[] {
  const next = asker && nextRouter(context, [asker], isIpv4 ? 4 : 6);
  if (!context || !asker || !next) return [];
  const routes = (context.namespaces.get(asker.namespace)?.routes ?? []).filter(({ gateway }) => gateway?.text === tpa);
  const length = asker.addresses.find(({ family }) => family === (isIpv4 ? 4 : 6))?.prefixLength;
  return [
    {
      text: `If ${next.address} is the router, which forwards (${label(next.router)}): send through it, and set it for good where ${tpa} came from`,
      commands: routes
        .slice(0, MAX_ROUTES)
        .map(({ dst }) =>
          inNamespace(asker, `${ip} route replace ${printable(dst)} via ${next.address} dev ${printable(asker.name)}`),
        ),
    },
    {
      text: `If ${tpa} is what that router is meant to have: give it back; lasts until its network starts again`,
      commands: [inNamespace(next.router, `${ip} addr add ${tpa}/${length} dev ${printable(next.router.name)}`)],
    },
  ].filter(({ commands }) => commands.length > 0);
}

/** Whether the routes of the asking host lead through the address it asks for. */
function isGatewayOf(context: HostContext, { asker, tpa }: Question): boolean {
  const routes = asker ? (context.namespaces.get(asker.namespace)?.routes ?? []) : [];
  return routes.some(({ gateway }) => gateway?.text === tpa);
}

/** Whether a router has advertised itself as one that hosts take: any, or the one with this address (row of `Addresses`). */
function someAdvertises({ routers }: Network, segment: number, address = -1): boolean {
  for (let row = 0; row < routers.count; row++)
    if (routers.segment(row) === segment && routers.lifetime(row) > 0)
      if (address < 0 || routers.address(row) === address) return true;
  return false;
}
