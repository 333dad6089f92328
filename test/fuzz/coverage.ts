import { Session } from 'node:inspector';

interface Range {
  startOffset: number;
  endOffset: number;
  count: number;
}

/** From and to, in characters of the source. */
type Interval = readonly [number, number];

/** Which code of the program has run so far, as V8 counts it; of sources whose name matches. */
export class Coverage {
  readonly #session = new Session();
  /** By function that ran: what of it did not run yet. */
  readonly #missing = new Map<string, readonly Interval[]>();
  #size = 0;

  constructor(readonly file: RegExp) {
    this.#session.connect();
    this.#post('Profiler.enable');
    // Counts, since in its binary form V8 tells each function once only, however much more of it runs later.
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Characters of source code that have run. */
  get size(): number {
    return this.#size;
  }

  /** Takes what ran since the last time; tells whether some of it never ran before. */
  take(): boolean {
    const before = this.#size;
    const { result } = this.#post('Profiler.takePreciseCoverage') as {
      result: { url: string; functions: { ranges: Range[] }[] }[];
    };
    for (const { url, functions } of result) {
      if (!this.file.test(url)) continue;
      for (const { ranges } of functions) if (ranges[0].count > 0) this.#add(url, ranges);
    }
    return this.#size > before;
  }

  /** V8 tells a function, and in it the blocks whose count differs from what is around them. */
  #add(url: string, [whole, ...blocks]: Range[]): void {
    const key = `${url} ${whole.startOffset} ${whole.endOffset}`;
    const idle = blocks.filter(({ count }) => count === 0).map((each): Interval => [each.startOffset, each.endOffset]);
    const known = this.#missing.get(key);
    const missing = known === undefined ? idle : common(known, idle);
    this.#size += (known === undefined ? whole.endOffset - whole.startOffset : length(known)) - length(missing);
    this.#missing.set(key, missing);
  }

  #post(method: string, params: object = {}): unknown {
    let answer: unknown;
    this.#session.post(method as 'Profiler.enable', params as never, (error: Error | null, result?: unknown) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  }
}

function common(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  return a.flatMap(([from, to]) =>
    b.map(([start, end]): Interval => [Math.max(from, start), Math.min(to, end)]).filter(([start, end]) => start < end),
  );
}

function length(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [from, to]) => sum + to - from, 0);
}
