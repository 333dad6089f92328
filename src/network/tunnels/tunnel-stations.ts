import type { Frame } from '../../wire/frame.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';

const MAX_STATIONS = 1 << 16;

const HEARD = 4;
const SENT_TO = 5;
const RIGHT = 6;
const WRONG = 7;
const HEARD_FRAME = 8;
const HEARD_SINCE = 9;
const LIST = 12;
const IP = 13;
/** The endpoint before `HEARD`, and how often the station was heard there again. */
const BEFORE = 18;
const RETURNED = 19;
const STRIDE = 20;
/** Times, counted in doubles. */
const HEARD_TIME = 5;
const FIRST = 7;
const LAST = 8;
const DOUBLES = STRIDE / 2;

/** What `sentTo` says of a frame that leaves the endpoint behind which the station is. */
export const COPY = -2;

/** Rows at hand by hash of their key. */
const AT_HAND = 1 << 12;

/**
 * Stations inside tunnels: behind which tunnel endpoint each was heard, and to which one frames for it are sent. A row is
 * (inner segment, MAC); endpoints are rows of `Addresses`.
 */
export class TunnelStations {
  private readonly table: KeyTable;
  private readonly atHand = new Int32Array(AT_HAND);

  constructor(
    private readonly lists: FrameLists,
    /** Told when the 2nd, 4th, 8th … frame went to an endpoint where the station was not heard. */
    private readonly tell: (row: number) => void,
    /** Told when a station is heard from another endpoint than the one `before`; `layer` is the inner Ethernet header. */
    private readonly tellMoved: (row: number, before: number, frame: Frame, layer: number) => void,
  ) {
    this.table = new KeyTable(STRIDE, MAX_STATIONS, (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]));
  }

  /** A frame from the station came out of a tunnel that begins at `endpoint`. */
  heard(segment: number, hi: number, lo: number, endpoint: number, frame: Frame, layer: number): void {
    const row = this.row(segment, hi, lo);
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    if (cells[at + HEARD] !== endpoint + 1) {
      // It moved, or speaks for the first time: what was sent before went by what was known then.
      const before = cells[at + HEARD] - 1;
      if (before >= 0) {
        if (cells[at + BEFORE] === endpoint + 1) cells[at + RETURNED]++;
        cells[at + BEFORE] = before + 1;
      }
      cells[at + HEARD] = endpoint + 1;
      this.restart(at);
      if (before >= 0) this.tellMoved(row, before, frame, layer);
    } else if (cells[at + WRONG] > 0) cells[at + HEARD_SINCE]++;
    cells[at + HEARD_FRAME] = frame.number;
    doubles[row * DOUBLES + HEARD_TIME] = frame.time;
  }

  /**
   * A frame for the station was sent from one endpoint to another; `layer` is its inner Ethernet header. Returns the row if the station was not heard there,
   * else -1. What leaves the very endpoint behind which the station is, is a copy for a collector (port mirroring), or flooded: `COPY`.
   */
  sentTo(segment: number, hi: number, lo: number, from: number, endpoint: number, frame: Frame, layer: number): number {
    const row = this.row(segment, hi, lo);
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    if (cells[at + HEARD] === endpoint + 1) {
      cells[at + RIGHT]++;
      return -1;
    }
    if (cells[at + HEARD] === from + 1) return COPY;
    if (cells[at + SENT_TO] !== endpoint + 1) {
      // Sent to several endpoints: flooded, or its place is being learned.
      cells[at + SENT_TO] = endpoint + 1;
      this.restart(at);
    }
    if (cells[at + WRONG] === 0) doubles[row * DOUBLES + FIRST] = frame.time;
    doubles[row * DOUBLES + LAST] = frame.time;
    const wrong = ++cells[at + WRONG];
    const offset = frame.offsets[layer];
    const length = frame.ends[layer] - offset;
    cells[at + LIST] = this.lists.append(cells[at + LIST], frame.number, offset - frame.start, length);
    if (wrong > 1 && (wrong & (wrong - 1)) === 0 && this.table.evicted === 0) this.tell(row);
    return row;
  }

  /** Notes the IP address that a misdirected frame is for; row of `Addresses`. */
  meantFor(row: number, address: number): void {
    this.table.cells[row * STRIDE + IP] = address + 1;
  }

  get count(): number {
    return this.table.rowCount;
  }

  find(segment: number, hi: number, lo: number): number {
    return this.table.find(segment, hi, lo, 0);
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  hi(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  /** Endpoint behind which the station was heard last, -1 if it never was. */
  heardAt(row: number): number {
    return this.table.cells[row * STRIDE + HEARD] - 1;
  }

  /** The endpoint behind which the station was heard before that, -1 if there is none. */
  before(row: number): number {
    return this.table.cells[row * STRIDE + BEFORE] - 1;
  }

  /** How often it was heard behind the endpoint that it had been behind before the latest: a station that moves stays at its new place. */
  returned(row: number): number {
    return this.table.cells[row * STRIDE + RETURNED];
  }

  /** `Frame.time` and number of the latest frame from it. */
  heardTime(row: number): number {
    return this.table.doubles[row * DOUBLES + HEARD_TIME];
  }

  heardFrame(row: number): number {
    return this.table.cells[row * STRIDE + HEARD_FRAME] >>> 0;
  }

  /** Endpoint, another than `heardAt`, that frames for the station are sent to; -1 if there is none. */
  misdirectedTo(row: number): number {
    return this.table.cells[row * STRIDE + SENT_TO] - 1;
  }

  /** Frames for the station that went to the endpoint behind which it is, since it was heard there first. */
  right(row: number): number {
    return this.table.cells[row * STRIDE + RIGHT];
  }

  /** Frames for the station that went to `misdirectedTo`, as long as neither endpoint changed. */
  wrong(row: number): number {
    return this.table.cells[row * STRIDE + WRONG];
  }

  /** Frames from the station, from the same endpoint, since frames for it began to go elsewhere. */
  heardSince(row: number): number {
    return this.table.cells[row * STRIDE + HEARD_SINCE];
  }

  /** IP address that the latest misdirected frame was for, -1 if it was no IP. */
  ip(row: number): number {
    return this.table.cells[row * STRIDE + IP] - 1;
  }

  first(row: number): number {
    return this.table.doubles[row * DOUBLES + FIRST];
  }

  last(row: number): number {
    return this.table.doubles[row * DOUBLES + LAST];
  }

  /** The misdirected frames, with their inner Ethernet headers. */
  places(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  private row(segment: number, hi: number, lo: number): number {
    const slot = Math.imul(lo ^ Math.imul(hi ^ Math.imul(segment, 0x9e3779b1), 0x85ebca6b), 0xc2b2ae35) >>> 20;
    const known = this.atHand[slot] - 1;
    if (known >= 0) {
      const { cells } = this.table;
      const at = known * STRIDE;
      if (cells[at + 2] === lo && cells[at + 1] === hi && cells[at] === segment) return known;
    }
    const row = this.table.add(segment, hi, lo, 0);
    this.atHand[slot] = row + 1;
    return row;
  }

  private restart(at: number): void {
    const { cells } = this.table;
    this.lists.release(cells[at + LIST]);
    cells[at + LIST] = 0;
    cells[at + RIGHT] = 0;
    cells[at + WRONG] = 0;
    cells[at + HEARD_SINCE] = 0;
    cells[at + IP] = 0;
  }
}
