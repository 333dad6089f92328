import { type Capture, mac, u16, type Way } from './wire.js';

/** Bytes of an IPv6 address that is written in full or with one `::`. */
export function ip6(text: string): number[] {
  const [head, tail] = text.split('::');
  const groups = (part: string | undefined) => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const first = groups(head);
  const last = groups(tail);
  const zeros = new Array(8 - first.length - last.length).fill(0);
  return [...first, ...zeros, ...last].flatMap(u16);
}

/** An Ethernet frame with an ICMPv6 message; the checksum stays 0. */
export function icmpv6(from: string, to: string, source: string, destination: string, message: number[]): number[] {
  const header = [0x60, 0, 0, 0, ...u16(message.length), 58, 255, ...ip6(source), ...ip6(destination)];
  return [...mac(to), ...mac(from), 0x86, 0xdd, ...header, ...message];
}

/** Neighbor solicitation for `target`, from `source` ('::' in duplicate address detection). */
export function solicitation(from: string, source: string, target: string): number[] {
  const tail = ip6(target).slice(13);
  const to = `33:33:ff:${tail.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
  const group = [...ip6('ff02::1:ff00:0').slice(0, 13), ...tail];
  const message = [135, 0, 0, 0, 0, 0, 0, 0, ...ip6(target)];
  const header = [0x60, 0, 0, 0, ...u16(message.length), 58, 255, ...ip6(source), ...group];
  return [...mac(to), ...mac(from), 0x86, 0xdd, ...header, ...message];
}

/** Neighbor advertisement of `target`: solicited to `to`, or to all nodes where that is null. */
export function advertisement(from: string, target: string, to: { mac: string; ip: string } | null): number[] {
  const message = [136, 0, 0, 0, to ? 0x60 : 0x20, 0, 0, 0, ...ip6(target)];
  return icmpv6(from, to?.mac ?? '33:33:00:00:00:01', target, to?.ip ?? 'ff02::1', message);
}

export interface RouterAdvertisement {
  /** MAC. */
  from: string;
  /** Last byte of the link-local address. */
  router: number;
  /** Sixth byte of the prefix. */
  prefix: number;
  lifetime?: number;
  preferred?: number;
  hopLimit?: number;
  linkLocal?: number;
}

/** A router advertisement to all nodes, with one prefix 2001:db8:…::/64. */
export function advertise(
  capture: Capture,
  { from, router, prefix, lifetime = 1800, preferred = 255, hopLimit = 255, linkLocal = 0xfe80 }: RouterAdvertisement,
  way?: Way,
): Capture {
  const zeros = (count: number) => new Array<number>(count).fill(0);
  const lifetimes = [0, 0, 0, 255, 0, 0, 0, preferred];
  const option = [3, 4, 64, 0xc0, ...lifetimes, ...zeros(4), 0x20, 1, 0xd, 0xb8, 0, prefix, ...zeros(10)];
  const message = [134, 0, 0, 0, 64, 0, ...u16(lifetime), ...zeros(8), ...option];
  const addresses = [...u16(linkLocal), ...zeros(13), router, 0xff, 2, ...zeros(13), 1];
  const packet = [0x60, 0, 0, 0, ...u16(message.length), 58, hopLimit, ...addresses, ...message];
  return capture.raw([...mac('33:33:00:00:00:01'), ...mac(from), 0x86, 0xdd, ...packet], way);
}
