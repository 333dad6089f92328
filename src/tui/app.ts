import { Text, useInput } from 'ink';
import { createElement, type ReactElement, useEffect, useRef, useState } from 'react';
import { type Effect, press } from './keys.js';
import { bodyRows, drawScreen } from './screen.js';
import type { FrameStore, Session } from './session.js';
import { type FramePage, type Screen, START, type State, snapshotOf } from './state.js';
import { listRows } from './views/frames.js';

/** Milliseconds between two looks at the session, at least; and how much of the time looking may take. */
const INTERVAL = 100;
const SHARE = 0.05;
/** Looks whose rates are kept. */
const RATES = 200;
/** Frames that one search reads at most. */
const SEARCHED = 200_000;
const SEARCH_STEP = 256;

export interface AppProps {
  readonly session: Session;
  readonly screen: Screen;
  readonly copy: (text: string) => void;
  readonly quit: (interrupted: boolean) => void;
}

/** The whole view. The session goes on by itself; this looks at it from time to time. */
export function App({ session, screen, copy, quit }: AppProps): ReactElement {
  const rates = useRef<number[]>([]);
  const [snapshot, setSnapshot] = useState(() => snapshotOf(session, []));
  const [state, setState] = useState<State>(START);
  // Several keys may come before the next drawing: each must see what the one before it made.
  const latest = useRef(state);
  const update = (next: State) => {
    latest.current = next;
    setState(next);
  };

  useEffect(() => {
    let timer: NodeJS.Timeout;
    let frames = 0;
    let time = performance.now();
    const look = () => {
      const begin = performance.now();
      const next = snapshotOf(session, rates.current);
      const read = next.analysis.captures.reduce((sum, each) => sum + each.frames, 0);
      if (next.status.state === 'reading')
        rates.current = [...rates.current, ((read - frames) * 1000) / (begin - time)].slice(-RATES);
      frames = read;
      time = begin;
      setSnapshot({ ...next, rates: rates.current });
      if (next.status.state === 'done') return;
      timer = setTimeout(look, Math.max(INTERVAL, (performance.now() - begin) / SHARE));
    };
    timer = setTimeout(look, INTERVAL);
    return () => clearTimeout(timer);
  }, [session]);

  const rows = bodyRows(screen.rows);
  const page = state.view === 'frames' ? pageOf(session.frames, state, rows) : null;

  const perform = (effect: Effect) => {
    if (effect.does === 'quit') quit(false);
    else if (effect.does === 'pause') {
      if (session.live?.paused) session.live.resume();
      else session.live?.pause();
    } else if (effect.does === 'copy') copy(effect.text);
    else if (effect.does === 'find') update(found(session.frames, latest.current, effect.text, effect.step));
    else {
      const say = (message: string) => update({ ...latest.current, message });
      const written = session.export?.(effect.text) ?? Promise.reject(new Error('nothing can be exported here'));
      written.then(say, (error: unknown) => say(error instanceof Error ? error.message : String(error)));
    }
  };

  useInput((input, key) => {
    if (key.ctrl && input === 'c') return quit(true);
    for (const name of keyNames(input, key)) {
      const now = latest.current.view === 'frames' ? pageOf(session.frames, latest.current, rows) : null;
      const [next, effect] = press(latest.current, name, { snapshot, page: now, rows });
      update(next);
      if (effect !== undefined) perform(effect);
    }
  });

  return createElement(Text, { wrap: 'truncate' }, drawScreen(state, snapshot, page, screen).join('\n'));
}

type Key = Parameters<Parameters<typeof useInput>[0]>[1];

/** Keys by name; characters that came at once, one by one. */
function keyNames(input: string, key: Key): string[] {
  if (key.upArrow) return ['up'];
  if (key.downArrow) return ['down'];
  if (key.pageDown) return ['pagedown'];
  if (key.pageUp) return ['pageup'];
  if (key.home) return ['home'];
  if (key.end) return ['end'];
  if (key.return) return ['enter'];
  if (key.escape) return ['escape'];
  if (key.tab) return ['tab'];
  if (key.backspace || key.delete) return ['backspace'];
  if (key.ctrl) return [`ctrl-${input}`];
  if (key.meta) return [];
  return [...input].map((each) => (each === '\r' || each === '\n' ? 'enter' : each)).filter((each) => each >= ' ');
}

/** The frames around the chosen one, which stands in the middle where it can. */
function pageOf(store: FrameStore | null, { capture, frame }: State, rows: number): FramePage | null {
  if (store === null) return null;
  const range = store.range(capture);
  const [first, last] = range;
  const visible = listRows(rows);
  const top = Math.max(first, Math.min(frame - Math.floor(visible / 2), last - visible + 1));
  return { range, rows: store.rows(capture, top, visible), detail: store.detail(capture, frame) };
}

/** Goes on to the next frame whose line has the text in it. */
function found(store: FrameStore | null, state: State, text: string, step: 1 | -1): State {
  if (store === null) return { ...state, message: 'The frames of this input cannot be read again.' };
  const wanted = text.toLowerCase();
  const [first, last] = store.range(state.capture);
  for (let done = 0; done < SEARCHED; done += SEARCH_STEP) {
    const from = step > 0 ? state.frame + 1 + done : Math.max(first, state.frame - done - SEARCH_STEP);
    const count = step > 0 ? SEARCH_STEP : state.frame - done - from;
    if (from > last || count <= 0) break;
    const rows = store.rows(state.capture, from, count).filter(({ line }) => line.toLowerCase().includes(wanted));
    const hit = step > 0 ? rows[0] : rows[rows.length - 1];
    if (hit !== undefined) return { ...state, frame: hit.number, field: null };
  }
  return { ...state, message: `No further frame with "${text}" among the next ${SEARCHED.toLocaleString('en-US')}.` };
}
