import { setImmediate } from 'node:timers/promises';
import type * as Ink from 'ink';
import type * as React from 'react';
import { type Effect, press } from './keys.js';
import { finding, pageOf, placedIn, stepped } from './paging.js';
import { bodyRows, drawScreen, settled } from './screen.js';
import type { LiveNote, Session } from './session.js';
import { liveOf, type Screen, START, type State, snapshotOf } from './state.js';

/** Milliseconds between two looks at the session, at least; and how much of the time looking may take. */
const INTERVAL = 100;
const SHARE = 0.05;
/** Milliseconds that looking waits for somebody who presses keys. */
const PATIENCE = 2000;
/** Looks whose rates are kept. */
const RATES = 200;

export interface AppProps {
  readonly session: Session;
  readonly screen: Screen;
  readonly copy: (text: string) => void;
  readonly quit: (interrupted: boolean) => void;
  /** Stops the program until the shell lets it go on. */
  readonly suspend: () => void;
  /** Gets the function that wipes the terminal and draws all of it, changed or not. */
  readonly withRedraw?: (redraw: () => void) => void;
}

/**
 * The whole view. The session goes on by itself; this looks at it from time to time. What it draws with is handed in:
 * the bundled program is CommonJS, which cannot name an ES module that waits at its top, as Ink's are.
 */
export function appOf(
  { Text, useInput, useStdout }: typeof Ink,
  { createElement, useEffect, useRef, useState }: typeof React,
): (props: AppProps) => React.ReactElement {
  return function App({ session, screen, copy, quit, suspend, withRedraw }: AppProps) {
    const noted = useRef<LiveNote | null>(null);
    /** When the latest key came. */
    const pressed = useRef(0);
    const searching = useRef(0);
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
        // While keys come they have the time; what is new can wait a little.
        if (begin - pressed.current < INTERVAL && begin - time < PATIENCE) {
          timer = setTimeout(look, INTERVAL);
          return;
        }
        const next = snapshotOf(session, rates.current);
        const read = next.analysis.captures.reduce((sum, each) => sum + each.frames, 0);
        if (next.status.state === 'reading')
          rates.current = [...rates.current, ((read - frames) * 1000) / (begin - time)].slice(-RATES);
        frames = read;
        time = begin;
        setSnapshot({ ...next, rates: rates.current });
        const { live } = next;
        const note = live?.notes[live.notes.length - 1];
        if (note !== undefined && note !== noted.current) {
          noted.current = note;
          update({ ...latest.current, message: note.text });
        }
        // What is paused goes on when the user wants it to.
        if (next.status.state === 'done' && live === null) return;
        timer = setTimeout(look, Math.max(INTERVAL, (performance.now() - begin) / SHARE));
      };
      timer = setTimeout(look, INTERVAL);
      return () => clearTimeout(timer);
    }, [session]);

    // Ink leaves out what it takes for drawn; what it writes for others it draws again behind.
    const { write } = useStdout();
    useEffect(() => withRedraw?.(() => write('\x1b[2J\x1b[H')), [write, withRedraw]);

    const rows = bodyRows(screen.rows);
    const placed = placedIn(session, state);
    const page = placed.view === 'frames' ? pageOf(session.frames, placed, rows) : null;

    const say = (message: string) => update({ ...latest.current, message });

    /** Goes to the next frame whose line has the text in it, in slices: keys never wait, and each of them ends it. */
    const search = async (text: string, step: 1 | -1) => {
      if (session.frames === null) return say('The frames of this input cannot be read again.');
      const turn = ++searching.current;
      for (const found of finding(session.frames, latest.current, text, step)) {
        if (typeof found !== 'number') {
          say(found.said);
          await setImmediate();
          if (searching.current !== turn) return;
        } else update({ ...latest.current, frame: found, field: null, follow: false, message: '' });
      }
    };

    const perform = (effect: Effect) => {
      if (effect.does === 'quit') quit(false);
      else if (effect.does === 'pause') {
        if (session.live?.paused) session.live.resume();
        else session.live?.pause();
        setSnapshot((before) => ({ ...before, live: liveOf(session) }));
      } else if (effect.does === 'copy') copy(effect.text);
      else if (effect.does === 'find') void search(effect.text, effect.step);
      else {
        const write = effect.does === 'export' ? session.export : session.live?.save;
        const written = write?.(effect.text) ?? Promise.reject(new Error('nothing can be written here'));
        written.then(say, (error: unknown) => say(error instanceof Error ? error.message : String(error)));
      }
    };

    useInput((input, key) => {
      if (key.ctrl && input === 'c') return quit(true);
      if (key.ctrl && input === 'z') return suspend();
      searching.current++;
      pressed.current = performance.now();
      session.onKey?.();
      for (const name of keyNames(input, key)) {
        const before = settled(placedIn(session, latest.current), snapshot, screen);
        const now = before.view === 'frames' ? pageOf(session.frames, before, rows) : null;
        const [next, effect] = press(before, name, { snapshot, page: now, rows });
        update(stepped(session, before, next));
        if (effect !== undefined) perform(effect);
      }
    });

    return createElement(Text, { wrap: 'truncate' }, drawScreen(placed, snapshot, page, screen).join('\n'));
  };
}

type Key = Parameters<Parameters<typeof Ink.useInput>[0]>[1];

/** What is left of a control sequence that is no key (ECMA-48): a mouse that another program left on, a focus, an answer. */
const NO_KEY = /^\[[<=>?]?[\d;:]*[ -/]*[A-Za-z~]$/;

/** Keys by name. */
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
  if (NO_KEY.test(input)) return [];
  // Escape and the next key may come as one, where the machine is busy.
  const before = key.meta ? ['escape'] : [];
  return [...before, ...characters(input)];
}

/** Characters that came at once, one by one; DEL is what the backspace key sends. */
function characters(input: string): string[] {
  const names: Record<string, string> = {
    '\r': 'enter',
    '\n': 'enter',
    '\t': 'tab',
    '\x7f': 'backspace',
    '\b': 'backspace',
  };
  return [...input].map((each) => names[each] ?? each).filter((each) => each >= ' ');
}
