import type { Device, Namespace } from '../../network/context/device.js';
import type { DroppingChain } from '../../network/context/firewall.js';
import { Claim } from '../../network/neighbors/bindings.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { confidenceOf, type Filtered } from '../parts/firewalls/filtered.js';
import { cureOf, placeContext, placeWords } from '../parts/firewalls/words.js';
import { inNamespace, label } from '../parts/question.js';
import { SYNS } from '../parts/usual-thresholds.js';
import { arrivalOf } from '../parts/vanished/arrival.js';
import { together, type Vanished } from '../parts/vanished/requests.js';
import { vanishing } from '../parts/vanished/vanished.js';
import { applying } from '../parts/words.js';
import type { Confidence, Diagnosis, Remedy, Rule } from '../rule.js';
import { bridgeFate } from './parts/bridge-firewall.js';
import { guestPortOf, portTowards } from './parts/ports.js';

/** Larger packets (bytes) than every IPv6 link carries may be dropped for their size (RFC 8200 section 5). */
const SMALL = 1280;
const CALLS = { 4: 'net.bridge.bridge-nf-call-iptables', 6: 'net.bridge.bridge-nf-call-ip6tables' } as const;

/** A bridge that lets ARP through and no IP, and how that is known. */
interface Filter {
  /** The same for all requests that it drops. */
  readonly name: string;
  readonly confidence: Confidence;
  /** By the host context. */
  readonly bridge: Device | null;
  readonly ports: readonly Device[];
  readonly chain: DroppingChain | null;
  /** The rule or policy that takes them, where the ruleset tells. */
  readonly drop: Filtered | null;
}

/** ARP passes a bridge, and IP does not: the firewall of its host filters bridged packets (catalogue I5). */
export const filterDropsIp: Rule = {
  meta: {
    id: 'bridge/filter-drops-ip',
    severity: 'error',
    summary: 'A bridge passes ARP and drops IP: a firewall filters what it bridges',
    catalogue: 'I5',
    silence: true,
    thresholds: {
      syns: SYNS,
    },
  },
  create(context) {
    const { network } = context;

    function tell(members: readonly Vanished[]): Diagnosis {
      const [vanished] = members;
      const { from, to, isIpv4 } = vanished;
      const filter = filterOf(network, vanished) as Filter;
      const { name, confidence, bridge, chain, drop } = filter;
      const calls = CALLS[isIpv4 ? 4 : 6];
      return {
        ...together(members),
        key: `${vanished.segment} ${name}`,
        confidence,
        title: `${bridge ? label(bridge) : 'The bridge'} passes ARP between ${from} and ${to}, and drops IP`,
        summary:
          `${from} and ${to} find each other by ARP through the bridge, in both directions. The packets that ${from} then sends to ${to} ` +
          fateOf(filter),
        subject: { source: from, destination: to },
        cause:
          drop?.place.family === 'bridge'
            ? 'The firewall filters what the bridge passes on: IP, and not ARP.'
            : 'br_netfilter hands bridged IP packets, not ARP, to the firewall for forwarded ones. Docker, for one, sets the policy of FORWARD to DROP.',
        remedy: remedyOf(network, members, filter),
        caveats:
          chain || drop ? [] : ['that a firewall drops them is concluded from what passes: ARP does, IP does not'],
        wouldRaise:
          confidence === 'certain'
            ? []
            : [
                'a capture on both ports of the bridge at once (`-i any`)',
                `\`sysctl ${calls}\` on the host of the bridge`,
              ],
        context: applying([
          drop && placeContext(drop.place),
          !drop && bridge && chain && `${label(bridge)}: policy drop on the forward hook (${printable(chain.name)})`,
        ]),
      };
    }

    return vanishing(
      context,
      (vanished) => {
        const filter = filterOf(network, vanished);
        return filter && `${vanished.segment} ${filter.name}`;
      },
      tell,
    );
  },
};

/** What becomes of the packets, as the end of a sentence about them. */
function fateOf({ bridge, chain, drop }: Filter): string {
  if (bridge && drop) return `vanish: what drops them is ${placeWords(drop.place)}.`;
  if (bridge && chain)
    return `vanish: chain ${printable(`${chain.family} ${chain.table} ${chain.name}`)} in ${printable(bridge.namespace)} drops what is forwarded, and bridged packets can count as forwarded.`;
  return 'come in at one port and leave by none, though ARP leaves by the other.';
}

function remedyOf(network: Network, members: readonly Vanished[], filter: Filter): Remedy[] {
  const { bridge, chain, drop } = filter;
  const [{ isIpv4 }] = members;
  const calls = CALLS[isIpv4 ? 4 : 6];
  const tables = isIpv4 ? 'iptables' : 'ip6tables';
  const run = (command: string) => (bridge ? inNamespace(bridge, command) : command);
  const device = bridge ? printable(bridge.name) : '<bridge>';
  const accept = accepting(filter, device);
  // An accept of iptables does not overrule a chain that is not its own.
  const isOther = drop !== null && !isOfIptables(drop);
  const remedies: Remedy[] = [
    {
      text: 'See whether bridged packets go to the firewall, and what it does',
      commands: [
        ...(chain?.family === 'bridge' ? [] : [run(`sysctl ${calls}`)]),
        run('nft list ruleset'),
        ...(isOther || accept !== null ? [] : [run(`${tables} -vnL FORWARD`)]),
      ],
    },
  ];
  if (drop) {
    const drops = members.map((each) => filterOf(network, each)?.drop ?? drop);
    remedies.push(...cureOf(drops, 'the host of the bridge'));
  }
  if (!isOther)
    remedies.push({
      text:
        chain?.family === 'bridge'
          ? 'Let through what goes between their ports'
          : 'Let through what stays on this bridge',
      commands: [run(accept ?? `${tables} -I FORWARD -i ${device} -o ${device} -j ACCEPT`)],
    });
  // Chains of the bridge or a device itself are asked whatever this setting says.
  if (chain?.family !== 'bridge' && drop?.place.family !== 'bridge' && drop?.place.family !== 'netdev')
    remedies.push({
      text: 'Or keep bridged packets away from the firewall altogether (not on a Kubernetes node, where services need it)',
      commands: [run(`sysctl -w ${calls}=0`)],
    });
  return remedies;
}

function filterOf(network: Network, vanished: Vanished): Filter | null {
  const { claims, bindings, stations } = network;
  const { segment, source, destination, hi, lo, cameIn } = vanished;
  const target = claims.holder(segment, destination);
  if (target < 0 || (bindings.claims(target) & Claim.Own) === 0) return null;
  // It is beyond the port that they come in by: a bridge does not send them back (a tunnel endpoint that is not the target's, a flood).
  const station = stations.find(segment, bindings.hi(target), bindings.lo(target));
  if (cameIn && station >= 0 && stations.cameIn(station)) return null;
  const isSent = hi < 0 || (bindings.hi(target) === hi && bindings.lo(target) === lo);
  if (!isSent || (smallest(network, vanished) ?? 0) > SMALL || passes(network, vanished)) return null;
  const byContext = bridgeBetween(network, vanished);
  const port = otherPort(network, vanished, target);
  if (port < 0) return byContext;
  const isWatched = vanished.cameIn && isSentOut(network, port, source);
  return {
    name: byContext?.name ?? `port ${port}`,
    confidence: isWatched || byContext ? 'certain' : 'likely',
    bridge: byContext?.bridge ?? null,
    ports: byContext?.ports ?? [],
    chain: byContext?.chain ?? null,
    drop: byContext?.drop ?? null,
  };
}

/** Another port in the same capture that ARP between the two passes in both directions, and no IP packet of the source; -1 without. */
function otherPort({ bindings, segments }: Network, vanished: Vanished, target: number): number {
  const { segment, capture, source, destination } = vanished;
  for (const row of bindings.ofAddress(source)) {
    if (bindings.segment(row) === segment) continue;
    const port = bindings.segment(row);
    if ((bindings.claims(row) & Claim.Own) === 0 || (bindings.claims(row) & Claim.Source) !== 0) continue;
    if (segments.captureOf(port) !== capture) continue;
    const near = bindings.find(segment, bindings.hi(row), bindings.lo(row), source);
    if (near < 0 || (bindings.claims(near) & Claim.Source) === 0) continue;
    const far = bindings.find(port, bindings.hi(target), bindings.lo(target), destination);
    if (far >= 0 && (bindings.claims(far) & Claim.Reply) !== 0) return port;
  }
  return -1;
}

/** Whether the capturing machine sent frames of the source out by this port, and got none of them there. */
function isSentOut({ bindings, stations }: Network, port: number, source: number): boolean {
  for (const row of bindings.of(port, source)) {
    const station = stations.find(port, bindings.hi(row), bindings.lo(row));
    if (station >= 0 && stations.sentOut(station) && !stations.cameIn(station)) return true;
  }
  return false;
}

/** The bridge that joins the two hosts by the host context, if a chain there drops what is forwarded, and they are seen from the near side. */
function bridgeBetween(network: Network, vanished: Vanished): Filter | null {
  const { context, vantage, addresses } = network;
  const { source, destination, isIpv4, cameIn, wentOut, hi } = vanished;
  const near = context?.devicesByIp(addresses.words(source)) ?? [];
  const far = context?.devicesByIp(addresses.words(destination)) ?? [];
  if (!context || near.length > 1 || far.length > 1) return null;
  // What is inside a virtual machine the context does not say: the bridge learned who is behind its taps.
  const from = near.length === 1 ? context.switchPort(near[0]) : guestPortOf(network, source);
  if (!from?.master) return null;
  const to = far.length === 1 ? context.switchPort(far[0]) : portTowards(network, from.master, destination);
  if (from.master !== to?.master || from === to) return null;
  // At the far side the packets were seen to arrive.
  const isOwn = wentOut && hi < 0 && arrivalOf(network, vanished)?.devices.includes(far[0]) === true;
  const isNear = vantage === null ? cameIn || isOwn : vantage === near[0] || vantage === from;
  const namespace = context.namespaces.get(from.namespace);
  if (!isNear || !namespace) return null;
  const family = isIpv4 ? 4 : 6;
  const called = namespace.sysctl.get(CALLS[family]);
  const name = label(from.master);
  const fate = bridgeFate(network, namespace, from, to, vanished, called !== '0');
  if (fate === 'passes') return null;
  if (fate !== 'open') {
    const isKnown = fate.place.family === 'bridge' || fate.place.family === 'netdev' || called === '1';
    const confidence = isKnown ? confidenceOf(vanished, fate) : 'likely';
    return { name, confidence, bridge: from.master, ports: [from, to], chain: null, drop: fate };
  }
  const chain = chainOf(namespace, family);
  if (!chain || (chain.family !== 'bridge' && called === '0')) return null;
  return { name, confidence: 'hint', bridge: from.master, ports: [from, to], chain, drop: null };
}

function isOfIptables({ place: { family, table, chain }, ruleset }: Filtered): boolean {
  return ruleset.byIptables.has(`${family} ${table}`) || (table === 'filter' && chain === 'FORWARD');
}

/** The command for a chain of nftables: another table's accept does not keep it from dropping. Null for the one of iptables. */
function accepting({ chain, ports }: Filter, bridge: string): string | null {
  if (!chain || (chain.table === 'filter' && chain.name === 'FORWARD')) return null;
  const { family, table, name } = chain;
  const among = family === 'bridge' ? `'{ ${ports.map((port) => printable(port.name)).join(', ')} }'` : bridge;
  return `nft insert rule ${family} ${table} ${name} iifname ${among} oifname ${among} accept`;
}

function chainOf({ firewall }: Namespace, family: 4 | 6): DroppingChain | null {
  const families = ['bridge', 'inet', family === 4 ? 'ip' : 'ip6'];
  return firewall?.forwardDrops.find((chain) => families.includes(chain.family)) ?? null;
}

/** Whether any ping or data of the two gets through, at whatever port its copies were told apart: of what vanishes beside it, the size or the protocol is to blame. */
function passes({ echoes, flows, addresses, segments }: Network, vanished: Vanished): boolean {
  const { segment, capture, source, destination, isIpv4 } = vanished;
  for (let row = 0; row < echoes.count; row++) {
    if (echoes.replies(row) === 0 || segments.captureOf(echoes.segment(row)) !== capture) continue;
    const from = echoes.source(row);
    const to = echoes.destination(row);
    if ((from === source && to === destination) || (from === destination && to === source)) return true;
  }
  const [one, other] = [source, destination].map((each) => (isIpv4 ? addresses.words(each)[0] : each));
  return flows.delivered(segment, !isIpv4, one, other) > 0 || flows.delivered(segment, !isIpv4, other, one) > 0;
}

/** Size of the smallest echo request in bytes, null where they were no pings. */
function smallest({ echoes }: Network, { segment, source, destination }: Vanished): number | null {
  let size: number | null = null;
  for (let row = 0; row < echoes.count; row++) {
    if (echoes.segment(row) !== segment || echoes.source(row) !== source || echoes.destination(row) !== destination)
      continue;
    if (echoes.requests(row) > 0) size = Math.min(size ?? echoes.size(row), echoes.size(row));
  }
  return size;
}
