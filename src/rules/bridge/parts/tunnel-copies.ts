import { KEY_WORDS, KeyTable } from '../../../network/rows/key-table.js';
import type { Frame } from '../../../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../../wire/ipv4.js';
import { DESTINATION, SOURCE } from '../../../wire/ipv6.js';
import { Protocol } from '../../../wire/protocol.js';

/** Frames to a group inside tunnels that are remembered, the latest ones. */
const MAX_ROWS = 1 << 12;
/** As outside tunnels: a frame that comes again within this time, counted from its last coming, is the same frame (catalogue D1). */
const WINDOW_NS = 100e6;

/** A row: segment, hashes of the inner frame, hash of the endpoints; then how often it was seen, and as doubles the rest. */
const COUNT = KEY_WORDS;
const STRIDE = 12;
const DOUBLES = STRIDE / 2;
const FIRST = 3;
const LAST = 4;
const NUMBER = 5;

/**
 * Recognises broadcasts and multicasts that come again inside a tunnel, whose outer header is another each time (its IP
 * identification). Between one pair of endpoints only: an endpoint sends the same broadcast to each of the others.
 */
export class TunnelCopies {
  private readonly table = new KeyTable(STRIDE, MAX_ROWS);

  /** The row of the Ethernet frame in `layer`, in `segment`, with this sighting counted. */
  observe(frame: Frame, layer: number, segment: number): number {
    const { view, time } = frame;
    const end = frame.limits[layer];
    let at = frame.offsets[layer];
    let low = end - at;
    let high = 0;
    for (; at + 4 <= end; at += 4) {
      const word = view.getInt32(at, true);
      low = mix(low ^ word);
      high = Math.imul(high + word, 0x9e3779b1) ^ (high >>> 15);
    }
    for (; at < end; at++) low = mix(low ^ view.getUint8(at));
    const row = this.table.add(segment, low, high, endpointsOf(frame, layer));
    const { cells, doubles } = this.table;
    const cell = row * STRIDE;
    const double = row * DOUBLES;
    if (cells[cell + COUNT] === 0 || Math.abs(time - doubles[double + LAST]) > WINDOW_NS) {
      cells[cell + COUNT] = 0;
      doubles[double + FIRST] = time;
      doubles[double + NUMBER] = frame.number;
    }
    cells[cell + COUNT]++;
    doubles[double + LAST] = time;
    return row;
  }

  /** How often the frame was seen. */
  count(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** Number and `Frame.time` of its first sighting. */
  firstNumber(row: number): number {
    return this.table.doubles[row * DOUBLES + NUMBER];
  }

  firstTime(row: number): number {
    return this.table.doubles[row * DOUBLES + FIRST];
  }
}

/** Layer of the IP header that carries the tunnel with the Ethernet frame in `layer`, -1 if there is none. */
export function outerIp({ kinds }: Frame, layer: number): number {
  let ip = layer - 1;
  while (ip >= 0 && kinds[ip] !== Protocol.Ipv4 && kinds[ip] !== Protocol.Ipv6) ip--;
  return ip;
}

function endpointsOf(frame: Frame, layer: number): number {
  const { view, kinds, offsets } = frame;
  const ip = outerIp(frame, layer);
  if (ip < 0) return 0;
  const at = offsets[ip];
  if (kinds[ip] === Protocol.Ipv4) return mix(mix(ipv4Source(view, at)) ^ ipv4Destination(view, at));
  let hash = 0;
  for (let word = 0; word < 16; word += 4) {
    hash = mix(hash ^ view.getInt32(at + SOURCE + word));
    hash = mix(hash ^ view.getInt32(at + DESTINATION + word));
  }
  return hash;
}

function mix(h: number): number {
  return Math.imul((h << 13) | (h >>> 19), 0x85ebca6b);
}
