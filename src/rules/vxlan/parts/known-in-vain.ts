import { macKey } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { reach } from '../../../network/context/reach.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { inNamespace, label } from '../../parts/question.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import { vanishing } from '../../parts/vanished/vanished.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { gapBetween } from './flood-list-gap.js';
import { EVERYBODY, flooded, peersOf } from './peers.js';
import { vxlanLine } from './tunnel.js';

/** Flows that are remembered: no more findings of a rule are kept. */
const MAX_FLOWS = 1024;

/** The VXLAN device that has no entry for a MAC, and the endpoint that it lacks; null: it has nowhere to send what it does not know. */
interface Known {
  readonly context: HostContext;
  readonly near: Device;
  readonly far: { readonly device: Device; readonly to: string } | null;
}

/**
 * Pings and SYNs to a MAC that is known without ARP (permanent entries): a VXLAN device without an entry for it sends them where it floods
 * to, which the host context shows to be nowhere, or not where the target is.
 */
export function knownInVain(rule: RuleContext): Handlers {
  const { network } = rule;
  const flows = new Map<string, Known>();
  return vanishing(
    rule,
    (vanished) => {
      const known = atDevice(network, vanished) ?? beside(network, vanished);
      const key = keyOf(vanished);
      if (!known || (flows.size === MAX_FLOWS && !flows.has(key))) return null;
      flows.set(key, known);
      return key;
    },
    (members) => finding(members, flows.get(keyOf(members[0])) as Known),
  );
}

function keyOf({ segment, from, to }: Vanished): string {
  return `known ${segment} ${from} ${to}`;
}

/** Whether a VXLAN device without remote and group floods to nobody. */
export function hasNoTarget({ vxlan, endpoints }: Device): boolean {
  return !!vxlan && !vxlan.remote && !vxlan.group && endpoints !== null && !endpoints.some(({ mac }) => mac === 0);
}

/** Captured at the device itself, on the way out. */
function atDevice({ context, vantage, segments }: Network, { segment, hi, lo, cameIn }: Vanished): Known | null {
  if (!context || !vantage?.vxlan || hi < 0 || segments.tunnelOf(segment) >= 0) return null;
  if (!hasNoTarget(vantage) || knows(vantage, hi, lo)) return null;
  const isDirected = segments.sawInbound(segment) || segments.sawOutbound(segment);
  if (isDirected ? cameIn : !isBeyond(context, vantage, hi, lo)) return null;
  return { context, near: vantage, far: null };
}

/** Whether the holder of a MAC is shown to be elsewhere than beside the VXLAN device. */
function isBeyond(context: HostContext, device: Device, hi: number, lo: number): boolean {
  const holders = context.devicesByMac(hi, lo);
  const near = reach(context, device);
  return holders.length > 0 && holders.every((holder) => !near.has(holder));
}

/** Captured anywhere: the context shows both ends behind VXLAN devices. */
function beside(network: Network, { source, destination, hi, lo }: Vanished): Known | null {
  const { context, addresses } = network;
  if (!context || hi < 0) return null;
  const [askers, targets] = [source, destination].map((address) => context.devicesByIp(addresses.words(address)));
  const [asker, target] = [askers[0], targets[0]];
  if (askers.length !== 1 || targets.length !== 1 || target.mac?.hi !== hi || target.mac.lo !== lo) return null;
  const gap = gapBetween(network, asker, target);
  if (!gap || knows(gap.near, hi, lo)) return null;
  return { context, near: gap.near, far: { device: gap.far, to: gap.to } };
}

function knows({ endpoints }: Device, hi: number, lo: number): boolean {
  const key = macKey(hi, lo);
  return endpoints?.some(({ mac }) => mac === key) ?? true;
}

function finding(members: readonly Vanished[], { context, near, far }: Known): Diagnosis {
  const [first] = members;
  const { from, to } = first;
  const all = together(members);
  const name = printable(near.name);
  const peers = far ? [far.to] : peersOf(context, near);
  // What it learned while the packets passed may be forgotten by now.
  const isFixed = near.vxlan?.learning === false;
  return {
    key: keyOf(first),
    ...all,
    confidence: isFixed ? 'certain' : 'likely',
    title: far
      ? `${from} cannot reach ${to}: ${name} has no entry for its MAC, none for ${far.to}`
      : `${from} cannot reach ${to}: ${name} has no entry for its MAC, and none to flood to`,
    summary:
      `${from} sends ${all.count} packets to ${to}, whose MAC it has without asking, and nothing comes back. VXLAN device ${name} has no forwarding entry for this MAC, ` +
      (far
        ? `and its flood list lacks ${far.to}, where ${label(far.device)} has ${to} behind it.`
        : 'no remote, no group and no flood entry: the kernel drops the packets, and nothing leaves the machine.'),
    subject: { device: label(near), ip: to, ...(near.vxlan ? { vni: near.vxlan.id } : {}) },
    cause: `Nobody has told ${name} which endpoint the MAC of ${to} is behind.`,
    remedy: [
      { text: 'See what it knows', commands: [inNamespace(near, `bridge fdb show dev ${name}`)] },
      {
        text: `Name the ${far ? 'endpoint' : 'other endpoints'} in its flood list (${EVERYBODY}), or give the MAC an entry of its own`,
        commands: flooded(near, peers.length > 0 ? peers : ['<endpoint>']),
      },
    ],
    caveats: isFixed ? [] : ['it may have learned the MAC for a while, and forgotten it by now'],
    context: [vxlanLine(near), ...(far ? [vxlanLine(far.device)] : [])],
  };
}
