/** A number of at most 32 bits, an IPv6 address, a name. */
export type Value = number | bigint | string;

/** What a device is called where conditions ask for it. */
export interface Port {
  readonly name: string;
  readonly index: number;
  /** Name of the bridge that it is a port of. */
  readonly bridge: string | null;
}

export type Protocol = 'icmp' | 'tcp' | 'udp';

/** 255.255.255.255: to all on the link, so for this machine too. */
export const BROADCAST = 0xffffffff;

/**
 * The packet that a ruleset is asked about: the first of a connection or ping, or the answer to it. Null is what is not
 * known. Rules change it on its way.
 */
export interface Packet {
  readonly isIpv4: boolean;
  readonly protocol: Protocol;
  /** Type of an ICMP message that is neither an echo request nor the reply to one. */
  readonly icmpType?: number;
  /** Hardware address of who asks, in lower case: of an ARP request, whose addresses are `source` and `destination`. */
  readonly arpSender?: string;
  /** IPv4 unsigned. */
  source: Value | null;
  destination: Value | null;
  sourcePort: number | null;
  destinationPort: number | null;
  readonly isReply: boolean;
  input: Port | null;
  output: Port | null;
  /** What connection tracking makes of it. */
  state: 'new' | 'established' | 'untracked' | null;
  /** Whether it has not come to connection tracking yet. */
  isBeforeTracking: boolean;
  isTranslated: boolean | null;
  mark: number | null;
  /** Whether no rule has set the mark yet: that it is 0 is then assumed. */
  isMarkAssumed: boolean;
  /** Whether the destination is an address of the machine. */
  isLocal: boolean | null;
  /** Names of the devices that the routes back to its source lead through. */
  wayBack: readonly (string | null)[] | null;
}

/** What says which packet it is: the rest is as it is of every packet that nobody has seen yet. */
export type Flow = Pick<Packet, 'isIpv4' | 'protocol' | 'source' | 'destination' | 'sourcePort' | 'destinationPort'>;

/**
 * The first packet of a connection or ping. VXLAN and DHCP have no other: endpoints take a port of their own for each
 * way, and broadcasts have no answers for connection tracking.
 */
export function firstOf(flow: Flow): Packet {
  return {
    ...flow,
    isReply: false,
    input: null,
    output: null,
    state: 'new',
    isBeforeTracking: false,
    isTranslated: false,
    mark: 0,
    isMarkAssumed: true,
    isLocal: null,
    wayBack: null,
  };
}

/** Types of the messages by which IPv6 neighbours find each other (RFC 4861 sections 4.3 and 4.4). */
export const SOLICIT = 135;
export const ADVERT = 136;

/**
 * A neighbor solicitation or advertisement. Connection tracking passes over them (kernel: nf_conntrack_icmpv6_error in
 * net/netfilter/nf_conntrack_proto_icmpv6.c).
 */
export function neighborMessage(icmpType: number, source: ArrayLike<number>, destination: ArrayLike<number>): Packet {
  const [from, to] = [addressValue(source), addressValue(destination)];
  const ports = { sourcePort: null, destinationPort: null };
  const flow = firstOf({ isIpv4: false, protocol: 'icmp', source: from, destination: to, ...ports });
  return { ...flow, icmpType, state: 'untracked' };
}

/** An ARP request. Connection tracking and conditions on IP know nothing of it. */
export function arpRequest(mac: string, source: Value, destination: Value): Packet {
  const ports = { sourcePort: null, destinationPort: null };
  const flow = firstOf({ isIpv4: true, protocol: 'icmp', source, destination, ...ports });
  return { ...flow, arpSender: mac, state: null };
}

/** The group that the neighbours with an address listen to: ff02::1:ff00:0/104 and its last 24 bits (RFC 4291 section 2.7.1). */
export function solicitedGroup(address: ArrayLike<number>): number[] {
  return [0xff020000 | 0, 0, 1, 0xff000000 | (address[3] & 0xffffff) | 0];
}

/** Whether an address value is a group of IPv6 nodes. */
export function isIpv6Group(value: Value | null): boolean {
  return typeof value === 'bigint' && value >> 120n === 0xffn;
}

/** Whether an address value is a group of IPv4 hosts: 224.0.0.0/4 (RFC 5771). */
export function isIpv4Group(value: Value | null): boolean {
  return typeof value === 'number' && value >>> 28 === 0xe;
}

/** Whether an address value stands for many: a broadcast, or a group. */
export function isForMany(value: Value | null): boolean {
  return value === BROADCAST || isIpv4Group(value) || isIpv6Group(value);
}

/** An address (words as in `Ip`) as a value. */
export function addressValue(words: ArrayLike<number>): Value {
  if (words.length === 1) return words[0] >>> 0;
  let value = 0n;
  for (let word = 0; word < words.length; word++) value = (value << 32n) | BigInt(words[word] >>> 0);
  return value;
}

/** The words of an address value. */
export function wordsOf(value: Value): number[] | null {
  if (typeof value === 'string') return null;
  if (typeof value === 'number') return [value | 0];
  return [96n, 64n, 32n, 0n].map((shift) => Number((value >> shift) & 0xffffffffn) | 0);
}
