/** A number of at most 32 bits, an IPv6 address, a name. */
export type Value = number | bigint | string;

/** What a device is called where conditions ask for it. */
export interface Port {
  readonly name: string;
  readonly index: number;
  /** Name of the bridge that it is a port of. */
  readonly bridge: string | null;
}

/**
 * The packet that a ruleset is asked about: the first of a connection or ping, or the answer to it. Null is what is not
 * known. Rules change it on its way.
 */
export interface Packet {
  readonly isIpv4: boolean;
  readonly protocol: 'icmp' | 'tcp';
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
