import type { Mac } from '../../../network/context/address.js';
import { type Device, doesNoArp, type Namespace, type Neighbour } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { forwards, wayTo } from '../../../network/context/routing.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { confidenceBy } from '../../parts/confidence.js';
import { inNamespace, label, questionOf } from '../../parts/question.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import { vanishing } from '../../parts/vanished/vanished.js';
import { isVirtualRouter } from '../../parts/virtual-router.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';

/** Questions that a finding explains, at most. */
const MAX_STRAYS = 16;
/** What the kernel never asks about again: what was put in by hand, and what daemons of EVPN write. */
const FIXED: readonly string[] = ['PERMANENT', 'NOARP'];

/** A permanent entry of the sending host for the next hop of its requests, and what speaks against it. */
interface Fixed {
  readonly namespace: Namespace;
  readonly device: Device;
  readonly entry: Neighbour;
  readonly mac: string;
  /** Who has the address by the host context, and by what the capture shows; null where they do not say. */
  readonly home: Device | null;
  readonly claimed: string | null;
  /** The device of the host context that has the MAC of the entry. */
  readonly other: Device | null;
}

/**
 * A host sends to a MAC that was put into its neighbour table by hand, and nobody answers there (catalogue A9). `isFixed` says whether that is
 * told of a sender, by the key of the address's move: it is one finding then.
 */
export function staticNeighbors(context: RuleContext): { handlers: Handlers; isFixed(key: string): boolean } {
  const { network } = context;
  /** Keys of `arp/stale-after-move` that what is told here takes the place of, by the key of that. */
  const senders = new Map<string, string>();
  let fixed = new Set<string>();

  function note(key: string, sender: string): void {
    senders.set(key, sender);
    fixed.add(sender);
    context.withdraw(sender);
  }

  function judge(vanished: Vanished): string | null {
    const fixed = fixedOf(network, vanished);
    return fixed && `${vanished.segment} ${fixed.namespace.name} ${fixed.entry.dst.text}`;
  }

  function tell(members: readonly Vanished[]): Diagnosis {
    const vanished = members.find((each) => fixedOf(network, each)) as Vanished;
    const { entry, device, namespace, mac, home, claimed, other } = fixedOf(network, vanished) as Fixed;
    const ip = entry.dst.text;
    const { from, to, segment } = vanished;
    const right = home?.mac?.text ?? claimed;
    const isSeen = vanished.hi >= 0;
    const all = together(members);
    const key = `${segment} ${namespace.name} ${ip}`;
    note(key, `${segment} ${ip} ${device.mac?.text}`);
    const neigh = entry.dst.family === 4 ? 'ip neigh' : 'ip -6 neigh';
    const name = printable(device.name);
    const kind = entry.state.includes('NOARP') ? 'an entry without ARP' : 'a permanent entry';
    return {
      ...all,
      silence: true,
      key,
      explains: [...all.explains, ...strayAnswers(network, segment, device, ip)],
      confidence: confidenceBy({ hint: !right, certain: home !== null && isSeen }),
      title: right
        ? `${label(device)} has ${kind} for ${ip} at ${mac}, which is at ${right}`
        : `${label(device)} has ${kind} for ${ip} at ${mac}, and nobody is heard there`,
      summary:
        `${from} sends to ${to}${to === ip ? '' : ` through ${ip}`}, ${all.count} requests that nobody answers. ` +
        `${isSeen ? `They go to ${mac}` : `By its neighbour table they go to ${mac}`}, ` +
        `${other ? `which is ${label(other)} and not ${ip}` : 'which sends nothing in this capture'}. ` +
        `The entry is ${entry.state.includes('NOARP') ? 'without ARP (NOARP)' : 'permanent'}: the kernel takes it as it is, never asks whether it still holds, and learns nothing new by ARP or neighbor discovery.`,
      subject: { ip, mac, sender: from, ...(right ? { newMac: right } : {}) },
      cause:
        'Somebody, or a program that manages the network (EVPN, flannel), put the entry in, and the machine behind it has another MAC since: a container or VM that was made anew, a card that was replaced.',
      remedy: [
        { text: 'See the entry', commands: [inNamespace(device, `${neigh} show ${ip} dev ${name}`)] },
        {
          text: 'Take it away: the kernel finds the neighbour by itself then',
          commands: [inNamespace(device, `${neigh} del ${ip} dev ${name}`)],
        },
        {
          text: 'Or put the right one in its place',
          commands: [
            inNamespace(device, `${neigh} replace ${ip} lladdr ${right ?? '<MAC of its device>'} dev ${name}`),
          ],
        },
      ],
      caveats: right ? [] : [`${ip} may only be down: with a permanent entry that looks the same`],
      wouldRaise: right
        ? []
        : [
            `\`arping -I ${name} ${ip}\` on the sending host, or the host context of ${ip}: does it answer from another MAC?`,
          ],
      context: [
        printable(`${label(device)}: ${ip} lladdr ${mac} ${entry.state.join(' ')}`),
        ...(home ? [`${label(home)}: ${ip}, ${home.mac?.text}`] : []),
      ],
    };
  }

  const handlers = vanishing(
    {
      ...context,
      withdraw(key) {
        senders.delete(key);
        fixed = new Set(senders.values());
        context.withdraw(key);
      },
    },
    judge,
    tell,
  );
  return { handlers, isFixed: (key) => fixed.has(key) };
}

/** Whether requests go to a machine only because the sending host has a wrong entry in its neighbour table, put in by hand. */
export function isMisled(network: Network, vanished: Vanished): boolean {
  const fixed = fixedOf(network, vanished);
  return fixed !== null && (fixed.home !== null || fixed.claimed !== null);
}

/** The entry of the neighbour table of the sending host that requests go by; null if there is none, or the context leaves that open. */
export function usedEntry({ context, addresses }: Network, vanished: Vanished) {
  const senders = context?.devicesByIp(addresses.words(vanished.source)) ?? [];
  const namespace = senders.length === 1 ? context?.namespaces.get(senders[0].namespace) : undefined;
  if (!context || !namespace || namespace.neighbours.length === 0) return null;
  const { routes } = wayTo(namespace, addresses.words(vanished.destination));
  if (routes.length !== 1) return null;
  const [{ gateway, dev }] = routes;
  const next = gateway?.text ?? vanished.to;
  const device = namespace.devices.get(dev ?? '');
  const entry = namespace.neighbours.find(({ dst, dev: at }) => dst.text === next && at === device?.name);
  if (!device || !entry?.lladdr?.text) return null;
  // Another route than the main table's.
  if (vanished.hi >= 0 && formatMac(vanished.hi, vanished.lo) !== entry.lladdr.text) return null;
  const isFixed = entry.state.some((each) => FIXED.includes(each));
  return { context, namespace, device, entry, lladdr: entry.lladdr, isRouted: gateway !== null, isFixed };
}

/** The permanent entry that requests go by and that is wrong as far as is known; null if there is none. */
function fixedOf(network: Network, vanished: Vanished): Fixed | null {
  const used = usedEntry(network, vanished);
  if (!used?.isFixed) return null;
  const { context, namespace, device, entry, lladdr, isRouted } = used;
  // Without a link layer the kernel makes such entries of itself, and sends by the routes of the host all the same.
  if (doesNoArp(device)) return null;
  const mac = lladdr.text;
  const holders = context.devicesByIp(entry.dst.words);
  const isRight = holders.some((holder) => holder.mac?.text === mac);
  if (isRight || isVirtualRouter(lladdr.hi, lladdr.lo)) return null;
  const others = context.devicesByMac(lladdr.hi, lladdr.lo);
  if (
    others.length === 0
      ? isHeard(network, vanished, lladdr)
      : others.some((other) => mayForward(context, other, entry.dst.family))
  )
    return null;
  const home = holders.length === 1 && holders[0].mac ? holders[0] : null;
  const claimed = claimedBy(network, vanished, entry);
  if (claimed === mac) return null;
  // Without anything that speaks against it: the host may be down. Overlays have entries for all their nodes, down or not.
  const isDoubtful = isRouted || vanished.hi < 0 || device.kind === 'vxlan';
  if (!home && !claimed && (isDoubtful || others.length > 0)) return null;
  return { namespace, device, entry, mac, home, claimed, other: others.at(0) ?? null };
}

/** Whether a MAC sends anything: whoever has it may pass packets on. */
function isHeard({ stations }: Network, { segment }: Vanished, { hi, lo }: Mac): boolean {
  const station = stations.find(segment, hi, lo);
  return station >= 0 && stations.sent(station) > 0;
}

/** Whether a device may bring on what it is not the holder of: as a router, or a bridge. */
export function mayForward(context: HostContext, device: Device, family: 4 | 6): boolean {
  const namespace = context.namespaces.get(device.namespace);
  return !namespace || device.masterKind === 'bridge' || forwards(namespace, device, family) !== false;
}

/** MAC of the one station that says the address of an entry is its own, null if none or several do. */
function claimedBy({ bindings, addresses }: Network, { segment }: Vanished, { dst }: Neighbour): string | null {
  const row = addresses.find(dst.words);
  if (row < 0) return null;
  const claimants = bindings.of(segment, row).filter((each) => (bindings.claims(each) & Claim.Own) !== 0);
  return claimants.length === 1 ? formatMac(bindings.hi(claimants[0]), bindings.lo(claimants[0])) : null;
}

/** What the host with the entry answers to the holder of the address goes to the wrong MAC too. */
function strayAnswers(network: Network, segment: number, { addresses: own }: Device, ip: string) {
  const { resolutions, addresses } = network;
  return own
    .map(({ words }) => addresses.find(words))
    .flatMap((address) => (address < 0 ? [] : resolutions.askedFor(address)))
    .filter((row) => resolutions.segment(row) === segment)
    .map((row) => questionOf(network, row))
    .filter(({ spa }) => spa === ip)
    .slice(0, MAX_STRAYS)
    .flatMap(({ key, isIpv4 }) => [
      { rule: 'arp/reply-not-accepted', key } as const,
      { rule: isIpv4 ? 'arp/unanswered' : 'nd/unanswered', key } as const,
    ]);
}
