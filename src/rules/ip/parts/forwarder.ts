import type { Device } from '../../../network/context/device.js';
import { contains } from '../../../network/context/firewall-match.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';

const BLOCKS: readonly (readonly [words: number, length: number])[] = [
  [0x0a000000, 8],
  [0xac100000 | 0, 12],
  [0xc0a80000 | 0, 16],
  [0x64400000, 10],
];
const PRIVATE = BLOCKS.map(([word, length]) => ({ words: [word], length }));

/** Who sends packets of an address that it does not itself have. */
export interface Forwarder {
  readonly hi: number;
  readonly lo: number;
  /** Its own addresses on this segment, as rows of `Addresses`. */
  readonly own: readonly number[];
}

/** RFC 1918, and RFC 6598 (between a carrier's NATs); signed. */
export function isPrivate(address: number): boolean {
  return PRIVATE.some((prefix) => contains(prefix, [address]));
}

/** An address that only the Internet can route: none of the above, no loopback, link-local or group address. */
export function isGlobal(address: number): boolean {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224 && address >>> 16 !== 0xa9fe && !isPrivate(address);
}

/**
 * The one station that sends packets from an address and has another on this segment; null if that is the host that
 * has the address, or unclear.
 */
export function forwarderOf(network: Network, segment: number, address: number): Forwarder | null {
  const { bindings } = network;
  let found = -1;
  for (const row of bindings.of(segment, address)) {
    const claims = bindings.claims(row);
    if ((claims & Claim.Own) !== 0) return null;
    if ((claims & Claim.Source) === 0) continue;
    if (found >= 0) return null;
    found = row;
  }
  if (found < 0) return null;
  const hi = bindings.hi(found);
  const lo = bindings.lo(found);
  const own = bindings.own(segment, hi, lo);
  if (own.length === 0) own.push(...addressesOf(network, hi, lo, address));
  return own.length > 0 ? { hi, lo, own } : null;
}

/** What the host context says of a device that was not heard to name its own address; nothing if the device, or its machine, has `address`. */
function addressesOf({ context, addresses }: Network, hi: number, lo: number, address: number): number[] {
  const devices = context?.devicesByMac(hi, lo).filter(({ master }) => !master) ?? [];
  const [device] = devices;
  if (devices.length !== 1) return [];
  const holders = context?.devicesByIp(addresses.words(address)) ?? [];
  if (holders.some(({ namespace }) => namespace === device.namespace)) return [];
  return device.addresses.filter(({ family }) => family === 4).map(({ words }) => addresses.ipv4(words[0]));
}

/** The device of the host context that is the forwarder; null where it says none, or several. */
export function deviceOf({ context, addresses }: Network, { hi, lo, own }: Forwarder): Device | null {
  const holders = own.flatMap((row) => context?.devicesByIp(addresses.words(row)) ?? []);
  const devices = (context?.devicesByMac(hi, lo) ?? []).filter((device) => holders.includes(device));
  return devices.length === 1 ? devices[0] : null;
}
