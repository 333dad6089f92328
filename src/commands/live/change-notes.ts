import type { Change } from '../../network/context/changes.js';

/** Lines about one topic that are told in so long; the others are counted. */
const MOST = 6;
const SPAN_MS = 60_000;
/** Topics that are remembered. */
const MAX_TOPICS = 1000;

interface Topic {
  since: number;
  told: number;
  left: number;
}

/**
 * Tells of what changes now and then, and sums up what changes all the time: containers that come every few seconds, a link that flaps.
 * Else they would fill the report, which holds so many notes and no more.
 */
export class ChangeNotes {
  readonly #topics = new Map<string, Topic>();

  constructor(
    private readonly tell: (line: string) => void,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  take(changes: readonly Change[]): void {
    const now = this.clock();
    this.#sumUp(now, false);
    for (const { topic, text } of changes) {
      const known = this.#topics.get(topic) ?? { since: now, told: 0, left: 0 };
      if (this.#topics.size < MAX_TOPICS) this.#topics.set(topic, known);
      known.told++;
      if (known.told > MOST) known.left++;
      else this.tell(known.told < MOST ? text : `${text}; more of this is summed up`);
    }
  }

  /** Tells what was counted and not told so far. */
  end(): void {
    this.#sumUp(this.clock(), true);
  }

  #sumUp(now: number, isEnd: boolean): void {
    for (const [topic, { since, left }] of this.#topics) {
      if (now - since < SPAN_MS && !isEnd) continue;
      this.#topics.delete(topic);
      if (left === 0) continue;
      this.tell(`${topic}: ${left} more change${left === 1 ? '' : 's'} in ${Math.round((now - since) / 1000)} s`);
      // It goes on: from now on only its number is told.
      this.#topics.set(topic, { since: now, told: MOST, left: 0 });
    }
  }
}
