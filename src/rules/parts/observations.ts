import type { Frame } from '../../wire/frame.js';
import type { Diagnosis, EvidenceRef } from '../rule.js';

/** Something that frames showed a rule, and the rule's own facts of it. */
export interface Observed<T> extends Pick<Diagnosis, 'key' | 'segment' | 'capture' | 'first'> {
  readonly what: T;
  count: number;
  /** `Frame.time`. */
  last: number;
  readonly evidence: EvidenceRef[];
}

/** What frames showed a rule, by key; for what is rare, as each takes memory of its own. */
export class Observations<T> {
  private readonly all = new Map<string, Observed<T>>();

  constructor(
    private readonly max: number,
    /** Frames that each lists as evidence. */
    private readonly maxFrames: number,
  ) {}

  /** What has this key, made of `facts` if there is nothing yet; null if that is one too many. */
  at(key: string, segment: number, frame: Frame, facts: () => T): Observed<T> | null {
    let observed = this.all.get(key);
    if (!observed) {
      if (this.all.size === this.max) return null;
      const { capture, time } = frame;
      observed = { key, segment, capture, first: time, last: time, count: 0, evidence: [], what: facts() };
      this.all.set(key, observed);
    }
    return observed;
  }

  /** Counts a frame that shows it. Returns whether the evidence has room for it. */
  count(observed: Observed<T>, frame: Frame): boolean {
    observed.count++;
    observed.last = frame.time;
    return observed.evidence.length < this.maxFrames;
  }

  get(key: string): Observed<T> | undefined {
    return this.all.get(key);
  }

  delete(key: string): void {
    this.all.delete(key);
  }

  /** Those of a capture. */
  of(capture: number): Observed<T>[] {
    return [...this.all.values()].filter((observed) => observed.capture === capture);
  }
}

/** What of it goes into a diagnosis as it is. */
export function wholeOf({ key, segment, capture, count, first, last, evidence }: Observed<unknown>) {
  return { key, segment, capture, count, first, last, evidence };
}
