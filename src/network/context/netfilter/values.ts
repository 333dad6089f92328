import { parseIp } from '../address.js';
import { type Row, record } from '../rows.js';
import {
  addressValue,
  BROADCAST,
  isForMany,
  isIpv4Group,
  isIpv6Group,
  type Packet,
  type Port,
  type Value,
} from './packet.js';

/** What a packet has none of: then no condition on it holds, not even that it is another. */
export const ABSENT = Symbol('absent');

/** Bits of TCP flags (RFC 9293 section 3.1); the two of ECN are not known of a SYN. */
const FLAGS: Readonly<Record<string, number>> = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, cwr: 128 };
const SYN = 2;
const SYN_ACK = 18;
/** Bits that are known. */
const KNOWN_FLAGS = 0x3f;

/** Protocols as `Packet` names them; ICMP is another one in IPv6. */
const NUMBERS = { tcp: 6, udp: 17, icmp: 1 } as const;
const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, 'ipv6-icmp': 58, icmpv6: 58 };
const ICMP: Readonly<Record<string, number>> = { 'echo-reply': 0, 'echo-request': 8 };
const ICMPV6: Readonly<Record<string, number>> = {
  'echo-request': 128,
  'echo-reply': 129,
  'nd-router-solicit': 133,
  'nd-router-advert': 134,
  'nd-neighbor-solicit': 135,
  'nd-neighbor-advert': 136,
  'nd-redirect': 137,
};
const ETHERNET: Readonly<Record<string, number>> = {
  ip: 0x800,
  ip6: 0x86dd,
  arp: 0x806,
  vlan: 0x8100,
  '8021q': 0x8100,
};
/** Operations of ARP (RFC 826). */
const ARP: Readonly<Record<string, number>> = { request: 1, reply: 2 };
/** What the way back may depend on; rules of policy routing that ask for marks are not gone through. */
const WAY_BACK: readonly unknown[] = ['saddr', 'iif', 'mark'];
const FAMILIES: Readonly<Record<string, number>> = { ipv4: 2, ipv6: 10 };

/** A field that conditions ask for: what it is in the packet, and how its values are written. */
export interface Field {
  /** Null where it is not known. */
  readonly value: Value | null | typeof ABSENT;
  /** Bits of the value that are known, where not all are. */
  readonly known?: number;
  /** A value of a rule; null where it is not understood. */
  readonly read: (literal: unknown) => Value | null;
}

const UNKNOWN: Field = { value: null, read: () => null };

/** The field that the left side of a condition names. */
export function fieldOf(left: unknown, packet: Packet): Field {
  const row = record(left);
  if (!row) return UNKNOWN;
  const payload = record(row.payload);
  if (payload) return payloadField(`${payload.protocol}`, `${payload.field}`, packet);
  const meta = record(row.meta);
  if (meta) return metaField(`${meta.key}`, packet);
  const ct = record(row.ct);
  if (ct) return trackingField(ct, packet);
  const fib = record(row.fib);
  if (fib) return routeField(fib, packet);
  return '&' in row ? masked(row['&'], packet) : UNKNOWN;
}

/** What the routes say of an address (`fib` of nft(8)): what the destination is to this machine, and whether one leads back to the source. */
function routeField({ result, flags }: Row, packet: Packet): Field {
  const { destination, isLocal, input, wayBack } = packet;
  const asked = [flags].flat();
  if (result === 'type' && `${asked}` === 'daddr' && isLocal !== null && !isIpv6Group(destination))
    return { value: addressType(packet), read: name };
  const isWayBack = result === 'oif' && asked.includes('saddr') && asked.every((flag) => WAY_BACK.includes(flag));
  if (!isWayBack || !wayBack || !input) return UNKNOWN;
  const isThere = asked.includes('iif') ? wayBack.includes(input.name) : wayBack.length > 0;
  return { value: `${isThere}`, read: (literal) => (typeof literal === 'boolean' ? `${literal}` : null) };
}

/** As the routing table tells what an address is to this machine (`fib daddr type`). */
function addressType({ destination, isLocal }: Packet): string {
  if (destination === BROADCAST) return 'broadcast';
  if (isIpv4Group(destination)) return 'multicast';
  return isLocal ? 'local' : 'unicast';
}

/** Whether a condition asks for one of some keys of `meta`. */
export function asksFor(left: unknown, keys: readonly unknown[]): boolean {
  const row = record(left);
  if (!row) return false;
  if (keys.includes(record(row.meta)?.key)) return true;
  return ['&', 'concat'].some(
    (key) => Array.isArray(row[key]) && (row[key] as unknown[]).some((part) => asksFor(part, keys)),
  );
}

/** Flags written as a word, a list, or joined by `|`; null where they are none. */
export function flagsOf(literal: unknown): number | null {
  const joined = record(literal)?.['|'] ?? literal;
  if (typeof joined === 'number') return joined;
  let bits = 0;
  for (const each of [joined].flat()) {
    const bit = flagBits(each);
    if (bit === null) return null;
    bits |= bit;
  }
  return bits;
}

function flagBits(literal: unknown): number | null {
  if (typeof literal === 'string') return FLAGS[literal] ?? null;
  return record(literal) ? flagsOf(literal) : null;
}

function payloadField(protocol: string, field: string, packet: Packet): Field {
  if (packet.arpSender !== undefined) return arpField(protocol, field, packet);
  const { isIpv4 } = packet;
  switch (protocol) {
    case 'ip':
      if (!isIpv4) return { ...UNKNOWN, value: ABSENT };
      if (field === 'protocol') return { value: protocolOf(packet), read: named(PROTOCOLS) };
      return addressField(field, packet);
    case 'ip6':
      if (isIpv4) return { ...UNKNOWN, value: ABSENT };
      if (field === 'nexthdr') return { value: protocolOf(packet), read: named(PROTOCOLS) };
      // Messages of neighbor discovery, as no router may have passed them on (RFC 4861 section 7.1).
      if (field === 'hoplimit' && packet.icmpType !== undefined) return { value: 255, read: number };
      return addressField(field, packet);
    case 'tcp':
    case 'udp':
    case 'th':
      if (protocol !== 'th' && packet.protocol !== protocol) return { ...UNKNOWN, value: ABSENT };
      if (packet.protocol === 'icmp') return UNKNOWN;
      if (field === 'flags' && protocol === 'tcp')
        return { value: packet.isReply ? SYN_ACK : SYN, known: KNOWN_FLAGS, read: flagsOf };
      if (field === 'sport') return { value: packet.sourcePort, read: number };
      return field === 'dport' ? { value: packet.destinationPort, read: number } : UNKNOWN;
    case 'icmp':
    case 'icmpv6': {
      if (packet.protocol !== 'icmp' || isIpv4 !== (protocol === 'icmp')) return { ...UNKNOWN, value: ABSENT };
      const types = isIpv4 ? ICMP : ICMPV6;
      const echo = types[packet.isReply ? 'echo-reply' : 'echo-request'];
      if (field === 'type') return { value: packet.icmpType ?? echo, read: named(types) };
      return field === 'code' ? { value: 0, read: number } : UNKNOWN;
    }
    case 'sctp':
    case 'dccp':
    case 'udplite':
    case 'esp':
    case 'ah':
    case 'comp':
    case 'igmp':
    case 'arp':
      return { ...UNKNOWN, value: ABSENT };
    case 'ether':
      return field === 'type' ? { value: isIpv4 ? 0x800 : 0x86dd, read: named(ETHERNET) } : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

/** Of an ARP request. */
function arpField(protocol: string, field: string, { arpSender, source, destination }: Packet): Field {
  const sender = { value: arpSender ?? null, read: hardware };
  if (protocol === 'ether') {
    if (field === 'saddr') return sender;
    return field === 'type' ? { value: ETHERNET.arp, read: named(ETHERNET) } : UNKNOWN;
  }
  if (protocol === 'vlan') return UNKNOWN;
  if (protocol !== 'arp') return { ...UNKNOWN, value: ABSENT };
  switch (field) {
    case 'operation':
      return { value: ARP.request, read: named(ARP) };
    case 'saddr ip':
      return { value: source, read: address };
    case 'daddr ip':
      return { value: destination, read: address };
    case 'saddr ether':
      return sender;
    default:
      return UNKNOWN;
  }
}

function addressField(field: string, packet: Packet): Field {
  if (field !== 'saddr' && field !== 'daddr') return UNKNOWN;
  return { value: field === 'saddr' ? packet.source : packet.destination, read: address };
}

function metaField(key: string, packet: Packet): Field {
  switch (key) {
    case 'iifname':
      return { value: packet.input?.name ?? null, read: name };
    case 'oifname':
      return { value: packet.output?.name ?? null, read: name };
    case 'iif':
      return { value: packet.input?.name ?? null, read: device(packet.input) };
    case 'oif':
      return { value: packet.output?.name ?? null, read: device(packet.output) };
    case 'ibrname':
      return { value: packet.input?.bridge ?? null, read: name };
    case 'obrname':
      return { value: packet.output?.bridge ?? null, read: name };
    case 'l4proto':
      if (packet.arpSender !== undefined) return { ...UNKNOWN, value: ABSENT };
      return { value: protocolOf(packet), read: named(PROTOCOLS) };
    case 'nfproto':
      if (packet.arpSender !== undefined) return UNKNOWN;
      return { value: packet.isIpv4 ? 2 : 10, read: named(FAMILIES) };
    case 'protocol':
      if (packet.arpSender !== undefined) return { value: ETHERNET.arp, read: named(ETHERNET) };
      return { value: packet.isIpv4 ? 0x800 : 0x86dd, read: named(ETHERNET) };
    case 'mark':
      return { value: packet.mark, read: number };
    case 'pkttype':
      // Of what leaves it says something else.
      if (!packet.input) return UNKNOWN;
      if (packet.destination === BROADCAST) return { value: 'broadcast', read: name };
      return isForMany(packet.destination) ? { value: 'multicast', read: name } : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

function trackingField(ct: Row, packet: Packet): Field {
  if (packet.isBeforeTracking) return UNKNOWN;
  if (ct.key === 'state') return { value: packet.state, read: name };
  if (packet.state === 'untracked' || packet.state === null) return UNKNOWN;
  if (ct.key === 'direction') return { value: packet.isReply ? 'reply' : 'original', read: name };
  return UNKNOWN;
}

/** `field & bits`. */
function masked(operands: unknown, packet: Packet): Field {
  if (!Array.isArray(operands) || operands.length !== 2) return UNKNOWN;
  const { value, known = -1, read } = fieldOf(operands[0], packet);
  const mask = read(operands[1]);
  if (value === ABSENT) return { value, read };
  if (mask === null || value === null || typeof value === 'string' || typeof mask === 'string') return UNKNOWN;
  if (typeof value === 'bigint' || typeof mask === 'bigint')
    return typeof value === typeof mask ? { value: (value as bigint) & (mask as bigint), read } : UNKNOWN;
  return { value: (value & mask & known) >>> 0, known: known | ~mask, read };
}

function protocolOf({ protocol, isIpv4 }: Packet): number {
  return protocol === 'icmp' && !isIpv4 ? 58 : NUMBERS[protocol];
}

/** Reads numbers, and the names of some; a name that is not among them stands for another number. */
function named(names: Readonly<Record<string, number>>): (literal: unknown) => Value | null {
  return (literal) => (typeof literal === 'string' ? (names[literal] ?? -1) : number(literal));
}

function number(literal: unknown): number | null {
  if (typeof literal === 'number') return literal;
  return typeof literal === 'string' && /^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/.test(literal) ? Number(literal) : null;
}

/** A MAC, in lower case as nft writes it. */
function hardware(literal: unknown): string | null {
  return typeof literal === 'string' && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(literal) ? literal.toLowerCase() : null;
}

function name(literal: unknown): string | null {
  return typeof literal === 'string' ? literal : null;
}

/** `iif` is a number in the kernel; nft writes the name where it knows one. */
function device(port: Port | null): (literal: unknown) => Value | null {
  return (literal) =>
    typeof literal === 'number' && literal === port?.index ? port.name : (name(literal ?? null) ?? `#${literal}`);
}

function address(literal: unknown): Value | null {
  const ip = typeof literal === 'string' ? parseIp(literal) : null;
  return ip && addressValue(ip.words);
}
