import { type Device, isWithoutAddress } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { label, modeOf, type Question } from '../../parts/question.js';

/** The two ends of a question as the host context shows them: children of one device, or a child and its parent. */
export interface Pair {
  /** The child that asks, or the one that is asked if the parent asks. */
  readonly child: Device;
  /** The other end. */
  readonly other: Device;
  /** Whether `other` is the parent itself. */
  readonly isParent: boolean;
  readonly parent: Device | null;
  /** Whether `other` is only a guess: a tap on the same device whose guest may hold the address. */
  readonly isGuess: boolean;
}

function isMacvlan({ kind }: Device): boolean {
  return kind === 'macvlan' || kind === 'macvtap';
}

/** Null unless both ends are macvlan or macvtap on one device, or one end is and the other is that device. */
export function macvlanPair(context: HostContext, ends: Pick<Question, 'asker' | 'target'>): Pair | null {
  const asker = ends.asker && tapOf(context, ends.asker);
  const target = ends.target && tapOf(context, ends.target);
  if (!asker) return null;
  if (!target) return guestPair(context, asker);
  if (asker === target) return null;
  if (isMacvlan(asker) && isMacvlan(target) && context.sharesParent(asker, target) !== 'no') {
    const parent = asker.parent ?? target.parent;
    return { child: asker, other: target, isParent: false, parent, isGuess: false };
  }
  for (const [child, other] of [
    [asker, target],
    [target, asker],
  ])
    if (isMacvlan(child) && context.parents(child).includes(other))
      return { child, other, isParent: true, parent: other, isGuess: false };
  return null;
}

/** The macvtap by which a guest reaches the network whose own device the context shows: of one that runs as a process. */
function tapOf(context: HostContext, device: Device): Device {
  if (device.kind !== 'tun' || !device.mac) return device;
  const taps = context.devicesByMac(device.mac.hi, device.mac.lo).filter(({ kind }) => kind === 'macvtap');
  return taps.length === 1 ? taps[0] : device;
}

/** A tap's address is its guest's secret: another tap on the same device may be the one that is asked. */
function guestPair(context: HostContext, child: Device): Pair | null {
  const { parent } = child;
  if (child.kind !== 'macvtap' || !parent) return null;
  const other = context
    .childrenOf(parent)
    .find((sibling) => sibling !== child && sibling.kind === 'macvtap' && isWithoutAddress(sibling));
  return other ? { child, other, isParent: false, parent, isGuess: true } : null;
}

/** Whether the address that is asked for is the other tap's guest: by its MAC, if it was heard at all (`unknown`: it was not). */
export function guestHolds({ bindings, resolutions }: Network, row: number, { other, isGuess }: Pair): Known {
  if (!isGuess) return 'yes';
  const heard = bindings.ofAddress(resolutions.tpa(row)).filter((each) => (bindings.claims(each) & ~Claim.Asked) !== 0);
  if (heard.length === 0) return 'unknown';
  return heard.some((each) => bindings.hi(each) === other.mac?.hi && bindings.lo(each) === (other.mac.lo | 0))
    ? 'yes'
    : 'no';
}

type Known = 'yes' | 'no' | 'unknown';

export function contextOf(context: HostContext, { child, other, parent, isParent }: Pair): string[] {
  const port = parent ? context.switchPort(parent) : null;
  return [
    modeOf(child),
    isParent ? `${label(other)} is its parent` : modeOf(other),
    ...(port ? [`switch port ${label(port)}: hairpin ${port.hairpin ? 'on' : 'off'}`] : []),
  ];
}

/** Name of the parent for prose. */
export function parentName({ parent, child }: Pair): string {
  return parent ? label(parent) : `the parent of ${label(child)}`;
}

/** What the other child is to the one that asks, for prose: "is a child of the same ens34". */
export function kinship(context: HostContext, { child, other, parent }: Pair): string {
  if (parent) return `is a child of the same ${label(parent)}`;
  return `${context.sharesParent(child, other) === 'yes' ? 'is' : 'may be'} a child of the same device`;
}
