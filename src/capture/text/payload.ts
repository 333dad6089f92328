import { ipv4Bytes, ipv4Packet, ipv6Bytes, ipv6Packet, macBytes, summed, u16, u32 } from './bytes.js';

/** What follows the link header, put together from tcpdump's words. */
export interface Payload {
  readonly etherType: number;
  readonly bytes: readonly number[];
}

const V4 = '(\\d{1,3}(?:\\.\\d{1,3}){3})';
const MAC = '([0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5})';
const REQUEST = new RegExp(`Request who-has ${V4}(?: \\((?:${MAC}|[^)]*)\\))? tell ${V4}`, 'i');
const BARE_REQUEST = new RegExp(`\\bwho-has ${V4}(?: \\((?:${MAC}|[^)]*)\\))? tell ${V4}`, 'i');
const REPLY = new RegExp(`(?:Reply )?${V4} is-at ${MAC}`, 'i');
const ADDRESSES = new RegExp(
  `(?:^|\\s)${V4}(?:\\.(\\d{1,5}|[a-z][\\w-]*))? > ${V4}(?:\\.(\\d{1,5}|[a-z][\\w-]*))?: (.*)$`,
  'i',
);
const ADDRESSES6 =
  /(?:^|\s)([0-9a-f:]*:[0-9a-f:.]*?)(?:\.(\d{1,5}))? > ([0-9a-f:]*:[0-9a-f:.]*?)(?:\.(\d{1,5}))?: (.*)$/i;
const PORTS: Readonly<Record<string, number>> = {
  bootpc: 68,
  bootps: 67,
  domain: 53,
  ntp: 123,
  http: 80,
  https: 443,
  ssh: 22,
  vxlan: 4789,
};
/** Bytes of a payload that are put in where the text tells its length: all zero. */
const MOST_PAYLOAD = 65_000;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** ARP, with the sender's MAC from the link header or, if there was none, made up. */
export function arpPayload(words: string, senderMac: string | null): Payload | null {
  const request = REQUEST.exec(words) ?? BARE_REQUEST.exec(words);
  if (request !== null) {
    const [, target, asked, sender] = request;
    return arp(1, senderMac ?? madeUpMac(sender), sender, asked ?? '00:00:00:00:00:00', target);
  }
  const reply = REPLY.exec(words);
  // tcpdump does not say whom a reply is for.
  return reply === null ? null : arp(2, reply[2], reply[1], '00:00:00:00:00:00', '0.0.0.0');
}

function arp(operation: number, sha: string, spa: string, tha: string, tpa: string): Payload | null {
  if (![spa, tpa].every(isIpv4)) return null;
  const bytes = [
    0,
    1,
    8,
    0,
    6,
    4,
    ...u16(operation),
    ...macBytes(sha),
    ...ipv4Bytes(spa),
    ...macBytes(tha),
    ...ipv4Bytes(tpa),
  ];
  return { etherType: 0x0806, bytes };
}

/** A MAC for text that tells none: locally administered, from the IPv4 address. */
export function madeUpMac(ip: string): string {
  return ['02', '00', ...ipv4Bytes(ip).map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

/** The destination that text without link header leaves open. */
export function usualDestination(words: string): string {
  return /who-has/i.test(words) ? BROADCAST : '02:00:00:00:00:00';
}

export function ipPayload(words: string): Payload | null {
  const v4 = ADDRESSES.exec(words);
  if (v4 !== null && isIpv4(v4[1]) && isIpv4(v4[3])) {
    const [, source, sourcePort, destination, destinationPort, rest] = v4;
    const addresses = [...ipv4Bytes(source), ...ipv4Bytes(destination)];
    const { protocol, bytes } = transport(rest, port(sourcePort), port(destinationPort), addresses, false);
    const ttl = Number(/\bttl (\d+)/.exec(words)?.[1] ?? 64);
    return {
      etherType: 0x0800,
      bytes: ipv4Packet(ipv4Bytes(source), ipv4Bytes(destination), protocol, bytes, ttl & 255),
    };
  }
  const v6 = ADDRESSES6.exec(words);
  if (v6 === null) return null;
  const source = ipv6Bytes(v6[1]);
  const destination = ipv6Bytes(v6[3]);
  if (source === null || destination === null) return null;
  const { protocol, bytes } = transport(v6[5], port(v6[2]), port(v6[4]), [...source, ...destination], true);
  const hops = /neighbor|router/.test(v6[5]) ? 255 : 64;
  return { etherType: 0x86dd, bytes: ipv6Packet(source, destination, protocol, bytes, hops) };
}

function isIpv4(text: string): boolean {
  return ipv4Bytes(text).every((byte) => byte < 256);
}

function port(word: string | undefined): number {
  if (word === undefined) return 0;
  return /^\d+$/.test(word) ? Number(word) & 0xffff : (PORTS[word.toLowerCase()] ?? 0);
}

function transport(
  rest: string,
  from: number,
  to: number,
  addresses: number[],
  isV6: boolean,
): { protocol: number; bytes: number[] } {
  const number = (pattern: RegExp) => Number(pattern.exec(rest)?.[1] ?? 0);
  const length = Math.min(number(/\blength (\d+)/), MOST_PAYLOAD);
  const flags = /^Flags \[([^\]]*)\]/.exec(rest);
  if (flags !== null) {
    const bits = [...flags[1]].reduce((sum, letter) => sum | (TCP_FLAGS[letter] ?? 0), 0);
    const seq = number(/\bseq (\d+)/);
    const head = [
      ...u16(from),
      ...u16(to),
      ...u32(seq),
      ...u32(number(/\back (\d+)/)),
      0x50,
      bits,
      ...u16(number(/\bwin (\d+)/)),
    ];
    return { protocol: 6, bytes: summed([...head, 0, 0, 0, 0, ...zeros(length)], 16, 6, addresses) };
  }
  const echo = /^ICMP6?,? echo (request|reply), (?:id (\d+), )?seq (\d+)/.exec(rest);
  if (echo !== null) {
    const isReply = echo[1] === 'reply';
    const type = isV6 ? (isReply ? 129 : 128) : isReply ? 0 : 8;
    const message = [
      type,
      0,
      0,
      0,
      ...u16(Number(echo[2] ?? 0)),
      ...u16(Number(echo[3])),
      ...zeros(Math.max(0, length - 8)),
    ];
    return isV6
      ? { protocol: 58, bytes: summed(message, 2, 58, addresses) }
      : { protocol: 1, bytes: summed(message, 2, 1) };
  }
  const neighbor = /^ICMP6, neighbor (solicitation|advertisement), (?:who has|tgt is) ([0-9a-f:.]+)/i.exec(rest);
  const target = neighbor === null ? null : ipv6Bytes(neighbor[2]);
  if (neighbor !== null && target !== null) {
    const isSolicitation = neighbor[1] === 'solicitation';
    const answered = /Flags \[[^\]]*solicited/.test(rest) ? 0x60 : 0x20;
    const message = [isSolicitation ? 135 : 136, 0, 0, 0, isSolicitation ? 0 : answered, 0, 0, 0, ...target];
    return { protocol: 58, bytes: summed(message, 2, 58, addresses) };
  }
  if (from !== 0 && to !== 0) {
    const message = [...u16(from), ...u16(to), ...u16(8 + length), 0, 0, ...zeros(length)];
    return { protocol: 17, bytes: isV6 ? summed(message, 6, 17, addresses) : message };
  }
  // Known to be IP and no more: a protocol number kept for experiments (RFC 3692).
  return { protocol: 253, bytes: zeros(length) };
}

const TCP_FLAGS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, '.': 16, U: 32, E: 64, W: 128 };

function zeros(length: number): number[] {
  return new Array(length).fill(0);
}
