import type { Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import { SLL_ADDRESS, SLL2_ADDRESS } from '../../wire/sll.js';

/** Bytes behind the link header that are read word by word; of longer frames every 64th byte as well. */
const HEAD = 128;
const STEP = 64;
/** Bytes that the four lanes read at once. */
const BLOCK = 16;
const IPV4_HEADER = 20;
/** Bytes behind the IP header that tell datagrams apart: ports and length, or a sequence number. */
const CARRIED = 8;

/**
 * Hashes of 64 bits by which frames and datagrams are known again. That of a frame goes on from that of its datagram, so
 * that nothing is read twice. Lanes are turned and multiplied as in MurmurHash3, side by side, so that no multiplication
 * waits for the one before; little-endian reads need no swap.
 */
export class Digest {
  /** Of the frame that was read last. */
  low = 0;
  high = 0;
  /** Of the datagram that was read last. */
  datagramLow = 0;
  datagramHigh = 0;
  /** The layer of the datagram that `readFrame` has read, -1 if it read none. */
  datagramLayer = -1;

  /**
   * Hashes a frame from the destination MAC to the end of its packet, without VLAN tags and padding, for a relay may add
   * or strip them; `layer` is the one behind link header and tags. Of frames longer than 128 bytes samples are read, which
   * headers, checksums and sequence numbers make distinct in practice. False if there is no link header.
   */
  readFrame(frame: Frame, layer: number): boolean {
    const { view } = frame;
    const start = frame.offsets[0];
    this.datagramLayer = -1;
    let a = 0x2545f491;
    let b = 0x2c1b3c6d;
    let c = 0x165667b1;
    const link = frame.kinds[0];
    if (link === Protocol.Ethernet) {
      a ^= view.getInt32(start, true);
      b ^= view.getInt32(start + 4, true);
      c ^= view.getInt32(start + 8, true);
    } else if (link === Protocol.Sll || link === Protocol.Sll2) {
      const sender = start + (link === Protocol.Sll ? SLL_ADDRESS : SLL2_ADDRESS);
      a ^= view.getInt32(sender, true);
      b ^= view.getUint16(sender + 4, true);
    } else return false;

    // `| 0` spares V8 checks, and keeps what comes of a call a plain integer in the loops below.
    const packet = frame.ends[layer - 1] | 0;
    const end = packetEnd(frame, layer) | 0;
    const head = Math.min(end, (packet + HEAD) | 0) | 0;
    let at = packet;
    let d = (end - packet) | 0;
    if (isDatagram(frame, layer)) {
      // What changes on the way is no part of the datagram: type of service or flow label, TTL and checksum.
      c = mix(c ^ view.getInt32(at, true));
      d = mix(d ^ view.getInt32((at + (frame.kinds[layer] === Protocol.Ipv4 ? 8 : 4)) | 0, true));
      at = this.readDatagram(frame, layer) | 0;
      this.datagramLayer = layer;
      a = mix(a ^ this.datagramLow);
      b = mix(b ^ this.datagramHigh);
    }
    for (; ((at + 2 * BLOCK) | 0) <= head; at = (at + 2 * BLOCK) | 0) {
      a = mix(a ^ view.getInt32(at, true));
      b = mix(b ^ view.getInt32((at + 4) | 0, true));
      c = mix(c ^ view.getInt32((at + 8) | 0, true));
      d = mix(d ^ view.getInt32((at + 12) | 0, true));
      a = mix(a ^ view.getInt32((at + 16) | 0, true));
      b = mix(b ^ view.getInt32((at + 20) | 0, true));
      c = mix(c ^ view.getInt32((at + 24) | 0, true));
      d = mix(d ^ view.getInt32((at + 28) | 0, true));
    }
    // What is left is shorter than two blocks: one at its beginning and one at its end, which may have read bytes in common.
    const last = (head - BLOCK) | 0;
    if (last >= packet) {
      if (at < last) {
        a = mix(a ^ view.getInt32(at, true));
        b = mix(b ^ view.getInt32((at + 4) | 0, true));
        c = mix(c ^ view.getInt32((at + 8) | 0, true));
        d = mix(d ^ view.getInt32((at + 12) | 0, true));
      }
      if (at < head) {
        a = mix(a ^ view.getInt32(last, true));
        b = mix(b ^ view.getInt32((last + 4) | 0, true));
        c = mix(c ^ view.getInt32((last + 8) | 0, true));
        d = mix(d ^ view.getInt32((last + 12) | 0, true));
      }
    } else for (; at < head; at = (at + 1) | 0) b = mix(b ^ view.getUint8(at));
    for (at = (packet + HEAD) | 0; ((at + 4) | 0) <= end; at = (at + STEP) | 0) c = mix(c ^ view.getInt32(at, true));
    this.low = finish(mix(a) + c);
    this.high = finish(mix(b) + d);
    return true;
  }

  /**
   * Hashes of the IP packet in `layer` what no router changes: addresses, identification, length, protocol, and the first
   * eight bytes it carries. Returns the offset behind what was read.
   */
  readDatagram(frame: Frame, layer: number): number {
    const { view } = frame;
    const at = frame.offsets[layer] | 0;
    const end = frame.ends[layer] | 0;
    let a: number;
    let b: number;
    let read: number;
    if (frame.kinds[layer] === Protocol.Ipv4) {
      // Total length and identification, flags and fragment offset, protocol.
      a = mix(view.getInt32((at + 2) | 0, true)) ^ view.getInt32((at + 12) | 0, true);
      b =
        mix(view.getInt32((at + 16) | 0, true)) ^
        view.getUint16((at + 6) | 0, true) ^
        (view.getUint8((at + 9) | 0) << 16);
      read = (at + IPV4_HEADER) | 0;
    } else {
      // Payload length and next header.
      a = mix(view.getInt32((at + 4) | 0, true) & 0xffffff) ^ view.getInt32((at + 8) | 0, true);
      b = mix(view.getInt32((at + 12) | 0, true)) ^ view.getInt32((at + 16) | 0, true);
      a = mix(a) ^ view.getInt32((at + 20) | 0, true);
      b = mix(b) ^ view.getInt32((at + 24) | 0, true);
      a = mix(a) ^ view.getInt32((at + 28) | 0, true);
      b = mix(b) ^ view.getInt32((at + 32) | 0, true);
      a = mix(a) ^ view.getInt32((at + 36) | 0, true);
      read = end;
    }
    if (end + CARRIED <= frame.limits[layer]) {
      a = mix(a) ^ view.getInt32(end, true);
      b = mix(b) ^ view.getInt32((end + 4) | 0, true);
      // Options lie between, and only the frame's hash has them.
      if (read === end) read = (end + CARRIED) | 0;
    }
    this.datagramLow = finish(a + mix(b));
    this.datagramHigh = finish(mix(a) ^ b);
    return read;
  }
}

/** Whether a whole IP header is in `layer`. */
function isDatagram(frame: Frame, layer: number): boolean {
  if (layer >= frame.layerCount || frame.statuses[layer] !== 0) return false;
  const kind = frame.kinds[layer];
  return kind === Protocol.Ipv4 || kind === Protocol.Ipv6;
}

/** The packet ends where its own length says; without such a layer, where the capture does. */
function packetEnd(frame: Frame, layer: number): number {
  if (layer >= frame.layerCount) return frame.end;
  const kind = frame.kinds[layer];
  if (kind === Protocol.Arp) return frame.ends[layer];
  return kind === Protocol.Ipv4 || kind === Protocol.Ipv6 ? frame.limits[layer] : frame.end;
}

function mix(h: number): number {
  return Math.imul((h << 13) | (h >>> 19), 0x85ebca6b);
}

function finish(h: number): number {
  const folded = Math.imul(h ^ (h >>> 16), 0xc2b2ae35);
  return folded ^ (folded >>> 13);
}
