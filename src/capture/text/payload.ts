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
    const [from, to] = [port(sourcePort), port(destinationPort)];
    const { protocol, bytes } = transport({ rest, from, to, addresses, isV6: false });
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
  const [rest, from, to] = [v6[5], port(v6[2]), port(v6[4])];
  const addresses = [...source, ...destination];
  const { protocol, bytes } = transport({ rest, from, to, addresses, isV6: true });
  const hops = /neighbor|router/.test(rest) ? 255 : 64;
  return { etherType: 0x86dd, bytes: ipv6Packet(source, destination, protocol, bytes, hops) };
}

function isIpv4(text: string): boolean {
  return ipv4Bytes(text).every((byte) => byte < 256);
}

function port(word: string | undefined): number {
  if (word === undefined) return 0;
  return /^\d+$/.test(word) ? Number(word) & 0xffff : (PORTS[word.toLowerCase()] ?? 0);
}

/** Addresses and ports of a packet, and the words that tcpdump puts behind them. */
interface Told {
  readonly rest: string;
  readonly from: number;
  readonly to: number;
  /** Source and destination, for the pseudo-header. */
  readonly addresses: readonly number[];
  readonly isV6: boolean;
  /** Bytes of its payload. */
  readonly length: number;
}

interface Transport {
  readonly protocol: number;
  readonly bytes: number[];
}

/** The first reading that fits; else it is known to be IP and no more: a protocol number kept for experiments (RFC 3692). */
function transport(told: Omit<Told, 'length'>): Transport {
  const whole = { ...told, length: Math.min(numberIn(told.rest, /\blength (\d+)/), MOST_PAYLOAD) };
  return tcp(whole) ?? echo(whole) ?? neighbor(whole) ?? udp(whole) ?? { protocol: 253, bytes: zeros(whole.length) };
}

function numberIn(words: string, pattern: RegExp): number {
  return Number(pattern.exec(words)?.[1] ?? 0);
}

function tcp({ rest, from, to, addresses, length }: Told): Transport | null {
  const flags = /^Flags \[([^\]]*)\]/.exec(rest);
  if (flags === null) return null;
  const bits = [...flags[1]].reduce((sum, letter) => sum | (TCP_FLAGS[letter] ?? 0), 0);
  const head = [
    ...u16(from),
    ...u16(to),
    ...u32(numberIn(rest, /\bseq (\d+)/)),
    ...u32(numberIn(rest, /\back (\d+)/)),
    0x50,
    bits,
    ...u16(numberIn(rest, /\bwin (\d+)/)),
  ];
  return { protocol: 6, bytes: summed([...head, 0, 0, 0, 0, ...zeros(length)], 16, 6, addresses) };
}

/** Types of ICMP (RFC 792) and ICMPv6 (RFC 4443) by tcpdump's word. */
const ECHO: Readonly<Record<string, number>> = { request: 8, reply: 0 };
const ECHO_V6: Readonly<Record<string, number>> = { request: 128, reply: 129 };

function echo({ rest, addresses, isV6, length }: Told): Transport | null {
  const match = /^ICMP6?,? echo (request|reply), (?:id (\d+), )?seq (\d+)/.exec(rest);
  if (match === null) return null;
  const [, word, identifier = '0', sequence] = match;
  const type = (isV6 ? ECHO_V6 : ECHO)[word];
  const ids = [...u16(Number(identifier)), ...u16(Number(sequence))];
  const message = [type, 0, 0, 0, ...ids, ...zeros(Math.max(0, length - 8))];
  return isV6
    ? { protocol: 58, bytes: summed(message, 2, 58, addresses) }
    : { protocol: 1, bytes: summed(message, 2, 1) };
}

function neighbor({ rest, addresses }: Told): Transport | null {
  const match = /^ICMP6, neighbor (solicitation|advertisement), (?:who has|tgt is) ([0-9a-f:.]+)/i.exec(rest);
  const target = match === null ? null : ipv6Bytes(match[2]);
  if (match === null || target === null) return null;
  const isSolicitation = match[1] === 'solicitation';
  const answered = /Flags \[[^\]]*solicited/.test(rest) ? 0x60 : 0x20;
  const message = [isSolicitation ? 135 : 136, 0, 0, 0, isSolicitation ? 0 : answered, 0, 0, 0, ...target];
  return { protocol: 58, bytes: summed(message, 2, 58, addresses) };
}

function udp({ from, to, addresses, isV6, length }: Told): Transport | null {
  if (from === 0 || to === 0) return null;
  const message = [...u16(from), ...u16(to), ...u16(8 + length), 0, 0, ...zeros(length)];
  return { protocol: 17, bytes: isV6 ? summed(message, 6, 17, addresses) : message };
}

const TCP_FLAGS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, '.': 16, U: 32, E: 64, W: 128 };

function zeros(length: number): number[] {
  return new Array(length).fill(0);
}
