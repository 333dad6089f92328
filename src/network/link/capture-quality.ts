import type { Frame } from '../../wire/frame.js';
import { type NetworkSettings, ns } from '../settings.js';

/** Captures looked at in one run at most; of further ones nothing is noted. */
const MAX_CAPTURES = 1024;
/** Frames named as examples. */
const MAX_EXAMPLES = 16;
/** Ethernet's longest frame with two VLAN tags, without FCS: more is a jumbo frame or not a frame of the wire. */
const LONGEST_ON_WIRE = 1522;

/** What one capture shows of its own making. */
export class CaptureQuality {
  /** Frames of which the capture kept only a part. */
  snapped = 0;
  /** Fewest bytes kept of a frame that was cut. */
  shortest = Number.POSITIVE_INFINITY;
  /** Frames stamped much earlier than a frame that stands in front of them, and the longest way back in ns. */
  disordered = 0;
  longestBack = 0;
  /** Frames longer than Ethernet carries without jumbo frames, and the longest in bytes. */
  oversized = 0;
  longest = 0;
  readonly snappedFrames: number[] = [];
  readonly disorderedFrames: number[] = [];
  readonly oversizedFrames: number[] = [];
  private latest = Number.NEGATIVE_INFINITY;

  constructor(
    /** Earlier than the frames before it by so many ns, a frame is out of order. */
    private readonly disorder: number,
  ) {}

  observe(frame: Frame): void {
    const captured = frame.end - frame.start;
    if (captured < frame.wireLength) {
      this.snapped++;
      if (captured < this.shortest) this.shortest = captured;
      note(this.snappedFrames, frame.number);
    }
    const back = this.latest - frame.time;
    if (back > this.disorder) {
      this.disordered++;
      if (back > this.longestBack) this.longestBack = back;
      note(this.disorderedFrames, frame.number);
    } else if (back < 0) this.latest = frame.time;
    if (frame.wireLength > LONGEST_ON_WIRE) {
      this.oversized++;
      if (frame.wireLength > this.longest) this.longest = frame.wireLength;
      note(this.oversizedFrames, frame.number);
    }
  }
}

/** The quality of each capture of a run. */
export class CaptureQualities {
  private readonly all: (CaptureQuality | undefined)[] = [];
  private readonly disorder: number;

  constructor(settings: NetworkSettings) {
    this.disorder = ns(settings.disorder);
  }

  observe(frame: Frame): void {
    const quality = this.all[frame.capture] ?? this.begin(frame.capture);
    quality?.observe(frame);
  }

  of(capture: number): CaptureQuality | undefined {
    return this.all[capture];
  }

  private begin(capture: number): CaptureQuality | undefined {
    if (capture >= MAX_CAPTURES) return undefined;
    this.all[capture] = new CaptureQuality(this.disorder);
    return this.all[capture];
  }
}

function note(frames: number[], number: number): void {
  if (frames.length < MAX_EXAMPLES) frames.push(number);
}
