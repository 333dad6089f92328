import type { Diagnosis, Handlers, RuleContext, Threshold } from '../../rule.js';
import { type Oversize, oversizeOf, unansweredEchoes } from './oversize.js';

/** Big pings in vain, for the rules that are made by `watchOversize`. */
export const BIG_REQUESTS: Threshold = {
  value: 3,
  unit: 'big requests in vain',
  source: 'one or two may be lost on their way',
};

/** What such a rule adds to what pings show. */
type Said = Omit<Diagnosis, 'key' | 'segment' | 'capture' | 'count' | 'first' | 'last' | 'evidence'>;

/** Handlers of a rule that goes by pings which are answered only while they are small; `say` gives null where they are none of its. */
export function watchOversize(
  { network, report, withdraw, thresholds }: RuleContext,
  say: (found: Oversize) => Said | null,
): Handlers {
  /** Rows that were spoken of: a late reply excuses them. */
  const told = new Set<number>();

  function look(row: number): void {
    const found = oversizeOf(network, row, thresholds.requests);
    const said = found && say(found);
    if (!said) {
      if (told.delete(row)) withdraw(String(row));
      return;
    }
    const { key, segment, capture, count, first, last, evidence } = found;
    told.add(row);
    report({ key, segment, capture, count, first, last, evidence, ...said });
  }

  return {
    events: { echoesUnanswered: look },
    captureEnd: (capture) => new Set([...told, ...unansweredEchoes(network, capture)]).forEach(look),
  };
}
