import type { FrameStore, Session } from './session.js';
import type { FramePage, State } from './state.js';
import { listRows } from './views/frames.js';

/** Frames that a search reads at once, and milliseconds after which keys get their turn. */
const SEARCH_STEP = 256;
const SEARCH_MS = 10;

/** The frames around the chosen one, which stands in the middle where it can. */
export function pageOf(store: FrameStore | null, { capture, frame }: State, rows: number): FramePage | null {
  if (store === null) return null;
  const range = store.range(capture);
  const [first, last] = range;
  const visible = listRows(rows);
  const top = Math.max(first, Math.min(frame - Math.floor(visible / 2), last - visible + 1));
  return { range, rows: store.rows(capture, top, visible), detail: store.detail(capture, frame) };
}

/** The chosen frame, where there is one: the latest of a live capture, or the nearest of those that are still kept. */
export function placedIn({ frames, live }: Session, state: State): State {
  const [first, last] = frames?.range(state.capture) ?? [1, 0];
  if (last < first) return state;
  const frame = live && state.follow ? last : Math.max(first, Math.min(last, state.frame));
  return frame === state.frame ? state : { ...state, frame };
}

/** The state after a key, on a frame that exists. */
export function stepped({ frames }: Session, before: State, next: State): State {
  if (frames === null || (next.frame === before.frame && next.capture === before.capture)) return next;
  const [first, last] = frames.range(next.capture);
  if (next.view !== before.view && next.frame < first && first <= last)
    return { ...next, frame: first, message: `Frame ${next.frame} is no longer kept, only the latest are.` };
  return { ...next, frame: frames.nearest(next.capture, next.frame, next.frame < before.frame ? -1 : 1) };
}

/**
 * The next frame whose line has the text in it, as its number; in between, where it is time to look after other things,
 * what to tell meanwhile.
 */
export function* finding(
  store: FrameStore,
  { capture, frame }: State,
  text: string,
  step: 1 | -1,
): Generator<number | { said: string }> {
  const wanted = text.toLowerCase();
  const [first, last] = store.range(capture);
  let begin = performance.now();
  for (let at = frame + step; at >= first && at <= last; at += step * SEARCH_STEP) {
    const from = step > 0 ? at : Math.max(first, at - SEARCH_STEP + 1);
    const rows = store
      .rows(capture, from, step > 0 ? SEARCH_STEP : at - from + 1)
      .filter(
        ({ number, line }) =>
          (step > 0 ? number < at + SEARCH_STEP : number <= at) && line.toLowerCase().includes(wanted),
      );
    const hit = step > 0 ? rows[0] : rows[rows.length - 1];
    if (hit !== undefined) {
      yield hit.number;
      return;
    }
    if (performance.now() - begin < SEARCH_MS) continue;
    yield { said: `Searching "${text}": frame ${at.toLocaleString('en-US')} of ${last.toLocaleString('en-US')}` };
    begin = performance.now();
  }
  yield { said: `No ${step > 0 ? 'further' : 'earlier'} frame with "${text}".` };
}
