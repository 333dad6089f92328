import { fullTracking } from '../../network/context/connection-tracking.js';
import { forwards } from '../../network/context/routing.js';
import type { Network } from '../../network/network.js';
import { isMisled } from '../arp/parts/static-neighbor.js';
import { at, onHost } from '../parts/device-argument.js';
import { fullTable } from '../parts/full-table.js';
import { inNamespace, label } from '../parts/question.js';
import { silentTunnels } from '../parts/silent-tunnels.js';
import { SYNS } from '../parts/usual-thresholds.js';
import { type Arrival, arrivalOf, holds } from '../parts/vanished/arrival.js';
import { together, type Vanished } from '../parts/vanished/requests.js';
import { vanishing } from '../parts/vanished/vanished.js';
import type { Diagnosis, Rule } from '../rule.js';
import { keepingItsOwnRouter, noRouter } from './parts/advertised-router.js';
import { blackholeOf, thrownAway } from './parts/blackhole.js';
import { filteredFinding, filteredInTransit, filteredKey } from './parts/filtered-transit.js';
import { notTracked } from './parts/full-tracking.js';
import { everywhere, halfForwarded, halfForwarding, halfForwardingKey, settingOf } from './parts/half-forwarding.js';
import { loopbackRefused, refusedLoopback, refusedLoopbackKey } from './parts/loopback-refused.js';
import { lostWay, lostWayKey, withoutWay } from './parts/lost-way.js';
import { homeBridge, misplaced } from './parts/misplaced.js';
import { addressLost, cutOff, isDoubled, isTakenForTarget, macDoubled, toCutOff } from './parts/not-there.js';

/** In keys of findings about connection tracking that has no room. */
const FULL = 'tracking';

/** Packets are handed to a machine that does not forward (catalogue I3). */
export const notForwarded: Rule = {
  meta: {
    id: 'ip/not-forwarded',
    severity: 'error',
    summary: 'A router does not pass packets on: forwarding is off, a blackhole route takes them, or its firewall',
    catalogue: 'I3',
    silence: true,
    thresholds: {
      syns: SYNS,
      questions: {
        value: 2,
        unit: 'DNS questions in vain, half a second apart',
        source: 'resolvers ask a server twice (RES_DFLRETRY)',
      },
    },
  },
  create(context) {
    const { network } = context;

    function judge(vanished: Vanished): string | null {
      if (network.context) {
        const arrival = arrivalOf(network, vanished);
        if (!arrival || arrival.devices.length === 0) return null;
        const down = vanished.isAnsweredBeyond ? null : cutOff(network, arrival, vanished);
        if (down) return `${routerKey(vanished, arrival.namespace.name)} down ${label(down)}`;
        const lost = vanished.isAnsweredBeyond ? null : lostWay(network, arrival, vanished);
        if (lost) return `${routerKey(vanished, arrival.namespace.name)} ${lostWayKey(lost)}`;
        const home = vanished.isAnsweredBeyond ? null : homeBridge(network, arrival, vanished);
        if (home) return `${routerKey(vanished, arrival.namespace.name)} misplaced ${vanished.from} ${label(home)}`;
        const filtered = filteredInTransit(network, arrival, vanished);
        if (filtered) return `${routerKey(vanished, arrival.namespace.name)} ${filteredKey(filtered)}`;
        const half = halfForwarding(network, arrival, vanished);
        if (half) return `${routerKey(vanished, arrival.namespace.name)} ${halfForwardingKey(half)}`;
        const loopback = vanished.isAnsweredBeyond ? null : refusedLoopback(network, arrival, vanished);
        if (loopback) return `${routerKey(vanished, arrival.namespace.name)} ${refusedLoopbackKey(loopback)}`;
        if (vanished.isAnsweredBeyond || holds(network, arrival, vanished.destination)) return null;
        // No route leads here: arp/stale-after-move tells of the entry in the neighbour table that does.
        if (isMisled(network, vanished)) return null;
        const family = vanished.isIpv4 ? 4 : 6;
        const key = routerKey(vanished, arrival.namespace.name);
        if (arrival.devices.every((device) => forwards(arrival.namespace, device, family) === false)) {
          if (!isTakenForTarget(network, arrival, vanished)) return key;
          // Who has the address elsewhere shows that the entry is wrong, which is another fault.
          const isElsewhere = network.context.devicesByIp(network.addresses.words(vanished.destination)).length > 0;
          if (isElsewhere) return null;
          return `${key} ${isDoubled(network, vanished) ? 'doubled' : 'lost'} ${vanished.to}`;
        }
        const blackhole = blackholeOf(network, arrival, vanished);
        if (blackhole !== null) return `${key} ${blackhole}`;
        return fullTracking(arrival.namespace) ? `${key} ${FULL}` : null;
      }
      const gateway = vanished.isAnsweredBeyond ? -1 : ownGateway(network, vanished);
      return gateway < 0 ? null : `${vanished.segment} ${gateway}`;
    }

    /** That nothing comes back through a tunnel is a symptom, too. */
    function tell(members: readonly Vanished[]): Diagnosis {
      const told = describe(members);
      return { ...told, explains: [...(told.explains ?? []), ...silentTunnels(network, members[0].segment)] };
    }

    function describe(members: readonly Vanished[]): Diagnosis {
      // What the capture showed since may tell less of the gateway of one than of another.
      const vanished = members.find((each) => judge(each) !== null) ?? members[0];
      const { from, to, isIpv4, segment } = vanished;
      const key = judge(vanished) ?? String(segment);
      const arrival = arrivalOf(network, vanished);
      const gateway = ownGateway(network, vanished);
      const named = gateway < 0 ? 'the machine that captured' : network.addresses.format(gateway);
      const router = arrival ? nameOf(arrival, isIpv4) : named;
      const down = arrival && !vanished.isAnsweredBeyond ? cutOff(network, arrival, vanished) : null;
      if (arrival && down) return toCutOff(network, members, key, arrival, down);
      const lost = arrival && !vanished.isAnsweredBeyond ? lostWay(network, arrival, vanished) : null;
      if (lost) return withoutWay(network, members, key, lost, router);
      const home = arrival && !vanished.isAnsweredBeyond ? homeBridge(network, arrival, vanished) : null;
      if (arrival && home) return misplaced(network, members, key, arrival, home);
      if (arrival && filteredInTransit(network, arrival, vanished)) {
        const same = members.filter((each) => judge(each) === key);
        return filteredFinding(network, same, arrival, key, router);
      }
      const half = arrival ? halfForwarding(network, arrival, vanished) : null;
      if (arrival && half) {
        const where = { ...arrival, devices: [half.device] };
        return halfForwarded(members, key, half, { router, setting: settingOf(where, isIpv4) });
      }
      const loopback = arrival && !vanished.isAnsweredBeyond ? refusedLoopback(network, arrival, vanished) : null;
      if (loopback) return loopbackRefused(members, key, loopback, router);
      const full = arrival && key.endsWith(` ${FULL}`) ? fullTable(arrival.namespace, arrival.devices[0]) : null;
      if (full) return notTracked(members, key, full, router);
      if (arrival && key.endsWith(` doubled ${to}`)) return macDoubled(members, key, arrival);
      if (arrival && key.endsWith(` lost ${to}`)) return addressLost(network, members, key, arrival);
      const setting = arrival ? settingOf(arrival, isIpv4) : everywhere(isIpv4);
      const blackhole = arrival ? blackholeOf(network, arrival, vanished) : null;
      const others = members.length > 1 ? ` and ${members.length - 1} more` : '';
      const enable = `sysctl -w ${setting}=1`;
      const isInside = arrival !== null && arrival.namespace.name !== 'host';
      if (arrival && blackhole !== null)
        return thrownAway({ network, members, key, vanished, arrival, blackhole, router });
      return {
        ...together(members),
        key,
        confidence: arrival ? 'certain' : 'hint',
        title: `${router} does not forward: packets from ${from} to ${to}${others} end there`,
        summary:
          `${from} sends to ${to} through ${router}. The packets go there, ${to} is no address of that machine, and it does not pass them on: ` +
          `no other device shows them, nothing answers and no ICMP error says why.${arrival ? ` Forwarding is off on it (${setting}=0).` : ''}`,
        subject: { router, source: from, destination: to },
        cause: arrival
          ? `${setting} is 0 where the packets come in: a host drops what is not for itself, without a word.`
          : 'Forwarding is off on the machine, or a filter drops what passes through it: both are silent.',
        remedy: [
          ...(arrival && !isIpv4 ? noRouter(network, arrival) : []),
          {
            // What the machine itself reads when it starts is not for its namespaces.
            text: `On the router: let it forward${isInside ? '; lasts until its namespace is made anew' : ', now and after a restart'}`,
            commands: [
              ...(arrival && !isIpv4 ? keepingItsOwnRouter(arrival) : []),
              arrival ? inNamespace(arrival.devices[0], enable) : enable,
              ...(isInside ? [] : [`echo '${setting} = 1' > /etc/sysctl.d/90-forward.conf`]),
            ],
          },
          {
            text: 'If it forwards and the packets still end there: look for a filter',
            commands: ['nft list ruleset', 'iptables -S FORWARD'].map((command) =>
              at(arrival?.devices[0] ?? null, command),
            ),
          },
          {
            text: `Or on ${from}: send through another router`,
            commands: [onHost(network, from, `ip route get ${to}`)],
          },
        ],
        wouldRaise: arrival ? [] : [`\`sysctl ${setting}\` of that machine (--context)`],
        context: arrival ? [`${label(arrival.devices[0])}: forwarding off`] : [],
      };
    }

    return vanishing(context, judge, tell, { beyond: true, last: true, questions: true });
  },
};

/** By which findings name a router of the host context: it has one setting for all its devices. */
export function routerKey({ capture, isIpv4 }: Pick<Vanished, 'capture' | 'isIpv4'>, namespace: string): string {
  return `${capture} ${isIpv4 ? 4 : 6} ${namespace}`;
}

/** The router's address where the packets come in, and its device. */
function nameOf({ devices: [device] }: Arrival, isIpv4: boolean): string {
  const address = device.addresses.find(({ family }) => family === (isIpv4 ? 4 : 6));
  return address ? `${address.text} (${label(device)})` : label(device);
}

/**
 * The address of the capturing machine that the sender asked for as its gateway; -1 if the capture does not show one, or if
 * the target may be on the machine itself or on the link. All devices must be in the capture.
 */
function ownGateway({ resolutions, claims, bindings, stations }: Network, vanished: Vanished): number {
  const { segment, source, destination, cameIn, forOther, hi } = vanished;
  if (!cameIn || forOther || hi >= 0) return -1;
  if (resolutions.askedFor(destination).length > 0) return -1;
  let gateway = -1;
  for (const row of resolutions.askedBy(source)) {
    if (resolutions.segment(row) !== segment) continue;
    const tpa = resolutions.tpa(row);
    const holder = claims.holder(segment, tpa);
    if (holder < 0) continue;
    const station = stations.find(segment, bindings.hi(holder), bindings.lo(holder));
    if (station >= 0 && stations.sentOut(station)) gateway = tpa;
  }
  return gateway;
}
