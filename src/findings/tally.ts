import type { CaptureFacts } from '../rules/rule.js';
import type { CaptureInfo } from '../wire/capture-info.js';
import { Direction, type Frame } from '../wire/frame.js';
import { linkTypeName } from '../wire/link-types.js';
import { PROTOCOL_COUNT, Protocol } from '../wire/protocol.js';
import type { CaptureReport } from './finding.js';
import { isoTime } from './time.js';
import { undecodedKey, undecodedName } from './undecoded.js';

/** Counts what one capture holds, frame by frame, without allocating. */
export class Tally implements CaptureFacts {
  frames = 0;
  inbound = 0;
  outbound = 0;
  bytes = 0;
  first = Number.NaN;
  last = Number.NaN;
  readonly #firstStamp = { seconds: 0, nanoseconds: 0 };
  readonly #lastStamp = { seconds: 0, nanoseconds: 0 };
  readonly #framesOf = new Float64Array(PROTOCOL_COUNT);
  /** By protocol, the last frame counted: a frame with two IPv4 headers is one IPv4 frame. */
  readonly #countedIn = new Float64Array(PROTOCOL_COUNT);
  readonly #undecoded = new Map<number, number>();

  constructor(readonly info: CaptureInfo) {}

  /** Counts a decoded frame. */
  count(frame: Frame): void {
    const number = ++this.frames;
    this.bytes += frame.end - frame.start;
    if (frame.direction === Direction.In) this.inbound++;
    else if (frame.direction === Direction.Out) this.outbound++;
    this.#stamp(frame);

    const { kinds, layerCount } = frame;
    for (let layer = 0; layer < layerCount; layer++) {
      const kind = kinds[layer];
      if (this.#countedIn[kind] === number) continue;
      this.#countedIn[kind] = number;
      this.#framesOf[kind]++;
    }
    if (layerCount > 0 && kinds[layerCount - 1] === Protocol.Data) this.#countUndecoded(frame);
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
      dropped: info.dropped,
      directions: inbound + outbound === 0 ? 'none' : inbound + outbound === frames ? 'all' : 'some',
      undecoded: byCount([...this.#undecoded].map(([key, count]) => [undecodedName(key), count])),
      protocols: byCount(
        Object.entries(Protocol)
          .filter(([, kind]) => kind !== Protocol.Data && this.#framesOf[kind] > 0)
          .map(([name, kind]) => [name.toLowerCase(), this.#framesOf[kind]]),
      ),
    };
  }
}

/** As an object whose keys are in order of their counts, most frequent first. */
function byCount(counts: [name: string, count: number][]): Record<string, number> {
  return Object.fromEntries(counts.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}
