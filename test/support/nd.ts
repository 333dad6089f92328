import { mac, u16 } from './wire.js';

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
