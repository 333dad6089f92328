import type { Device } from '../../../network/context/device.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { at, onlyOf } from '../../parts/device-argument.js';
import { inNamespace, label, type Question } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';

/** What a station says of itself; a proxy answers for an address, and asks for it too. */
const USES = Claim.Request | Claim.Announcement;

/** A host that asks the network for an address of its own, in words. */
export interface OwnTarget {
  /** What goes behind the question, in title and summary. */
  readonly clause: string;
  readonly sentence: string;
  readonly cause: string;
  readonly remedy: readonly Remedy[];
  readonly context: readonly string[];
}

/**
 * Whether the target is an address of the very host that asks, as the host context or other frames of its MAC show: no kernel asks the
 * wire for one as long as its routing calls it local.
 */
export function ownTarget(network: Network, question: Question): OwnTarget | null {
  const { tpa, asker } = question;
  if (asker) {
    const owner = holderBeside(network, question, asker);
    return owner && byContext(question, asker, owner);
  }
  const { bindings, resolutions, context } = network;
  const { segment, row, mac } = question;
  const binding = bindings.find(segment, resolutions.hi(row), resolutions.lo(row), resolutions.tpa(row));
  if (binding < 0 || (bindings.claims(binding) & USES) === 0) return null;
  const own = onlyOf(context?.devicesByMac(resolutions.hi(row), resolutions.lo(row)));
  return {
    clause: ', though its own MAC has that address too,',
    sentence: ` The same MAC, ${mac}, uses ${tpa} itself in this capture.`,
    cause:
      `Two children of ipvlan share a MAC, and one asks for the other; or one host has both addresses, and its routing does not know that ${tpa} is local: ` +
      'the route in the local table is gone, or the program is bound to a device or VRF.',
    remedy: [
      {
        text: 'Look whether both addresses are on one host, in one namespace',
        commands: [`ip -br addr show to ${tpa}`, `ip route get ${tpa}`, 'ip -d link show type ipvlan'].map((command) =>
          at(own, command),
        ),
      },
    ],
    context: [],
  };
}

/**
 * The device of the asking namespace that has the target. Those of another VRF are another host, as routing goes, and the address of
 * one that is down is nobody's (kernel: fib_disable_ip in net/ipv4/fib_frontend.c).
 */
function holderBeside({ context, addresses, resolutions }: Network, { row }: Question, asker: Device): Device | null {
  const holders = context?.devicesByIp(addresses.words(resolutions.tpa(row))) ?? [];
  return holders.find((each) => each.up && each.namespace === asker.namespace && vrfOf(each) === vrfOf(asker)) ?? null;
}

function vrfOf({ master, masterKind }: Device): Device | null {
  return masterKind === 'vrf' ? master : null;
}

function byContext({ spa, tpa }: Question, asker: Device, owner: Device): OwnTarget {
  const isSame = asker === owner;
  return {
    clause: ', an address of its own,',
    sentence: ` ${tpa} is on ${isSame ? 'the very same device' : `${label(owner)}, in the same namespace as ${label(asker)}`}.`,
    cause: isSame
      ? `The route that says "${tpa} is local" is gone from the local table, or another rule goes before it.`
      : `The program is bound to ${label(asker)} (ping -I, SO_BINDTODEVICE), or the local route of ${tpa} is gone. ` +
        'A host does not answer what it asks itself: Linux drops requests that come in with one of its own addresses as sender.',
    remedy: [
      {
        text: isSame
          ? 'Look for the local route, and put it back if it is missing'
          : `Do not bind to that device; let ${spa} and ${tpa} be in namespaces of their own if the wire between them is to be tried. Where nothing is bound, look for the local route`,
        commands: [
          `ip route get ${tpa}`,
          `ip route show table local ${tpa}`,
          ...(isSame ? [`ip route add local ${tpa} dev ${owner.name} table local`] : []),
        ].map((command) => inNamespace(owner, command)),
      },
    ],
    context: isSame ? [`${label(owner)} holds ${tpa}`] : [`${label(asker)} asks`, `${label(owner)} holds ${tpa}`],
  };
}
