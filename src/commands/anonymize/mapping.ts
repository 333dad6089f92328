import { createCipheriv, createHash, createHmac } from 'node:crypto';

/** A prefix whose addresses mean something by themselves: it stays as it is, and no other address is mapped into it. */
interface Special {
  readonly bits: readonly number[];
  readonly length: number;
}

/**
 * IPv4: this network, private, shared, loopback, link-local, benchmarking; multicast, reserved and broadcast (RFC 6890);
 * "none", the metadata service of clouds and Calico's gateway as single addresses.
 */
const SPECIAL_V4 = specials(
  [[0], 8],
  [[0, 0, 0, 0], 32],
  [[10], 8],
  [[100, 64], 10],
  [[127], 8],
  [[169, 254], 16],
  [[169, 254, 169, 254], 32],
  [[169, 254, 1, 1], 32],
  [[172, 16], 12],
  [[192, 168], 16],
  [[198, 18], 15],
  [[224], 3],
);
/** IPv6: unspecified and loopback, IPv4-mapped, global, unique local, link-local, multicast. */
const SPECIAL_V6 = specials(
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 96],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 96],
  [[0x20], 3],
  [[0xfc], 7],
  [[0xfe, 0x80, 0, 0, 0, 0, 0, 0], 64],
  [[0xff], 8],
);

function specials(...prefixes: readonly (readonly [readonly number[], number])[]): Special[] {
  return prefixes.map(([bits, length]) => ({ bits, length }));
}

/** Bits of an IPv6 address that a solicited-node address repeats (RFC 4291 section 2.7.1): mapped by themselves. */
const SOLICITED = 24;

/** How addresses are mapped. */
export interface Mapping {
  /** The same key maps equally. */
  readonly key: string;
  /** Whether the first three bytes of a manufacturer's MAC stay. */
  readonly keepOui?: boolean;
}

/**
 * Maps addresses to others, always the same under the same key. IP addresses as in Crypto-PAn (Xu, Fan, Ammar, Moon 2002): two
 * that have the first n bits in common have them in common afterwards too. Subnets stay subnets; the first and the last
 * address of 256 stay first and last.
 */
export class AddressMap {
  readonly #key: Buffer;
  readonly #pad: Buffer;
  readonly #seen = new Map<string, Uint8Array>();

  readonly #keepOui: boolean;

  constructor({ key, keepOui = false }: Mapping) {
    this.#keepOui = keepOui;
    const secret = createHash('sha512').update(key).digest();
    this.#key = secret.subarray(0, 16);
    this.#pad = secret.subarray(16, 32);
  }

  /** @param address 4 bytes */
  ipv4(address: Uint8Array): Uint8Array {
    const isKept = address[0] === 127 || address[0] >= 224;
    return isKept ? address.slice() : this.#cached('4', address, () => this.#map(address, SPECIAL_V4, 24));
  }

  /** @param address 16 bytes */
  ipv6(address: Uint8Array): Uint8Array {
    if (address.subarray(0, 12).every((byte) => byte === 0)) return address.slice();
    if (address[0] === 0xff) return this.#multicast(address);
    if (address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 255 && address[11] === 255) {
      return Uint8Array.from([...address.subarray(0, 12), ...this.ipv4(address.subarray(12))]);
    }
    return this.#cached('6', address, () => {
      const whole = this.#map(address, SPECIAL_V6, 104);
      whole.set(this.#low(address.subarray(13)), 13);
      return whole;
    });
  }

  /** Group and universal bits stay; groups stay but for the address in solicited-node ones, and so do VRRP, HSRP and Calico's. */
  mac(address: Uint8Array): Uint8Array {
    const text = Buffer.from(address).toString('hex');
    if (text.startsWith('3333ff'))
      return Uint8Array.from([...address.subarray(0, 3), ...this.#low(address.subarray(3))]);
    if ((address[0] & 1) !== 0 || /^(0{12}|e{12}|00005e000[12]|00000c07ac|00000c9f)/.test(text)) return address.slice();
    return this.#cached('m', address, () => {
      const mapped = this.hash(`mac ${text}`, 6);
      mapped[0] = (mapped[0] & 0xfc) | (address[0] & 3);
      // Behind a locally administered address stands no manufacturer.
      if (this.#keepOui && (address[0] & 2) === 0) mapped.set(address.subarray(0, 3));
      return mapped;
    });
  }

  /** Bytes that stand for others, equal for equal ones; at most 32. */
  hash(what: string | Uint8Array, length: number): Uint8Array {
    return Uint8Array.from(createHmac('sha256', this.#key).update(what).digest().subarray(0, length));
  }

  #multicast(address: Uint8Array): Uint8Array {
    const isSolicited = Buffer.from(address).toString('hex').startsWith('ff0200000000000000000001ff');
    return isSolicited
      ? Uint8Array.from([...address.subarray(0, 13), ...this.#low(address.subarray(13))])
      : address.slice();
  }

  /** The last bits of an IPv6 address, whatever stands before them. */
  #low(bytes: Uint8Array): Uint8Array {
    return this.#cached('l', bytes, () => this.#map(bytes, [], 0)).subarray(0, SOLICITED / 8);
  }

  #cached(kind: string, address: Uint8Array, map: () => Uint8Array): Uint8Array {
    const key = kind + Buffer.from(address).toString('hex');
    const known = this.#seen.get(key);
    if (known !== undefined) return known;
    const mapped = map();
    if (this.#seen.size < 1_000_000) this.#seen.set(key, mapped);
    return mapped;
  }

  /** Each bit is flipped or not as a secret function of the bits before it says. */
  #map(address: Uint8Array, special: readonly Special[], hostFrom: number): Uint8Array {
    const mapped = address.slice();
    const bits = address.length * 8;
    for (let depth = 0; depth < bits; depth++) {
      if (special.some((each) => depth < each.length && agree(address, each.bits, depth))) continue;
      if (depth >= hostFrom && isEdge(address, hostFrom, depth)) continue;
      if (this.#flips(address, depth)) mapped[depth >> 3] ^= 0x80 >> (depth & 7);
    }
    return mapped;
  }

  /** The first bit of AES of the first `depth` bits of the address, filled up with secret ones. */
  #flips(address: Uint8Array, depth: number): boolean {
    const block = Buffer.from(this.#pad);
    const whole = depth >> 3;
    block.set(address.subarray(0, whole));
    if ((depth & 7) !== 0) {
      const mask = 0xff << (8 - (depth & 7));
      block[whole] = (address[whole] & mask) | (block[whole] & ~mask);
    }
    block[15] ^= address.length;
    const cipher = createCipheriv('aes-128-ecb', this.#key, null).setAutoPadding(false);
    return (cipher.update(block)[0] & 0x80) !== 0;
  }
}

function agree(address: Uint8Array, bits: readonly number[], depth: number): boolean {
  for (let i = 0; i < depth; i++) if (bitAt(address, i) !== bitAt(bits, i)) return false;
  return true;
}

/** Whether the bits from `from` on are all zero or all one so far: the way to the first and to the last address. */
function isEdge(address: Uint8Array, from: number, depth: number): boolean {
  for (let i = from + 1; i < depth; i++) if (bitAt(address, i) !== bitAt(address, from)) return false;
  return true;
}

function bitAt(bytes: ArrayLike<number>, i: number): number {
  return ((bytes[i >> 3] ?? 0) >> (7 - (i & 7))) & 1;
}
