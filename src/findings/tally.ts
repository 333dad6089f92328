import type { CaptureFacts } from '../rules/rule.js';
import type { CaptureInfo } from '../wire/capture-info.js';
import { Direction, type Frame } from '../wire/frame.js';
import { linkTypeName } from '../wire/link-types.js';
import { PROTOCOL_COUNT, Protocol } from '../wire/protocol.js';
import type { CaptureReport } from './finding.js';
import { isoTime } from './time.js';
import { announces, undecodedKey, undecodedName } from './undecoded.js';

/** Sets of protocols that are counted at once. There are few, but two that meet in one slot cost time at each frame. */
const SLOT_BITS = 10;
const SLOTS = 1 << SLOT_BITS;

/** Counts what one capture holds, frame by frame, without allocating. */
export class Tally implements CaptureFacts {
  frames = 0;
  inbound = 0;
  outbound = 0;
  records = 0;
  bytes = 0;
  first = Number.NaN;
  last = Number.NaN;
  readonly #firstStamp = { seconds: 0, nanoseconds: 0 };
  readonly #lastStamp = { seconds: 0, nanoseconds: 0 };
  /** Frames by protocol, without those that are still counted by their set of protocols. */
  readonly #framesOf = new Float64Array(PROTOCOL_COUNT);
  /**
   * Frames are counted by the set of protocols in them (a bit for each), in the slot that the set is
   * hashed to: there are few sets, and one count is less work than one for each protocol.
   */
  readonly #sets = new Int32Array(SLOTS);
  readonly #framesWith = new Float64Array(SLOTS);
  readonly #undecoded = new Map<number, number>();

  constructor(readonly info: CaptureInfo) {}

  /** Counts a decoded frame. */
  count(frame: Frame): void {
    this.frames++;
    this.bytes += frame.end - frame.start;
    if (frame.direction === Direction.In) this.inbound++;
    else if (frame.direction === Direction.Out) this.outbound++;
    this.#stamp(frame);

    const set = frame.protocols;
    const slot = Math.imul(set, 0x9e3779b1) >>> (32 - SLOT_BITS);
    if (this.#sets[slot] !== set) {
      this.#settle(slot);
      this.#sets[slot] = set;
    }
    this.#framesWith[slot]++;
    if ((set & (1 << Protocol.Data)) !== 0 && announces(frame)) this.#countUndecoded(frame);
  }

  /** Turns the count of a set into counts of its protocols, and leaves the slot empty. */
  #settle(slot: number): void {
    if (this.#framesWith[slot] === 0) return;
    const set = this.#sets[slot];
    for (let kind = 0; kind < PROTOCOL_COUNT; kind++) {
      if ((set & (1 << kind)) !== 0) this.#framesOf[kind] += this.#framesWith[slot];
    }
    this.#framesWith[slot] = 0;
  }

  /** Time stamps need not be in order: the first is the earliest. */
  #stamp(frame: Frame): void {
    if (!(frame.time >= this.first)) {
      this.first = frame.time;
      this.#firstStamp.seconds = frame.seconds;
      this.#firstStamp.nanoseconds = frame.nanoseconds;
    }
    if (!(frame.time <= this.last)) {
      this.last = frame.time;
      this.#lastStamp.seconds = frame.seconds;
      this.#lastStamp.nanoseconds = frame.nanoseconds;
    }
  }

  #countUndecoded(frame: Frame): void {
    const key = undecodedKey(frame);
    if (key >= 0) this.#undecoded.set(key, (this.#undecoded.get(key) ?? 0) + 1);
  }

  /** What the contract says of a capture. `vantage` names interfaces that the file leaves nameless. */
  report(vantage: string | null): CaptureReport {
    const { info, frames, inbound, outbound } = this;
    for (let slot = 0; slot < SLOTS; slot++) this.#settle(slot);
    return {
      name: info.name,
      format: info.format,
      compression: info.compression,
      interfaces: info.interfaces.map(({ name, linkType, snapLength }) => ({
        name: name ?? vantage,
        linkType: linkTypeName(linkType),
        snapLength,
      })),
      frames,
      bytes: this.bytes,
      first: frames === 0 ? null : isoTime(this.#firstStamp.seconds, this.#firstStamp.nanoseconds),
      last: frames === 0 ? null : isoTime(this.#lastStamp.seconds, this.#lastStamp.nanoseconds),
      complete: info.complete,
      problems: info.problems,
      ...(info.notes && {
        notes: info.notes.map(({ time, message }) => ({ time: new Date(time).toISOString(), message })),
      }),
      dropped: info.dropped,
      directions: directionsKnown(inbound + outbound, frames),
      undecoded: byCount([...this.#undecoded].map(([key, count]) => [undecodedName(key), count])),
      protocols: byCount(
        Object.entries(Protocol)
          .filter(([, kind]) => kind !== Protocol.Data && this.#framesOf[kind] > 0)
          .map(([name, kind]) => [name.toLowerCase(), this.#framesOf[kind]]),
      ),
    };
  }
}

/** Of how many of the frames the direction is known. */
function directionsKnown(directed: number, frames: number): CaptureReport['directions'] {
  if (directed === 0) return 'none';
  return directed === frames ? 'all' : 'some';
}

/** As an object whose keys are in order of their counts, most frequent first. */
function byCount(counts: [name: string, count: number][]): Record<string, number> {
  return Object.fromEntries(counts.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}
