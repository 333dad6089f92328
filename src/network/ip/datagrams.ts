import type { Frame } from '../../wire/frame.js';
import { ipv4Ttl } from '../../wire/ipv4.js';
import { ipv6HopLimit } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import type { Digest } from '../rows/digest.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from '../settings.js';
import type { RoutingLoops } from './routing-loops.js';

/** Datagrams remembered at once, the latest ones. */
const ROWS = 1 << 12;
/** Slots of the index; two datagrams that meet in one forget the older one. */
const SLOTS = ROWS * 4;
/** A row in 32-bit words and in doubles. */
const WORDS = 16;
const DOUBLES = WORDS / 2;

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
  /** By hash, the row, and above its bits those of the hash. Small, for it is looked at for each packet; rows are written in turn. */
  private readonly index = new Int32Array(SLOTS);
  private readonly words = new Int32Array(ROWS * WORDS);
  private readonly doubles = new Float64Array(this.words.buffer);
  private next = 0;

  private readonly datagramLifetime: number;

  constructor(
    private readonly digest: Digest,
    private readonly loops: RoutingLoops,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    this.datagramLifetime = ns(settings.datagramLifetime);
  }

  /** A unicast packet whose IP header is at `layer`, in a frame from (hi, lo) to (hiTo, loTo); hiTo is -1 where unknown. */
  observe(frame: Frame, layer: number, segment: number, hi: number, lo: number, hiTo: number, loTo: number): void {
    const { digest } = this;
    if (layer !== digest.datagramLayer) digest.readDatagram(frame, layer);
    const a = digest.datagramLow ^ Math.imul(segment + 1, 0x9e3779b1);
    const b = digest.datagramHigh;
    const at = frame.offsets[layer] | 0;
    const { view } = frame;
    const ttl = frame.kinds[layer] === Protocol.Ipv4 ? ipv4Ttl(view, at) : ipv6HopLimit(view, at);
    const { index, words, doubles } = this;
    const entry = index[a & (SLOTS - 1)];
    const { time } = frame;
    if (((entry ^ b) & ~(ROWS - 1)) === 0) {
      const row = entry & (ROWS - 1);
      const word = row * WORDS;
      if (
        words[word] === a &&
        words[word + HIGH] === b &&
        time - doubles[row * DOUBLES + TIME] <= this.datagramLifetime
      ) {
        if (ttl < words[word + TTL]) this.again(frame, layer, segment, row, ttl, hi, lo, hiTo, loTo);
        // The same TTL is a copy, a larger one is out of order or sent anew.
        return;
      }
    }
    // A number whose range V8 knows: sums and products of it need no check for overflow.
    const row = this.next & (ROWS - 1);
    this.next = (row + 1) & (ROWS - 1);
    index[a & (SLOTS - 1)] = (b & ~(ROWS - 1)) | row;
    const word = row * WORDS;
    const double = row * DOUBLES;
    words[word] = a;
    words[word + HIGH] = b;
    words[word + TTL] = ttl;
    words[word + SIGHTINGS] = 1;
    words[word + HI] = hi;
    words[word + LO] = lo;
    words[word + HI_2] = -1;
    words[word + HI_3] = -1;
    doubles[double + TIME] = time;
    doubles[double + NUMBER] = frame.number;
  }

  /** The datagram of the row with a TTL that is smaller than ever. */
  private again(
    frame: Frame,
    layer: number,
    segment: number,
    datagram: number,
    ttl: number,
    hi: number,
    lo: number,
    hiTo: number,
    loTo: number,
  ): void {
    const { words, doubles, loops } = this;
    const word = datagram * WORDS;
    const double = datagram * DOUBLES;
    const sightings = ++words[word + SIGHTINGS];
    const drop = words[word + TTL] - ttl;
    let otherHi: number;
    let otherLo: number;
    let comesBack: boolean;
    if (words[word + HI] === hi && words[word + LO] === lo) {
      // One way of the circle is seen. A station that took but one off had it from itself: two devices with one MAC.
      comesBack = drop > 1;
      otherHi = hiTo;
      otherLo = loTo;
    } else {
      comesBack =
        (words[word + HI_2] === hi && words[word + LO_2] === lo) ||
        (words[word + HI_3] === hi && words[word + LO_3] === lo);
      otherHi = words[word + HI];
      otherLo = words[word + LO];
    }
    if (comesBack && (sightings & (CIRCLES - 1)) > 2) {
      const row = loops.row(segment, hi, lo, otherHi, otherLo);
      if ((sightings & CIRCLES) === 0) {
        words[word + SIGHTINGS] |= CIRCLES;
        const before = doubles[double + TIME];
        loops.begins(row, frame, layer, ttl + drop, before, doubles[double + NUMBER_2], doubles[double + NUMBER]);
      }
      loops.sighting(row, frame, layer, ttl);
    }
    words[word + TTL] = ttl;
    words[word + HI_3] = words[word + HI_2];
    words[word + LO_3] = words[word + LO_2];
    words[word + HI_2] = words[word + HI];
    words[word + LO_2] = words[word + LO];
    words[word + HI] = hi;
    words[word + LO] = lo;
    doubles[double + NUMBER_2] = doubles[double + NUMBER];
    doubles[double + NUMBER] = frame.number;
    doubles[double + TIME] = frame.time;
  }
}
