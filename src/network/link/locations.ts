import { Direction, type Frame } from '../../wire/frame.js';
import { longer } from '../rows/columns.js';
import { FrameLists } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from '../settings.js';

const MAX_LOCATED = 1 << 14;
/** Frames held back until they can be put in the order of time: programs that write several interfaces do so in batches. */
const HELD = 4096;
const SLOTS = HELD * 4;
/** Slots a frame may be in: with one alone, two frames under way at once take each other's, and the later sighting counts as a move. */
const PROBES = 4;
/** Sightings of one frame at several ports of a bridge are this close (catalogue 3.4). */
const SAME_FRAME_NS = 50e6;
/** There and back: a machine that is moved does not return within a minute. */
const ENOUGH = 2;
/** Bytes behind the link header that tell frames apart: IP and transport headers. */
const HASHED = 48;

/** In the place of the capture, until the frame is seen at another port. */
const NOT_PASSED_ON = -1;
const TO_GROUP = -2;
const SENT = -3;

const PORT = 4;
const MOVES = 5;
const LIST = 6;
const OTHER = 7;
/** Port that sees what enters by the latest one at the same moment. */
const ALSO = 8;
/** Whether each port that the station was seen to move between has the same port above it. */
const SHARED = 9;
/** Port before that of `OTHER`. */
const EARLIER = 10;
const STRIDE = 11;
/** A frame that is held back: port, MAC, VLAN, capture, other port of the same moment, two ports of other moments. */
const WORDS = 8;
/** Frames that went out which are remembered. */
const SENT_SLOTS = 4096;
/** Pairs of ports that are remembered to show the same frames at the same moment. */
const MAX_MATES = 1 << 10;

/**
 * By which port of a capture of several ports a station's unicast frames enter: the earliest sighting of each, those that
 * go out left out, and those that no other port passes on: a bond takes frames in by all its members. What went out before it
 * comes in crossed a virtual cable between two bridges of the machine (Open vSwitch and those of its guests), which says nothing of
 * where the station is. A row is (MAC, VLAN, capture).
 */
export class Locations {
  private readonly lists = new FrameLists();
  private starts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private numbers = new Float64Array(0);
  private readonly table = new KeyTable(
    STRIDE,
    MAX_LOCATED,
    (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]),
    (capacity) => this.grow(capacity),
  );
  private held = 0;
  private readonly index = new Int32Array(SLOTS).fill(-1);
  private readonly hashes = new Int32Array(HELD);
  private readonly words = new Int32Array(HELD * WORDS);
  private readonly times = new Float64Array(HELD);
  private readonly frames = new Float64Array(HELD);

  private readonly sentHashes = new Int32Array(SENT_SLOTS);
  private readonly sentTimes = new Float64Array(SENT_SLOTS).fill(Number.NEGATIVE_INFINITY);

  /** Pairs of ports that showed a frame at the same moment: a bridge or bond, and a port of it. */
  private readonly mates = new Set<number>();

  private readonly flapWindow: number;

  constructor(
    private readonly tell: (row: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    this.flapWindow = ns(settings.flapWindow);
  }

  /** A frame of a capture of several ports, with its source address and VLAN; `at` is where its packet begins. */
  observe(frame: Frame, base: number, hi: number, lo: number, vlan: number, at: number, isGroup: boolean): void {
    const hash = hashOf(frame, lo, at);
    const { time } = frame;
    const slot = this.slotOf(hash, time);
    const known = this.index[slot];
    if (known >= 0 && this.isSame(known, hash, time)) {
      const word = known * WORDS;
      if (this.words[word] !== base) {
        if (frame.direction === Direction.Out && time < this.times[known]) this.words[word + 4] = SENT;
        if (this.words[word + 4] === NOT_PASSED_ON) this.words[word + 4] = frame.capture;
        // A bridge or bond shows what its port receives once more, with the same time.
        if (time === this.times[known] && frame.direction !== Direction.Out) {
          this.words[word + 5] = base;
          if (this.mates.size < MAX_MATES) this.mates.add(pairOf(this.words[word], base));
        } else this.noteOther(word, time < this.times[known] ? this.words[word] : base);
        // The earliest sighting is where it entered.
        if (time < this.times[known] && frame.direction !== Direction.Out) {
          this.words[word] = base;
          this.words[word + 5] = -1;
          this.times[known] = time;
          this.frames[known] = frame.number;
        }
      }
      return;
    }
    const sent = (hash >>> 0) % SENT_SLOTS;
    if (frame.direction === Direction.Out) {
      this.sentHashes[sent] = hash;
      this.sentTimes[sent] = time;
      return;
    }
    const ago = time - this.sentTimes[sent];
    if (this.sentHashes[sent] === hash && ago >= 0 && ago <= SAME_FRAME_NS) return;
    if (this.held === HELD) this.settle(HELD / 2);
    const entry = this.held++;
    this.index[slot] = entry;
    this.hashes[entry] = hash;
    const word = entry * WORDS;
    this.words[word] = base;
    this.words[word + 1] = hi;
    this.words[word + 2] = lo;
    this.words[word + 3] = vlan;
    // Broadcasts reach a bond by each of its members: they do not say where a station is.
    this.words[word + 4] = isGroup ? TO_GROUP : NOT_PASSED_ON;
    this.words[word + 5] = -1;
    this.words[word + 6] = -1;
    this.words[word + 7] = -1;
    this.times[entry] = time;
    this.frames[entry] = frame.number;
  }

  /** The capture ends: what is held back counts now. */
  finish(): void {
    this.settle(this.held);
  }

  hi(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  /** How often the station was seen at another port than before, within a minute and with returns to ports that it had left. */
  moves(row: number): number {
    return this.table.cells[row * STRIDE + MOVES];
  }

  /** Base segments of the latest port and of the one before. */
  ports(row: number): [number, number] {
    const at = row * STRIDE;
    return [this.table.cells[at + PORT] - 1, this.table.cells[at + OTHER] - 1];
  }

  /** Whether one device shows what comes in by each of the ports once more at the same moment: a bond over its members, or a bridge. */
  isShared(row: number): boolean {
    return this.table.cells[row * STRIDE + SHARED] !== 0;
  }

  /** `Frame.time` of the last frame before the first of them, and of the latest frame. */
  first(row: number): number {
    return this.starts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  /** The frames before and after each move. */
  places(row: number): number[] {
    const listed = this.lists.read(this.table.cells[row * STRIDE + LIST]).map(({ frame }) => frame);
    return [...new Set(listed)];
  }

  /** Takes the earliest frames out, in the order of time, and keeps the others. */
  private settle(count: number): void {
    const order = Array.from({ length: this.held }, (_, i) => i).sort((a, b) => this.times[a] - this.times[b]);
    for (const entry of order.slice(0, count)) this.enter(entry);
    const rest = order.slice(count).sort((a, b) => a - b);
    this.index.fill(-1);
    for (const [to, from] of rest.entries()) {
      this.hashes[to] = this.hashes[from];
      this.words.copyWithin(to * WORDS, from * WORDS, (from + 1) * WORDS);
      this.times[to] = this.times[from];
      this.frames[to] = this.frames[from];
      this.index[this.slotOf(this.hashes[to], this.times[to])] = to;
    }
    this.held = rest.length;
  }

  /** Where a frame is held back, or where it goes: a free slot, or that of the earliest of those that it may be in. */
  private slotOf(hash: number, time: number): number {
    let earliest = (hash >>> 0) % SLOTS;
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = ((hash >>> 0) + probe) % SLOTS;
      const entry = this.index[slot];
      if (entry < 0 || this.isSame(entry, hash, time)) return slot;
      if (this.times[entry] < this.times[this.index[earliest]]) earliest = slot;
    }
    return earliest;
  }

  private isSame(entry: number, hash: number, time: number): boolean {
    return this.hashes[entry] === hash && Math.abs(time - this.times[entry]) <= SAME_FRAME_NS;
  }

  /** The frame was seen at a further port, at another moment than where it is taken to have entered. */
  private noteOther(word: number, base: number): void {
    if (this.words[word + 6] < 0) this.words[word + 6] = base;
    else if (this.words[word + 6] !== base) this.words[word + 7] = base;
  }

  private areMates(a: number, b: number): boolean {
    return b >= 0 && this.mates.has(pairOf(a, b));
  }

  private enter(entry: number): void {
    const [base, hi, lo, vlan, capture, also, other, third] = this.words.subarray(entry * WORDS, (entry + 1) * WORDS);
    if (capture < 0) return;
    // A bridge shows what comes in by its port at the same moment: what it shows at another moment came in by a port that is not captured.
    if (also < 0 && (this.areMates(base, other) || this.areMates(base, third))) return;
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add(hi, lo, vlan, capture);
    const { cells } = this.table;
    const at = row * STRIDE;
    const time = this.times[entry];
    const number = this.frames[entry];
    const isNew = this.table.rowCount + this.table.evicted !== before;
    const isSame = cells[at + PORT] === base + 1 || cells[at + ALSO] === base + 1;
    const hasMoved = !isNew && !isSame;
    if (hasMoved) {
      // A container that is made anew with the MAC of its address enters by a new port each time, and never by one of before.
      const isBack = cells[at + OTHER] === base + 1 || cells[at + EARLIER] === base + 1;
      if (!isBack || time - this.starts[row] > this.flapWindow) {
        this.lists.release(cells[at + LIST]);
        cells[at + LIST] = 0;
        cells[at + MOVES] = 0;
        cells[at + SHARED] = 1;
        this.starts[row] = this.lasts[row];
      }
      if (also < 0 || cells[at + ALSO] !== also + 1) cells[at + SHARED] = 0;
      cells[at + EARLIER] = cells[at + OTHER];
      cells[at + OTHER] = cells[at + PORT];
      cells[at + MOVES]++;
      for (const each of [this.numbers[row], number])
        cells[at + LIST] = this.lists.append(cells[at + LIST], each, 0, 0);
    }
    if (!isSame || also >= 0) {
      cells[at + PORT] = base + 1;
      cells[at + ALSO] = also + 1;
    }
    this.lasts[row] = time;
    this.numbers[row] = number;
    if (hasMoved && cells[at + MOVES] >= ENOUGH) this.tell(row);
  }

  private grow(capacity: number): void {
    this.starts = longer(this.starts, capacity);
    this.lasts = longer(this.lasts, capacity);
    this.numbers = longer(this.numbers, capacity);
  }
}

/** Two base segments as one number, whichever comes first. */
function pairOf(a: number, b: number): number {
  return Math.min(a, b) * 2 ** 24 + Math.max(a, b);
}

function hashOf({ view, end }: Frame, lo: number, at: number): number {
  let hash = lo ^ (end - at);
  const stop = Math.min(end - 3, at + HASHED);
  for (let i = at; i < stop; i += 4)
    hash = Math.imul((hash << 13) | (hash >>> 19), 0x85ebca6b) ^ view.getInt32(i, true);
  return hash ^ (hash >>> 15);
}
