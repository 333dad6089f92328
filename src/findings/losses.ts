import type { Losses } from '../rules/parts/losses.js';
import type { Confidence, Diagnosis } from '../rules/rule.js';
import type { Reported } from './collector.js';

/** As likely as that, everything that would have broken a silence was lost by chance. */
const CHANCE = 0.001;

const WEAKER: Readonly<Record<Confidence, Confidence>> = { certain: 'likely', likely: 'hint', hint: 'hint' };

/**
 * Findings that rest on silence, in captures that lost a notable part of their frames: all of them say so, and those
 * become less sure by a step that the losses could have made. That is decided here and not in the rules, for what was lost is
 * known at the end of a capture only, and before symptoms are put under causes, as a hint explains nothing.
 */
export function doubtSilence(reported: readonly Reported[], losses: (capture: number) => Losses | null): Reported[] {
  const known = new Map<number, Losses | null>();
  return reported.map((each) => {
    const { meta, diagnosis } = each;
    if (!meta.silence && !diagnosis.silence) return each;
    const { capture } = diagnosis;
    const lost = known.has(capture) ? known.get(capture) : losses(capture);
    known.set(capture, lost ?? null);
    return lost?.isNotable ? { meta, diagnosis: doubt(diagnosis, lost) } : each;
  });
}

function doubt(diagnosis: Diagnosis, losses: Losses): Diagnosis {
  const { confidence, caveats = [], wouldRaise = [] } = diagnosis;
  const doubted = doubtedConfidence(diagnosis, losses);
  const { isCounted, lost, share } = losses;
  const part = `${Math.max(1, Math.round(share * 100))} %`;
  return {
    ...diagnosis,
    confidence: doubted ?? confidence,
    caveats: [
      ...caveats,
      isCounted
        ? `${lost} frames were lost while capturing, ${part} of all: what seems missing may be among them`
        : `${part} of the frames or more are missing in this capture: what seems missing may be among them`,
    ],
    wouldRaise: doubted !== null ? [...wouldRaise, 'a capture that loses no frames'] : wouldRaise,
  };
}

/** How sure a diagnosis still is where losses can have made its silence; null where they cannot. */
function doubtedConfidence(diagnosis: Diagnosis, losses: Losses): Confidence | null {
  if (isExpected(diagnosis, losses)) return 'hint';
  return mayBeMade(diagnosis, losses) ? WEAKER[diagnosis.confidence] : null;
}

/**
 * Whether losses can have made a silence: each of its frames lost by itself, or all in a row, which takes as much of the
 * capture's time as of its frames.
 */
function mayBeMade(diagnosis: Diagnosis, { share, duration }: Losses): boolean {
  const { count, first, last } = diagnosis;
  return share ** count > CHANCE || last - first <= share * duration;
}

/** Whether no more of the tries failed than losses of that share take out of the capture, by three standard deviations. */
function isExpected({ count, tries }: Diagnosis, { share }: Losses): boolean {
  if (tries === undefined || tries <= count) return false;
  const expected = tries * share;
  return count <= expected + 3 * Math.sqrt(expected);
}
