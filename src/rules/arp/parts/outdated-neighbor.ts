import type { Device, Neighbour } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { reach } from '../../../network/context/reach.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { downAt } from '../../parts/link-down.js';
import { inNamespace, label } from '../../parts/question.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import { vanishing } from '../../parts/vanished/vanished.js';
import { isVirtualRouter } from '../../parts/virtual-router.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { usedEntry } from './static-neighbor.js';

/** An entry that ARP found for a neighbour in the same network, and who has that address since. */
interface Outdated {
  readonly device: Device;
  readonly entry: Neighbour;
  readonly mac: string;
  /** Who has that MAC, and is down; null if nobody has. */
  readonly former: Device | null;
  readonly home: Device;
}

/**
 * A host sends to a MAC that nobody has any more: the address was given to another guest of its network, which did not say so (catalogue A8). Pods
 * get the addresses of pods that went, and CNI plugins announce them at best once.
 */
export function outdatedNeighbors(context: RuleContext): Handlers {
  const { network } = context;

  function judge(vanished: Vanished): string | null {
    const outdated = outdatedOf(network, vanished);
    // What the capture itself shows of the new holder is told as a move.
    if (outdated && hasMoved(network, vanished, outdated.entry)) return null;
    return outdated && `${vanished.segment} outdated ${label(outdated.device)} ${outdated.entry.dst.text}`;
  }

  function tell(members: readonly Vanished[]): Diagnosis {
    const vanished = members.find((each) => outdatedOf(network, each)) as Vanished;
    const { device, entry, mac, former, home } = outdatedOf(network, vanished) as Outdated;
    const { from, to } = vanished;
    const all = together(members);
    const ip = entry.dst.text;
    const isIpv4 = entry.dst.family === 4;
    const neigh = isIpv4 ? 'ip neigh' : 'ip -6 neigh';
    const [own, target] = [device.name, home.name].map(printable);
    return {
      ...all,
      key: judge(vanished) ?? '',
      silence: true,
      confidence: 'likely',
      title: `${label(device)} still has ${ip} at ${mac}, and ${label(home)} has that address now`,
      summary:
        `${from} sends to ${to}${to === ip ? '' : ` through ${ip}`}, ${all.count} requests that nobody answers. They go to ${mac}, which ${former ? `belongs to ${label(former)}, which is down` : 'no device of the host context has'}; ` +
        `${ip} is on ${label(home)}, ${home.mac?.text}, in the same network.`,
      subject: { ip, mac, newMac: home.mac?.text ?? '', sender: from },
      cause: `The address was given to another container or VM, which did not announce it, and ${from} goes by its old entry until that times out.`,
      remedy: [
        {
          text: 'Announce the address from its new place',
          commands: [inNamespace(home, isIpv4 ? `arping -c 3 -U -I ${target} ${ip}` : `ndsend ${ip} ${target}`)],
        },
        {
          text: 'At the sender: look at the entry, and take it away',
          commands: [`${neigh} show ${ip}`, `${neigh} del ${ip} dev ${own}`].map((each) => inNamespace(device, each)),
        },
      ],
      caveats: ['the host context shows one moment: before it, somebody else may have had the address'],
      context: [
        printable(`${label(device)}: ${ip} lladdr ${mac} ${entry.state.join(' ')}`),
        `${label(home)}: ${ip}, ${home.mac?.text}`,
      ],
    };
  }

  return vanishing(context, judge, tell);
}

export function outdatedOf(network: Network, vanished: Vanished): Outdated | null {
  // Where the capture keeps no destinations it is not seen that they go there.
  const used = vanished.hi < 0 ? null : usedEntry(network, vanished);
  if (!used || used.isFixed) return null;
  const { context, device, entry, lladdr } = used;
  const homes = context.devicesByIp(entry.dst.words);
  const [home] = homes;
  if (homes.length !== 1 || !home.mac || !home.up || home.namespace === device.namespace) return null;
  // A device that is down gets nothing; one that is up may know where to hand packets on.
  const former = context.devicesByMac(lladdr.hi, lladdr.lo);
  if (former.some((each) => each === home || downAt(each) === null) || isVirtualRouter(lladdr.hi, lladdr.lo))
    return null;
  const bridge = bridgeOf(context, home);
  if (bridge === null || !reach(context, device).has(bridge)) return null;
  return { device, entry, mac: lladdr.text, former: former.at(0) ?? null, home };
}

/** Whether the capture shows another MAC than the entry's that says the address is its own. */
function hasMoved({ bindings, addresses }: Network, { segment }: Vanished, { dst, lladdr }: Neighbour): boolean {
  const row = addresses.find(dst.words);
  const all = row < 0 ? [] : bindings.of(segment, row);
  return all.some(
    (each) =>
      (bindings.claims(each) & Claim.Own) !== 0 && formatMac(bindings.hi(each), bindings.lo(each)) !== lladdr?.text,
  );
}

/** The bridge that a device is, or that the other end of its cable is a port of. */
function bridgeOf(context: HostContext, device: Device): Device | null {
  return device.kind === 'bridge' ? device : (context.switchPort(device)?.master ?? null);
}
