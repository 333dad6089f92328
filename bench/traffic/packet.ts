/** Room in front of the payload for every header that is prepended: two Ethernet, IP and UDP headers and more. */
const HEADROOM = 256;
const LARGEST = 2048;

export const IpProtocol = { Icmp: 1, Tcp: 6, Udp: 17, Icmpv6: 58 } as const;

/** Where the checksum stands in the header of a protocol, if not at 2 as in ICMP and ICMPv6. */
const CHECKSUM_OFFSETS: Readonly<Record<number, number>> = { [IpProtocol.Tcp]: 16, [IpProtocol.Udp]: 6 };

/** A MAC address as the kernel's and netdiag's tables hold it: the first two bytes, and the last four. */
export interface Mac {
  readonly high: number;
  readonly low: number;
}

/** An IPv6 address as four 32-bit words. */
export type Ipv6 = readonly [number, number, number, number];

const BROADCAST: Mac = { high: 0xffff, low: 0xffffffff };

/**
 * One packet under construction, from the inside out as the kernel does it: `begin` lays the payload, each
 * header is prepended and so knows the length of what it carries. Checksums are right.
 */
export class Packet {
  readonly bytes = new Uint8Array(HEADROOM + LARGEST);
  readonly view = new DataView(this.bytes.buffer);
  /** Offset of the outermost header so far, */
  start = HEADROOM;
  /** and behind the last byte. */
  end = HEADROOM;
  #identification = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Starts anew with `length` bytes of payload, taken from `noise` at `from`. */
  begin(noise: Uint8Array, from: number, length: number): void {
    this.start = HEADROOM;
    this.end = HEADROOM + length;
    for (let i = 0; i < length; i++) this.bytes[HEADROOM + i] = noise[from + i];
  }

  /** Appends zeros up to `length`, as a network card does below the minimum of Ethernet. */
  pad(length: number): void {
    if (this.length >= length) return;
    this.bytes.fill(0, this.end, this.start + length);
    this.end = this.start + length;
  }

  /** TCP with the timestamps option (RFC 7323 §3), as Linux sends it; 32 bytes. */
  tcp(from: number, to: number, sequence: number, acknowledgment: number, flags: number, stamp: number): void {
    const at = this.#prepend(32);
    this.view.setUint16(at, from);
    this.view.setUint16(at + 2, to);
    this.view.setUint32(at + 4, sequence);
    this.view.setUint32(at + 8, acknowledgment);
    this.view.setUint16(at + 12, 0x8000 | flags);
    this.view.setUint16(at + 14, 502);
    this.view.setUint32(at + 16, 0);
    this.view.setUint32(at + 20, 0x0101080a);
    this.view.setUint32(at + 24, stamp);
    this.view.setUint32(at + 28, stamp);
  }

  udp(from: number, to: number): void {
    const at = this.#prepend(8);
    this.view.setUint16(at, from);
    this.view.setUint16(at + 2, to);
    this.view.setUint16(at + 4, this.length);
    this.view.setUint16(at + 6, 0);
  }

  /** Echo request or reply, ICMP (types 8, 0) and ICMPv6 (128, 129) alike. */
  echo(type: number, identifier: number, sequence: number): void {
    const at = this.#prepend(8);
    this.view.setUint32(at, type << 24);
    this.view.setUint16(at + 4, identifier);
    this.view.setUint16(at + 6, sequence);
  }

  /** Neighbor solicitation (135) with the source's or advertisement (136) with the target's address (RFC 4861 §4.3, §4.4). */
  neighbor(type: 135 | 136, target: Ipv6, mac: Mac): void {
    const option = this.#prepend(8);
    this.view.setUint16(option, type === 135 ? 0x0101 : 0x0201);
    this.#mac(option + 2, mac);
    this.#ipv6(this.#prepend(16), target);
    const at = this.#prepend(8);
    this.view.setUint32(at, type << 24);
    this.view.setUint32(at + 4, type === 135 ? 0 : 0x60000000);
  }

  ipv4(source: number, destination: number, protocol: number): void {
    const at = this.#prepend(20);
    this.#identification = (this.#identification + 1) & 0xffff;
    this.view.setUint16(at, 0x4500);
    this.view.setUint16(at + 2, this.length);
    this.view.setUint16(at + 4, this.#identification);
    this.view.setUint16(at + 6, 0);
    this.view.setUint16(at + 8, 0x4000 | protocol);
    this.view.setUint16(at + 10, 0);
    this.view.setUint32(at + 12, source);
    this.view.setUint32(at + 16, destination);
    this.view.setUint16(at + 10, fold(this.#sum(at, at + 20)));
    // ICMP alone has no pseudo-header (RFC 792).
    this.#upperChecksum(at + 20, protocol, protocol === IpProtocol.Icmp ? 0 : this.#sum(at + 12, at + 20));
  }

  ipv6(source: Ipv6, destination: Ipv6, protocol: number, hopLimit = 64): void {
    const at = this.#prepend(40);
    this.view.setUint32(at, 0x60000000);
    this.view.setUint16(at + 4, this.length - 40);
    this.view.setUint16(at + 6, (protocol << 8) | hopLimit);
    this.#ipv6(at + 8, source);
    this.#ipv6(at + 24, destination);
    this.#upperChecksum(at + 40, protocol, this.#sum(at + 8, at + 40));
  }

  arp(operation: 1 | 2, sha: Mac, spa: number, tha: Mac, tpa: number): void {
    const at = this.#prepend(28);
    this.view.setUint32(at, 0x00010800);
    this.view.setUint32(at + 4, 0x06040000 | operation);
    this.#mac(at + 8, sha);
    this.view.setUint32(at + 14, spa);
    this.#mac(at + 18, tha);
    this.view.setUint32(at + 24, tpa);
  }

  /** `destination` null is broadcast. */
  ethernet(destination: Mac | null, source: Mac, type: number): void {
    const at = this.#prepend(14);
    this.#mac(at, destination ?? BROADCAST);
    this.#mac(at + 6, source);
    this.view.setUint16(at + 12, type);
  }

  /** Inserts a tag behind the two addresses of the Ethernet header; the outermost tag is inserted last. */
  tag(tpid: number, tci: number): void {
    const at = this.#prepend(4);
    this.bytes.copyWithin(at, at + 4, at + 16);
    this.view.setUint16(at + 12, tpid);
    this.view.setUint16(at + 14, tci);
  }

  /** VXLAN header, RFC 7348 §5, with the I flag alone. */
  vxlan(vni: number): void {
    const at = this.#prepend(8);
    this.view.setUint32(at, 0x08000000);
    this.view.setUint32(at + 4, vni << 8);
  }

  #prepend(length: number): number {
    this.start -= length;
    return this.start;
  }

  #mac(at: number, mac: Mac): void {
    this.view.setUint16(at, mac.high);
    this.view.setUint32(at + 2, mac.low);
  }

  #ipv6(at: number, address: Ipv6): void {
    for (let i = 0; i < 4; i++) this.view.setUint32(at + 4 * i, address[i]);
  }

  /** The ones' complement sum of 16-bit words, not yet folded. */
  #sum(from: number, to: number): number {
    let sum = 0;
    let at = from;
    for (; at + 1 < to; at += 2) sum += this.view.getUint16(at);
    return at < to ? sum + (this.bytes[at] << 8) : sum;
  }

  /** Checksum of the header at `at`; `addresses` is the sum over the pseudo-header's addresses, 0 where there is none. */
  #upperChecksum(at: number, protocol: number, addresses: number): void {
    const field = at + (CHECKSUM_OFFSETS[protocol] ?? 2);
    const pseudo = addresses === 0 ? 0 : addresses + protocol + (this.end - at);
    this.view.setUint16(field, 0);
    // A UDP checksum of zero would mean "none" (RFC 768).
    this.view.setUint16(field, fold(pseudo + this.#sum(at, this.end)) || (protocol === IpProtocol.Udp ? 0xffff : 0));
  }
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}
