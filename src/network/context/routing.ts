import { parseIp } from './address.js';
import type { Device, Namespace, Route } from './device.js';

/** What the main routing table says of an address. */
export interface Way {
  /** `none`: no route covers it. `refused`: one of type blackhole, unreachable or prohibit does. `unknown`: the file does not tell. */
  readonly kind: 'routed' | 'none' | 'refused' | 'unknown';
  /** The best routes, more than one where they are equally long and have the same metric. */
  readonly routes: readonly Route[];
}

const REFUSING: readonly string[] = ['blackhole', 'unreachable', 'prohibit', 'throw'];

/**
 * The longest matching routes to an address: one signed int32 word for IPv4, four for IPv6. Only the main table is in a
 * host context, so rules of policy routing (`ip rule`) are not known; a namespace with a VRF is `unknown`, for it has more
 * tables.
 */
export function wayTo(namespace: Namespace, words: ArrayLike<number>): Way {
  const family = words.length === 1 ? 4 : 6;
  for (const device of namespace.devices.values()) if (device.kind === 'vrf') return { kind: 'unknown', routes: [] };
  let best: Route[] = [];
  let longest = -1;
  for (const route of namespace.routes) {
    const length = route.family === family ? matches(route.dst, words) : -1;
    if (length < 0 || length < longest) continue;
    const least = length > longest ? Number.POSITIVE_INFINITY : best[0].metric;
    if (route.metric > least) continue;
    if (route.metric < least) best = [];
    longest = length;
    best.push(route);
  }
  if (best.length === 0) return { kind: namespace.routeFamilies.includes(family) ? 'none' : 'unknown', routes: best };
  if (best.some(({ type }) => REFUSING.includes(type))) return { kind: 'refused', routes: best };
  // Several next hops (`nexthops`) have no device of their own.
  return { kind: best.every(({ dev }) => dev !== null) ? 'routed' : 'unknown', routes: best };
}

/** Setting of a device, or of all: the kernel takes the larger of the two (`IN_DEV_MAXCONF` in include/linux/inetdevice.h). */
export function largerSetting({ sysctl }: Namespace, device: Device, name: string): number | null {
  const all = setting(sysctl.get(`net.ipv4.conf.all.${name}`));
  const own = setting(sysctl.get(`net.ipv4.conf.${device.name}.${name}`));
  return all === null || own === null ? null : Math.max(all, own);
}

/** Whether packets that come in at a device are forwarded; null where the file does not tell. */
export function forwards({ sysctl }: Namespace, device: Device, family: 4 | 6): boolean | null {
  const all = sysctl.get(family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding');
  // IPv6 looks at `all` alone (kernel: ip6_forward in net/ipv6/ip6_output.c).
  const own = family === 4 ? sysctl.get(`net.ipv4.conf.${device.name}.forwarding`) : undefined;
  const value = setting(own ?? all);
  return value === null ? null : value !== 0;
}

function setting(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,3}$/.test(text) ? Number(text) : null;
}

/** Length of the prefix `dst` if it covers the address, else -1. */
function matches(dst: string, words: ArrayLike<number>): number {
  const family = words.length === 1 ? 4 : 6;
  const bits = family === 4 ? 32 : 128;
  if (dst === 'default') return 0;
  const slash = dst.indexOf('/');
  const prefix = parseIp(slash < 0 ? dst : dst.slice(0, slash));
  const length = slash < 0 ? bits : Number(dst.slice(slash + 1));
  if (!prefix || prefix.family !== family || !Number.isInteger(length) || length < 0 || length > bits) return -1;
  for (let word = 0, left = length; left > 0; word++, left -= 32) {
    const mask = left >= 32 ? -1 : -1 << (32 - left);
    if (((prefix.words[word] ^ words[word]) & mask) !== 0) return -1;
  }
  return length;
}
