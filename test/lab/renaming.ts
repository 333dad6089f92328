import { AddressMap } from '../../src/commands/anonymize/mapping.js';
import { anonymizedFrame } from '../../src/commands/anonymize/packet.js';
import { WordMap } from '../../src/commands/anonymize/words.js';
import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame } from '../../src/wire/frame.js';
import type { Shot, Shown } from './recorded.js';

const PORTS = udpPortTable();
/** Bit of the first byte of a MAC: given by an administrator rather than by a manufacturer. */
const LOCAL = 2;

/**
 * The order of all addresses turned round: hosts of a subnet, MACs, interface identifiers. What was the smaller of two is
 * the larger.
 */
class Reversed extends AddressMap {
  /** @param flip bits of the first byte of each MAC that are flipped too: `LOCAL` makes manufacturers' addresses of local ones */
  constructor(
    private readonly flip = 0,
    private readonly nets: (net: number) => number = (net) => net,
  ) {
    super({ key: 'reversed' });
  }

  override ipv4(address: Uint8Array): Uint8Array {
    const [a, b, c, d] = address;
    if (a === 0 || a === 127 || a >= 224 || (a === 169 && b === 254)) return address.slice();
    const net = this.nets((a << 8) | b);
    // The first and the last address of a subnet mean something.
    return Uint8Array.of(net >> 8, net & 255, c, d === 0 || d === 255 ? d : 255 - d);
  }

  override ipv6(address: Uint8Array): Uint8Array {
    const out = address.slice();
    if (address.subarray(0, 12).every((byte) => byte === 0)) return out;
    const isSolicited = Buffer.from(address).toString('hex').startsWith('ff0200000000000000000001ff');
    if (address[0] === 0xff && !isSolicited) return out;
    for (let i = 13; i < 16; i++) out[i] ^= 255;
    // Interface identifiers that were made of a MAC stay so.
    if (!isSolicited && address[11] === 0xff && address[12] === 0xfe) {
      out[8] ^= 0xfc ^ this.flip;
      out[9] ^= 255;
      out[10] ^= 255;
    }
    return out;
  }

  override mac(address: Uint8Array): Uint8Array {
    const text = Buffer.from(address).toString('hex');
    const out = address.slice();
    if (text.startsWith('3333ff')) for (let i = 3; i < 6; i++) out[i] ^= 255;
    if ((address[0] & 1) !== 0 || /^(0{12}|e{12}|00005e000[12]|00000c07ac|00000c9f)/.test(text)) return out;
    for (let i = 0; i < 6; i++) out[i] ^= 255;
    out[0] = (address[0] ^ 0xfc ^ this.flip) & 255;
    return out;
  }
}

/** Private nets become other private ones: 10/8 → 192.168, 192.168 → 100.64/10, the others → 10/8; public ones stay. */
function otherNets(seen: Map<number, number>): (net: number) => number {
  return (net) => {
    const known = seen.get(net);
    if (known !== undefined) return known;
    const a = net >> 8;
    const b = net & 255;
    const isPrivate =
      a === 10 || net === 0xc0a8 || (a === 172 && b >= 16 && b < 32) || (a === 100 && b >= 64 && b < 128);
    let next = net;
    if (a === 10) next = seen.size === 0 ? 0xc0a8 : (100 << 8) | (64 + ((b * 7 + 3) & 63));
    else if (net === 0xc0a8) next = (100 << 8) | 127;
    else if (isPrivate) next = (10 << 8) | (255 - b);
    while ([...seen.values()].includes(next)) next ^= 1;
    seen.set(net, next);
    return next;
  };
}

export const RENAMINGS: Readonly<Record<string, () => AddressMap>> = {
  'addresses reversed': () => new Reversed(),
  'addresses reversed, MACs of manufacturers': () => new Reversed(LOCAL),
  'other private nets': () => new Reversed(LOCAL, otherNets(new Map())),
  'random addresses': () => new AddressMap({ key: 'random addresses' }),
  'more random addresses': () => new AddressMap({ key: 'more random addresses' }),
};

/** The capture with other addresses, in its host context too. Payloads that nobody decodes are replaced by others. */
export function renamed(shown: Shown, map: AddressMap): Shown {
  const words = new WordMap(map);
  return {
    ...shown,
    shots: shown.shots.map((shot) => renamedShot(shot, map)),
    context: shown.context === null ? null : words.json(shown.context),
  };
}

function decoded(shot: Shot): Frame {
  const frame = new Frame();
  frame.udpPorts = PORTS;
  frame.useBuffer(shot.bytes);
  frame.start = 0;
  frame.end = shot.bytes.length;
  frame.wireLength = shot.wireLength;
  frame.linkType = shot.linkType;
  frame.direction = shot.direction;
  decode(frame);
  return frame;
}

export function renamedShot(shot: Shot, map: AddressMap): Shot {
  return { ...shot, bytes: anonymizedFrame(decoded(shot), map) };
}
