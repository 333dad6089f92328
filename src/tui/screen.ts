import { basename } from 'node:path';
import { Layout } from '../report/text/layout.js';
import { counted, elapsed } from '../report/text/words.js';
import { printable } from '../wire/printable.js';
import { type FramePage, type Screen, type Snapshot, type State, shownFindings } from './state.js';
import { clip, clipStart, pad, width } from './text.js';
import { detailEnd, findingsView } from './views/findings.js';
import { framesView } from './views/frames.js';
import { helpLines } from './views/help.js';
import { topologyLines } from './views/topology.js';
import { trafficLines } from './views/traffic.js';

/** Lines of the head and the foot. */
const FRAME_ROWS = 4;

/** Lines between head and foot on a screen of so many. */
export function bodyRows(rows: number): number {
  return Math.max(1, rows - FRAME_ROWS);
}

/** The whole screen: `screen.rows` lines of at most `screen.columns` columns. */
export function drawScreen(state: State, snapshot: Snapshot, page: FramePage | null, screen: Screen): string[] {
  const layout = new Layout(screen.columns, screen.color);
  const inner = { ...screen, rows: bodyRows(screen.rows) };
  const body = viewLines(state, snapshot, page, inner).slice(0, inner.rows);
  while (body.length < inner.rows) body.push('');
  return [
    head(snapshot, screen, layout),
    tabs(state, snapshot, screen, layout),
    layout.style('dim', '─'.repeat(screen.columns)),
    ...body,
    foot(state, snapshot, screen, layout),
  ].map((line) => (width(line) > screen.columns ? pad(line, screen.columns) : line));
}

function viewLines(state: State, snapshot: Snapshot, page: FramePage | null, screen: Screen): string[] {
  switch (state.view) {
    case 'findings':
      return findingsView(state, snapshot, screen);
    case 'frames':
      return framesView(state, page, screen);
    case 'topology':
      return scrolled(topologyLines(state, snapshot, screen), state.topologyTop, screen.rows);
    case 'traffic':
      return scrolled(trafficLines(snapshot, screen), state.trafficTop, screen.rows);
    case 'help':
      return scrolled(helpLines(screen), state.helpTop, screen.rows);
  }
}

/** The state with nothing scrolled beyond its end: the first key that scrolls back must be seen to. */
export function settled(state: State, snapshot: Snapshot, screen: Screen): State {
  const inner = { ...screen, rows: bodyRows(screen.rows) };
  const end = (lines: readonly string[]) => Math.max(0, lines.length - inner.rows);
  switch (state.view) {
    case 'findings':
      if (state.detailTop === 0) return state;
      return { ...state, detailTop: Math.min(state.detailTop, detailEnd(state, snapshot, inner)) };
    case 'topology':
      return { ...state, topologyTop: Math.min(state.topologyTop, end(topologyLines(state, snapshot, inner))) };
    case 'traffic':
      return { ...state, trafficTop: Math.min(state.trafficTop, end(trafficLines(snapshot, inner))) };
    case 'help':
      return { ...state, helpTop: Math.min(state.helpTop, end(helpLines(inner))) };
    default:
      return state;
  }
}

function scrolled(lines: readonly string[], top: number, rows: number): string[] {
  const from = Math.min(top, Math.max(0, lines.length - rows));
  return lines.slice(from, from + rows);
}

/** ` netdiag  host-any.pcap · 3 frames · 2.05 s          1 error  0 warnings  0 notes ` */
function head({ analysis }: Snapshot, { columns }: Screen, layout: Layout): string {
  const { error, warning, info } = analysis.summary;
  const counts = [counted(error, 'error'), counted(warning, 'warning'), counted(info, 'note')].join('  ');
  const [capture] = analysis.captures;
  const frames = analysis.captures.reduce((sum, each) => sum + each.frames, 0);
  const others = analysis.captures.length - 1;
  const parts = capture === undefined ? [] : [counted(frames, 'frame')];
  if (others === 0 && capture.first !== null && capture.last !== null) parts.push(elapsed(capture.first, capture.last));
  const called = (name: string) =>
    ` netdiag  ${printable([others > 0 ? `${name} and ${others} more` : name, ...parts].join(' · '))}`;
  const room = columns - counts.length - 2;
  const whole = called(capture?.name ?? '');
  // Of a long path its end tells most.
  const left = capture === undefined || width(whole) <= room ? whole : called(basename(capture.name));
  const line = `${clip(left, room)} ${counts} `;
  return layout.style('bold', line);
}

const NAMES = [
  ['findings', '1 Findings'],
  ['frames', '2 Frames'],
  ['topology', '3 Topology'],
  ['traffic', '4 Traffic'],
  ['help', '? Help'],
] as const;

function tabs({ view }: State, { status, live }: Snapshot, { columns }: Screen, layout: Layout): string {
  const whole = NAMES.map(([name, label]) => ({ label, isHere: name === view }));
  const isNarrow = columns < whole.reduce((sum, { label }) => sum + label.length + 2, 0);
  // Where not all fit, the keys of the other views do.
  const labels = isNarrow ? whole.map((tab) => (tab.isHere ? tab : { ...tab, label: tab.label[0] })) : whole;
  const used = labels.reduce((sum, { label }) => sum + label.length + 2, 0);
  const dropped = live?.dropped == null ? 'drops unknown' : counted(live.dropped, 'drop');
  const drops = live === null ? '' : `${live.paused ? 'paused  ' : ''}${dropped}  `;
  const right = clip(`${drops}${status.text}`, Math.max(0, columns - used - 1)).trimEnd();
  const styled = labels
    .map(({ label, isHere }) => (isHere ? layout.style('inverse', `[${label}]`) : ` ${label} `))
    .join('');
  return `${styled}${' '.repeat(Math.max(0, columns - used - width(right)))}${layout.style('dim', right)}`;
}

/** The keys that work now, what was just done, or the line being typed. */
function foot(state: State, snapshot: Snapshot, { columns }: Screen, layout: Layout): string {
  const { prompt, message, search, view, field } = state;
  if (prompt?.kind === 'quit')
    return clip(' Quit all the same? y/n, w writes first: what was captured is in no file.', columns);
  if (prompt !== null) return typing(prompt, columns);
  if (message !== '') return clip(` ${printable(message)}`, columns);
  const keys: string[] = [];
  const isSearching = search !== '' && field === null;
  if (isSearching) keys.push(`"${printable(search)}" n/N, Esc ends it`);
  if (view === 'findings') {
    if (shownFindings(snapshot.analysis, search).length > 0) keys.push('j/k move', 'Enter frame', 'y copy cure');
  } else if (view === 'frames')
    keys.push(...(field === null ? ['j/k move', 'Enter headers'] : ['j/k field', 'Esc list']));
  else keys.push('j/k scroll');
  if (view !== 'findings' && field === null && !isSearching) keys.push('Esc back');
  if (snapshot.live !== null) {
    if (view === 'frames' && !state.follow) keys.push('End latest');
    keys.push(snapshot.live.paused ? 'p resume' : 'p pause', 'w write frames');
  }
  keys.push('/ search', 'e export');
  return layout.style('dim', clip(` ${fitting(keys, ['? help', 'q quit'], columns - 1)}`, columns));
}

/** As many of the words as fit, and the last ones in any case: who does not know them does not get out. */
function fitting(words: readonly string[], last: readonly string[], columns: number): string {
  const kept = [...words];
  const text = () => [...kept, ...last].join('  ');
  while (kept.length > 0 && width(text()) > columns) kept.pop();
  return text();
}

const PROMPTS = { search: '/', export: ' Write report to: ', save: ' Write frames to: ' };

/** The line being typed; of a long one, its end. */
function typing({ kind, text }: NonNullable<State['prompt']>, columns: number): string {
  const label = kind === 'quit' ? '' : PROMPTS[kind];
  const room = Math.max(1, columns - label.length - 1);
  return clip(`${label}${clipStart(printable(text), room)}▏`, columns);
}
