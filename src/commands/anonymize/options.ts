import type { Frame } from '../../wire/frame.js';
import type { AddressMap } from './mapping.js';

/** DHCP: where addresses stand (RFC 2131 section 2), and where options begin. */
const DHCP_ADDRESSES = [12, 16, 20, 24] as const;
const CHADDR = 28;
const OPTIONS = 240;
/** Options that hold nothing but IPv4 addresses, and those that are numbers and stay (RFC 2132). */
const ADDRESS_OPTIONS: ReadonlySet<number> = new Set([3, 4, 5, 6, 28, 42, 44, 45, 50, 54]);
const NUMBER_OPTIONS: ReadonlySet<number> = new Set([1, 2, 19, 23, 26, 35, 46, 51, 52, 53, 55, 57, 58, 59]);
const CLIENT_ID = 61;
const PAD = 0;
const END = 255;
const ETHERNET = 1;

/**
 * A DHCP message: addresses and MACs mapped, numbers kept, names and everything else replaced by bytes that stand for it.
 * @param from the frame's bytes; the message lies from `at` to `to` in it and in `out`
 */
export function mapDhcp(from: Uint8Array, out: Uint8Array, at: number, to: number, map: AddressMap): void {
  const end = Math.min(to, out.length);
  if (end - at < CHADDR + 16) return;
  out.set(from.subarray(at, at + CHADDR), at);
  for (const offset of DHCP_ADDRESSES) out.set(map.ipv4(from.slice(at + offset, at + offset + 4)), at + offset);
  if (from[at + 1] === ETHERNET && from[at + 2] === 6)
    out.set(map.mac(from.slice(at + CHADDR, at + CHADDR + 6)), at + CHADDR);
  if (end - at < OPTIONS) return;
  out.set(from.subarray(at + OPTIONS - 4, at + OPTIONS), at + OPTIONS - 4);
  let next = at + OPTIONS;
  while (next < end) {
    const code = from[next];
    out[next] = code;
    if (code === END) return;
    if (code === PAD) {
      next++;
      continue;
    }
    const behind = next + 2 + (from[next + 1] ?? 0);
    if (behind > end) return;
    out[next + 1] = from[next + 1];
    out.set(optionValue(code, from.slice(next + 2, behind), map), next + 2);
    next = behind;
  }
}

function optionValue(code: number, value: Uint8Array, map: AddressMap): Uint8Array {
  if (NUMBER_OPTIONS.has(code)) return value;
  if (ADDRESS_OPTIONS.has(code) && value.length % 4 === 0) {
    return Uint8Array.from(
      Array.from({ length: value.length / 4 }, (_, i) => [...map.ipv4(value.slice(4 * i, 4 * i + 4))]).flat(),
    );
  }
  if (code === CLIENT_ID && value.length === 7 && value[0] === ETHERNET) {
    return Uint8Array.from([ETHERNET, ...map.mac(value.slice(1))]);
  }
  const mapped = new Uint8Array(value.length);
  mapped.set(map.hash(value, Math.min(8, value.length)));
  return mapped;
}

/** ICMPv6: offset of the first option of each neighbour discovery message, and how many addresses stand before it. */
const NDP: Readonly<Record<number, { options: number; addresses: readonly number[] }>> = {
  133: { options: 8, addresses: [] },
  134: { options: 16, addresses: [] },
  135: { options: 24, addresses: [8] },
  136: { options: 24, addresses: [8] },
  137: { options: 40, addresses: [8, 24] },
};
const LINK_LAYER = [1, 2];
const PREFIX = 3;
const MTU = 5;
const NONCE = 14;

/**
 * An ICMPv6 message in `out` from `at` to `to`: targets, link-layer addresses and prefixes mapped, MTU and nonce kept,
 * other options emptied. Reports of multicast groups keep the groups.
 */
export function mapNdpOptions(
  frame: Frame,
  layer: number,
  out: Uint8Array,
  at: number,
  to: number,
  map: AddressMap,
): void {
  const message = NDP[frame.bytes[frame.offsets[layer]]];
  const address = (offset: number) => {
    if (at + offset + 16 <= to) out.set(map.ipv6(out.slice(at + offset, at + offset + 16)), at + offset);
    else out.fill(0, Math.min(to, at + offset), to);
  };
  if (message === undefined) {
    mapGroups(out, at, to, address);
    return;
  }
  for (const offset of message.addresses) address(offset);
  let next = at + message.options;
  while (next + 2 <= to && out[next + 1] > 0) {
    const behind = next + 8 * out[next + 1];
    if (behind > to) break;
    if (LINK_LAYER.includes(out[next])) out.set(map.mac(out.slice(next + 2, next + 8)), next + 2);
    else if (out[next] === PREFIX && behind - next >= 32) address(next - at + 16);
    else if (out[next] !== MTU && out[next] !== NONCE) out.fill(0, next + 2, behind);
    next = behind;
  }
  out.fill(0, Math.min(next, to), to);
}

/** Listener queries and reports (RFC 2710, RFC 3810): solicited-node groups hold an end of an address. */
function mapGroups(out: Uint8Array, at: number, to: number, address: (offset: number) => void): void {
  const type = out[at];
  if (type >= 130 && type <= 132) address(8);
  if (type !== 143 || to - at < 8) return;
  const records = (out[at + 6] << 8) | out[at + 7];
  let next = 8;
  for (let i = 0; i < records && at + next + 20 <= to; i++) {
    const sources = (out[at + next + 2] << 8) | out[at + next + 3];
    const length = 20 + 16 * sources + 4 * out[at + next + 1];
    address(next + 4);
    for (let j = 0; j < sources && at + next + 36 + 16 * j <= to; j++) address(next + 20 + 16 * j);
    next += length;
  }
}
