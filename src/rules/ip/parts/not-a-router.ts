import { forwards, wayTo } from '../../../network/context/routing.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { isMisled } from '../../arp/parts/static-neighbor.js';
import { at, deviceHolding } from '../../parts/device-argument.js';
import { nextRouter } from '../../parts/next-router.js';
import { label } from '../../parts/question.js';
import { INITIAL_HOPS } from '../../parts/ttl.js';
import { arrivalOf, holds } from '../../parts/vanished/arrival.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import { isVirtualRouter } from '../../parts/virtual-router.js';
import { andOthers } from '../../parts/words.js';
import type { Diagnosis, EvidenceRef } from '../../rule.js';
import { routerKey } from '../not-forwarded.js';
import { keepingItsOwnRouter } from './advertised-router.js';

/** Who says that it is no router, and what is told of the IPv6 packets for other networks that such a neighbour gets: as of `vanishing`. */
export interface NotRouters {
  judge(vanished: Vanished): string | null;
  tell(members: readonly Vanished[]): Diagnosis;
}

/** A host sends IPv6 packets for another network to a neighbour that says it is no router. One a run. */
export function notRouters(network: Network): NotRouters {
  const { neighborRoles, addresses } = network;

  function judge(vanished: Vanished): string | null {
    const { segment, hi, lo, from } = vanished;
    if (neighborRoles.host(segment, hi, lo) < 0 || !isHandedOver(network, vanished)) return null;
    // No route leads there: arp/stale-after-move tells of the entry.
    if (isMisled(network, vanished)) return null;
    return `${segment} ${formatMac(hi, lo)} ${from}`;
  }

  function tell(members: readonly Vanished[]): Diagnosis {
    const [vanished] = [...members].sort((a, b) => a.first - b.first);
    const { from, to, segment, hi, lo } = vanished;
    const mac = formatMac(hi, lo);
    const arrival = arrivalOf(network, vanished);
    const device = arrival?.devices[0] ?? null;
    const senders = network.context?.devicesByIp(network.addresses.words(vanished.source)) ?? [];
    const sender = senders.length === 1 ? senders[0] : null;
    const next = sender ? nextRouter(network.context, [sender], 6, addresses.words(vanished.destination)) : null;
    const place = sender ? network.context?.namespaces.get(sender.namespace) : undefined;
    const way = place ? wayTo(place, addresses.words(vanished.destination)) : null;
    const route = way?.kind === 'routed' && way.routes.length === 1 ? printable(way.routes[0].dst) : 'default';
    const name = deviceHolding(sender, from);
    const neighbor = neighborRoles.host(segment, hi, lo);
    const host = neighbor < 0 ? mac : addresses.format(neighborRoles.address(neighbor));
    const all = together(members);
    const note = 'neighbor advertisement without flag R: a host';
    const said: EvidenceRef[] =
      neighbor < 0 ? [] : [{ capture: all.capture, layer: 'icmpv6', note, ...neighborRoles.place(neighbor) }];
    const others = andOthers(members.length - 1);
    return {
      ...all,
      silence: true,
      key: `${segment} ${mac} ${from}`,
      evidence: [...said, ...all.evidence],
      confidence: device ? 'certain' : 'likely',
      title: `${from} sends to ${to}${others} through ${host}, which is no router`,
      summary: `${from} hands its packets for ${to}${others} to ${host} (${mac}). Nothing answers, no ICMP error comes, and ${host} says in its neighbor advertisements that it is no router (flag R is not set).`,
      subject: { source: from, destination: to, host, mac },
      cause: `The route of ${from} names ${host} as next hop, and ${host} drops what is not for itself without a word.`,
      remedy: [
        {
          text: `On ${from}: see the route, and who set it (\`proto ra\`, \`static\` …)`,
          commands: [at(sender, `ip -6 route get ${to}`), at(sender, 'ip -6 route show default')],
        },
        {
          text: next
            ? `On ${from}: send through ${next.address}, which forwards; then set it for good where the wrong address came from (network configuration, router advertisements)`
            : `On ${from}: send through a router; \`rdisc6 ${sender ? name : '<device>'}\` shows those that announce themselves`,
          commands: [at(sender, `ip -6 route replace ${route} via ${next?.address ?? '<router>'} dev ${name}`)],
        },
        {
          text: `Only if ${host} is meant to be a router: let it forward`,
          commands: [
            ...(arrival ? keepingItsOwnRouter(arrival) : []),
            at(device, 'sysctl -w net.ipv6.conf.all.forwarding=1'),
          ],
        },
      ],
      caveats: device ? [] : [`${host} may forward all the same, with the target down: flag R is that of one device`],
      wouldRaise: device ? [] : [`\`sysctl net.ipv6.conf.all.forwarding\` of ${host} (--context)`],
      context: device ? [`${label(device)}: forwarding off`] : [],
      explains: [
        ...all.explains,
        ...(arrival ? [{ rule: 'ip/not-forwarded', key: routerKey(vanished, arrival.namespace.name) } as const] : []),
      ],
    };
  }

  return { judge, tell };
}

/** Whether a host of this link handed packets for another network to this neighbour, as far as that can be seen. */
function isHandedOver(network: Network, vanished: Vanished): boolean {
  const { bindings, addresses, neighborHolders } = network;
  const { segment, source, destination, hi, lo, isIpv4 } = vanished;
  if (isIpv4 || hi < 0 || isVirtualRouter(hi, lo)) return false;
  const from = addresses.words(source);
  const to = addresses.words(destination);
  if (!isRouted(from) || !isRouted(to) || (from[0] === to[0] && from[1] === to[1])) return false;
  // The sender is on the link, and not a balancer that passes on what others sent; the target is nobody's here.
  const senders = bindings.of(segment, source);
  if (senders.length !== 1 || !INITIAL_HOPS.includes(bindings.ttl(senders[0]))) return false;
  if (bindings.hi(senders[0]) === hi && bindings.lo(senders[0]) === lo) return false;
  if (neighborHolders.isHeld(segment, destination) || carriesOthers(network, vanished)) return false;
  const arrival = arrivalOf(network, vanished);
  if (!arrival) return true;
  if (holds(network, arrival, destination)) return false;
  return arrival.devices.every((device) => forwards(arrival.namespace, device, 6) === false);
}

/** Neither link-local, a group nor unspecified. */
function isRouted(words: ArrayLike<number>): boolean {
  return words[0] !== 0 && words[0] >>> 22 !== 0xfe80 >>> 6 && words[0] >>> 24 !== 0xff;
}

/** Whether packets came through the neighbour that had passed a router: it passes on those of others. */
function carriesOthers({ bindings, addresses }: Network, { segment, hi, lo }: Vanished): boolean {
  return bindings
    .ofStation(segment, hi, lo)
    .some(
      (row) =>
        (bindings.claims(row) & Claim.Source) !== 0 &&
        !addresses.isIpv4(bindings.address(row)) &&
        isRouted(addresses.words(bindings.address(row))) &&
        !INITIAL_HOPS.includes(bindings.ttl(row)),
    );
}
