import type { Analysis } from '../findings/finding.js';
import {
  chosenIndex,
  type FramePage,
  findingKey,
  type Snapshot,
  type State,
  shownFindings,
  VIEWS,
  type View,
} from './state.js';
import { cureOf } from './views/findings.js';

/** What a key asks for besides another state. */
export type Effect =
  | { readonly does: 'quit' }
  | { readonly does: 'pause' }
  | { readonly does: 'copy'; readonly text: string }
  | { readonly does: 'export' | 'save'; readonly text: string }
  | { readonly does: 'find'; readonly text: string; readonly step: 1 | -1 };

const SAVING = { kind: 'save', text: 'netdiag-live.pcapng' } as const;

/** What the keys act on. */
export interface Shown {
  readonly snapshot: Snapshot;
  readonly page: FramePage | null;
  /** Lines below the head and above the foot. */
  readonly rows: number;
}

type Result = readonly [state: State, effect?: Effect];

/** The state after a key: a character, or the name of a key (`up`, `enter`, `ctrl-d`). */
export function press(before: State, key: string, shown: Shown): Result {
  const state = { ...before, message: '' };
  if (state.prompt !== null) return typed(state, key);
  if (key >= '1' && key <= '4') return [{ ...state, view: VIEWS[Number(key) - 1] }];
  switch (key) {
    case 'tab':
      return [{ ...state, view: VIEWS[(VIEWS.indexOf(state.view) + 1) % VIEWS.length] }];
    case '?':
      return [{ ...state, view: 'help' }];
    case 'q':
      if (shown.snapshot.live?.unsaved) return [{ ...state, prompt: { kind: 'quit', text: '' } }];
      return [state, { does: 'quit' }];
    case '/':
      return [{ ...state, prompt: { kind: 'search', text: '' } }];
    case 'e':
      return [{ ...state, prompt: { kind: 'export', text: 'netdiag-report.md' } }];
    case 'w':
      if (shown.snapshot.live === null) return [state];
      return [{ ...state, prompt: SAVING }];
    case 'p':
      return shown.snapshot.live === null ? [state] : [state, { does: 'pause' }];
    case 'y':
      return copied(state, shown.snapshot.analysis);
    case 'escape':
      if (state.field !== null) return [{ ...state, field: null }];
      if (state.search !== '') return [{ ...state, search: '' }];
      return [{ ...state, view: 'findings' }];
    case 'n':
    case 'N':
      if (state.search === '') return [state];
      if (state.view === 'frames') return [state, { does: 'find', text: state.search, step: key === 'n' ? 1 : -1 }];
      return [moved(state, key === 'n' ? 1 : -1, shown)];
    case 'enter':
      return [entered(state, shown)];
    default:
      return [moved(state, stepOf(key, shown.rows), shown, key === 'ctrl-d' || key === 'ctrl-u')];
  }
}

function stepOf(key: string, rows: number): number {
  const half = Math.max(1, Math.floor(rows / 2));
  const steps: Record<string, number> = {
    j: 1,
    down: 1,
    k: -1,
    up: -1,
    g: Number.NEGATIVE_INFINITY,
    home: Number.NEGATIVE_INFINITY,
    G: Number.POSITIVE_INFINITY,
    end: Number.POSITIVE_INFINITY,
    'ctrl-d': half,
    'ctrl-u': -half,
    pagedown: rows,
    pageup: -rows,
  };
  return steps[key] ?? 0;
}

/** Moves what is chosen, or what is scrolled where nothing can be chosen. */
function moved(state: State, by: number, { snapshot, page }: Shown, scrolls = false): State {
  if (by === 0) return state;
  const { view } = state;
  if (view === 'findings') {
    if (scrolls) return { ...state, detailTop: within(state.detailTop + by, 0, 10_000) };
    const findings = shownFindings(snapshot.analysis, state.search);
    if (findings.length === 0) return state;
    const next = findings[within(chosenIndex(findings, state) + by, 0, findings.length - 1)];
    return { ...state, finding: findingKey(next), detailTop: 0 };
  }
  if (view === 'frames') {
    if (state.field !== null) {
      return { ...state, field: within(state.field + by, 0, (page?.detail?.fields.length ?? 1) - 1) };
    }
    const [first, last] = page?.range ?? [1, 1];
    const frame = within(state.frame + by, first, Math.max(first, last));
    return { ...state, frame, follow: frame === last };
  }
  const top = `${view}Top` as const;
  return { ...state, [top]: within(state[top] + by, 0, 10_000) };
}

function within(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/** From a finding to its first frame, from a frame into its headers. */
function entered(state: State, { snapshot, page }: Shown): State {
  if (state.view === 'frames') return page?.detail ? { ...state, field: state.field ?? 0 } : state;
  if (state.view !== 'findings' && state.view !== 'topology') return state;
  const findings = shownFindings(snapshot.analysis, state.search);
  const evidence = findings[chosenIndex(findings, state)]?.evidence[0];
  if (evidence === undefined) return { ...state, message: 'This finding names no frame.' };
  return {
    ...state,
    view: 'frames' satisfies View,
    capture: evidence.capture,
    frame: evidence.frame,
    field: null,
    follow: false,
  };
}

function copied(state: State, analysis: Analysis): Result {
  const findings = shownFindings(analysis, state.search);
  const finding = findings[chosenIndex(findings, state)];
  const cure = finding === undefined ? '' : cureOf(finding);
  if (cure === '') return [{ ...state, message: 'No command to copy here.' }];
  return [
    { ...state, message: 'Cure copied, if the terminal allows it (OSC 52).' },
    { does: 'copy', text: cure },
  ];
}

/** A key while a line is being typed. */
function typed(state: State, key: string): Result {
  const { kind, text } = state.prompt ?? { kind: 'search', text: '' };
  const closed = { ...state, prompt: null };
  if (kind === 'quit') {
    if (key === 'w') return [{ ...state, prompt: SAVING }];
    return key === 'y' || key === 'Y' ? [closed, { does: 'quit' }] : [closed];
  }
  if (key === 'escape') return [closed];
  if (key === 'backspace') return [{ ...state, prompt: { kind, text: [...text].slice(0, -1).join('') } }];
  if (key === 'ctrl-u') return [{ ...state, prompt: { kind, text: '' } }];
  if (key === 'enter') {
    if (kind !== 'search') return text === '' ? [closed] : [closed, { does: kind, text }];
    if (state.view === 'frames') {
      const searching = { ...closed, search: text };
      return text === '' ? [searching] : [searching, { does: 'find', text, step: 1 }];
    }
    // There is nothing to be found in the other two.
    const view = state.view === 'topology' ? state.view : 'findings';
    return [{ ...closed, view, search: text, finding: null, detailTop: 0 }];
  }
  return [...key].length === 1 ? [{ ...state, prompt: { kind, text: text + key } }] : [state];
}
