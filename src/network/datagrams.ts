import type { Frame } from '../wire/frame.js';
import { Protocol } from '../wire/protocol.js';
import type { RoutingLoops } from './routing-loops.js';

/** Datagrams remembered at once, the latest ones; two that meet in a slot forget the older one. */
const SLOTS = 1 << 12;
/** A slot is a cache line: 16 words, or 8 doubles. */
const WORDS = 16;
const DOUBLES = WORDS / 2;
/** A datagram that was not seen for this long has arrived: a circle of routers takes microseconds to seconds. */
const LIFETIME_NS = 10e9;

/** Set in the number of sightings once the datagram is known to go round. */
const CIRCLES = 1 << 16;

const HIGH = 1;
const TTL = 2;
const SIGHTINGS = 3;
const HI = 4;
const LO = 5;
const HI_2 = 6;
const LO_2 = 7;
const HI_3 = 8;
const LO_3 = 9;
const TIME = 5;
const NUMBER = 6;
const NUMBER_2 = 7;

/**
 * IP datagrams that passed lately, by segment, addresses, identification, length and the first eight bytes they carry,
 * with their TTL (hop limit) and the stations that sent them: so a datagram is known again behind a router. Those that
 * come back go to `RoutingLoops`.
 */
export class Datagrams {
  private readonly words = new Int32Array(SLOTS * WORDS);
  private readonly doubles = new Float64Array(this.words.buffer);

  constructor(private readonly loops: RoutingLoops) {}

  /** A unicast packet whose IP header is at `layer`, in a frame from (hi, lo) to (hiTo, loTo); hiTo is -1 where unknown. */
  observe(frame: Frame, layer: number, segment: number, hi: number, lo: number, hiTo: number, loTo: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const end = frame.ends[layer];
    let a = Math.imul(segment + 1, 0x9e3779b1);
    let b: number;
    let ttl: number;
    if (frame.kinds[layer] === Protocol.Ipv4) {
      // Total length and identification, flags and fragment offset, protocol; TTL and checksum change on the way.
      a ^= view.getInt32(at + 2);
      a = mix(a) ^ view.getInt32(at + 12);
      b = mix(view.getInt32(at + 16)) ^ view.getUint16(at + 6) ^ (view.getUint8(at + 9) << 16);
      ttl = view.getUint8(at + 8);
    } else {
      a ^= view.getInt32(at + 4) & ~0xff;
      a = mix(a) ^ view.getInt32(at + 8) ^ view.getInt32(at + 24);
      a = mix(a) ^ view.getInt32(at + 12) ^ view.getInt32(at + 28);
      b = mix(view.getInt32(at + 16)) ^ view.getInt32(at + 32);
      b = mix(b) ^ view.getInt32(at + 20);
      a = mix(a) ^ view.getInt32(at + 36);
      ttl = view.getUint8(at + 7);
    }
    if (end + 8 <= frame.limits[layer]) {
      a = mix(a) ^ view.getInt32(end);
      b = mix(b) ^ view.getInt32(end + 4);
    }
    a = finish(a + b);
    b = finish(mix(b) ^ a);
    const { words, doubles } = this;
    const slot = (a & (SLOTS - 1)) * WORDS;
    const double = slot / 2;
    const { time } = frame;
    if (words[slot] === a && words[slot + HIGH] === b && time - doubles[double + TIME] <= LIFETIME_NS) {
      if (ttl < words[slot + TTL]) this.again(frame, layer, segment, slot, ttl, hi, lo, hiTo, loTo);
      // The same TTL is a copy, a larger one is out of order or sent anew.
      return;
    }
    words[slot] = a;
    words[slot + HIGH] = b;
    words[slot + TTL] = ttl;
    words[slot + SIGHTINGS] = 1;
    words[slot + HI] = hi;
    words[slot + LO] = lo;
    words[slot + HI_2] = -1;
    words[slot + HI_3] = -1;
    doubles[double + TIME] = time;
    doubles[double + NUMBER] = frame.number;
  }

  /** The datagram of the slot with a TTL that is smaller than ever. */
  private again(
    frame: Frame,
    layer: number,
    segment: number,
    slot: number,
    ttl: number,
    hi: number,
    lo: number,
    hiTo: number,
    loTo: number,
  ): void {
    const { words, doubles, loops } = this;
    const double = (slot / WORDS) * DOUBLES;
    const sightings = ++words[slot + SIGHTINGS];
    const drop = words[slot + TTL] - ttl;
    let otherHi: number;
    let otherLo: number;
    let comesBack: boolean;
    if (words[slot + HI] === hi && words[slot + LO] === lo) {
      // One way of the circle is seen. A station that took but one off had it from itself: two devices with one MAC.
      comesBack = drop > 1;
      otherHi = hiTo;
      otherLo = loTo;
    } else {
      comesBack =
        (words[slot + HI_2] === hi && words[slot + LO_2] === lo) ||
        (words[slot + HI_3] === hi && words[slot + LO_3] === lo);
      otherHi = words[slot + HI];
      otherLo = words[slot + LO];
    }
    if (comesBack && (sightings & (CIRCLES - 1)) > 2) {
      const row = loops.row(segment, hi, lo, otherHi, otherLo);
      if ((sightings & CIRCLES) === 0) {
        words[slot + SIGHTINGS] |= CIRCLES;
        const before = doubles[double + TIME];
        loops.begins(row, frame, layer, ttl + drop, before, doubles[double + NUMBER_2], doubles[double + NUMBER]);
      }
      loops.sighting(row, frame, layer, ttl);
    }
    words[slot + TTL] = ttl;
    words[slot + HI_3] = words[slot + HI_2];
    words[slot + LO_3] = words[slot + LO_2];
    words[slot + HI_2] = words[slot + HI];
    words[slot + LO_2] = words[slot + LO];
    words[slot + HI] = hi;
    words[slot + LO] = lo;
    doubles[double + NUMBER_2] = doubles[double + NUMBER];
    doubles[double + NUMBER] = frame.number;
    doubles[double + TIME] = frame.time;
  }
}

function mix(h: number): number {
  return Math.imul((h << 13) | (h >>> 19), 0x85ebca6b);
}

function finish(h: number): number {
  const folded = Math.imul(h ^ (h >>> 16), 0xc2b2ae35);
  return folded ^ (folded >>> 13);
}
