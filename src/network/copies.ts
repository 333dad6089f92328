import { Direction, type Frame } from '../wire/frame.js';
import { Protocol } from '../wire/protocol.js';

/** Frames remembered at once: what 100 ms hold at 300,000 frames/s; a collision forgets the older frame. */
const SLOTS = 1 << 15;
/** A frame that comes again within this time, counted from its last coming, is the same frame (catalogue 3.4, D1). */
export const COPY_WINDOW_NS = 100e6;
/** A reflective relay takes microseconds, a hardware one at most this (catalogue 3.4). */
export const REFLECTION_WINDOW_NS = 50e6;
/** Bytes behind the MACs that are compared word by word; of longer frames every 64th byte as well. */
const HEAD = 128;
const STEP = 64;

/**
 * Recognises frames that come again at the same port, byte for byte from the destination MAC to the end of the
 * packet: padding and VLAN tags are left out, for a relay may add or strip them. Of frames longer than
 * 128 bytes samples are compared, which headers, checksums and sequence numbers make distinct in practice.
 * A slot describes the first sighting and counts the later ones.
 */
export class Copies {
  /** Frames that came again, by direction: out and then in (a reflection), and any other pair. */
  reflected = 0;
  others = 0;
  private readonly keys = new Int32Array(SLOTS * 2);
  private readonly bases = new Int32Array(SLOTS).fill(-1);
  private readonly counts = new Int32Array(SLOTS);
  private readonly directions = new Uint8Array(SLOTS);
  private readonly numbers = new Float64Array(SLOTS);
  private readonly lastNumbers = new Float64Array(SLOTS);
  private readonly firsts = new Float64Array(SLOTS);
  private readonly lasts = new Float64Array(SLOTS);

  /** The slot of the frame seen before if this is a copy of it, else -1 and the frame is remembered. */
  observe(frame: Frame, base: number): number {
    const { view, kinds } = frame;
    let h1 = Math.imul(base + 1, 0x9e3779b1);
    let h2 = 0x2545f491;
    const kind = kinds[0];
    const start = frame.offsets[0];
    if (kind === Protocol.Ethernet) {
      h1 = Math.imul(h1 ^ view.getInt32(start), 0x85ebca6b);
      h2 = Math.imul(h2 ^ view.getInt32(start + 4), 0xc2b2ae35);
      h1 = Math.imul(h1 ^ view.getInt32(start + 8), 0x27d4eb2f);
    } else if (kind === Protocol.Sll || kind === Protocol.Sll2) {
      // Both end with 8 bytes for the sender, in SLL before the protocol.
      const sender = start + (kind === Protocol.Sll ? 6 : 12);
      h1 = Math.imul(h1 ^ view.getInt32(sender), 0x85ebca6b);
      h2 = Math.imul(h2 ^ view.getUint16(sender + 4), 0xc2b2ae35);
    } else return -1;

    let layer = 1;
    while (layer < frame.layerCount && kinds[layer] === Protocol.Vlan) layer++;
    let at = frame.ends[layer - 1];
    // The packet ends where its own length says; without such a layer, where the capture does.
    let end = frame.end;
    if (layer < frame.layerCount)
      end = kinds[layer] === Protocol.Arp ? frame.ends[layer] : this.packetEnd(frame, layer);
    h2 ^= end - at;
    const head = end - at > HEAD ? at + HEAD : end;
    for (; at + 8 <= head; at += 8) {
      h1 = Math.imul(h1 ^ view.getInt32(at), 0x85ebca6b) + (h1 >>> 15);
      h2 = Math.imul(h2 ^ view.getInt32(at + 4), 0xc2b2ae35) + (h2 >>> 13);
    }
    for (; at < head; at++) h1 = Math.imul(h1 ^ view.getUint8(at), 0x27d4eb2f);
    for (; at + 4 <= end; at += STEP) h2 = Math.imul(h2 ^ view.getInt32(at), 0x165667b1);
    h1 ^= h1 >>> 16;
    h2 = (h2 ^ (h2 >>> 16)) | 0;

    const slot = (h1 ^ h2) & (SLOTS - 1);
    const { time } = frame;
    if (
      this.keys[slot * 2] === (h1 | 0) &&
      this.keys[slot * 2 + 1] === h2 &&
      this.bases[slot] === base &&
      time - this.lasts[slot] <= COPY_WINDOW_NS &&
      time >= this.firsts[slot] - COPY_WINDOW_NS
    ) {
      this.counts[slot]++;
      this.lasts[slot] = time;
      this.lastNumbers[slot] = frame.number;
      if (this.directions[slot] === Direction.Out && frame.direction === Direction.In) this.reflected++;
      else this.others++;
      return slot;
    }
    this.keys[slot * 2] = h1;
    this.keys[slot * 2 + 1] = h2;
    this.bases[slot] = base;
    this.counts[slot] = 0;
    this.directions[slot] = frame.direction;
    this.numbers[slot] = frame.number;
    this.firsts[slot] = time;
    this.lasts[slot] = time;
    return -1;
  }

  private packetEnd(frame: Frame, layer: number): number {
    const kind = frame.kinds[layer];
    return kind === Protocol.Ipv4 || kind === Protocol.Ipv6 ? frame.limits[layer] : frame.end;
  }

  /** How often the frame came again. */
  count(slot: number): number {
    return this.counts[slot];
  }

  /** Number, time and direction of the first sighting. */
  firstNumber(slot: number): number {
    return this.numbers[slot];
  }

  firstTime(slot: number): number {
    return this.firsts[slot];
  }

  firstDirection(slot: number): Direction {
    return this.directions[slot] as Direction;
  }

  /** Number of the latest sighting. */
  lastNumber(slot: number): number {
    return this.lastNumbers[slot];
  }
}
