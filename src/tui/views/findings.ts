import type { Finding } from '../../findings/finding.js';
import { couldExamine, nothingFound } from '../../report/nothing-found.js';
import { symptoms, whereAndWhen } from '../../report/text/finding.js';
import { Layout, SEVERITY_STYLE } from '../../report/text/layout.js';
import { proof, unlisted } from '../../report/text/proof.js';
import { remedyHeading } from '../../report/text/remedies.js';
import { counted } from '../../report/text/words.js';
import { printable } from '../../wire/printable.js';
import { chosenIndex, type Screen, type Snapshot, type State, shownFindings } from '../state.js';
import { clip, fold, pad, scrolledTo } from '../text.js';

/** From this many columns on, list and detail stand side by side. */
const WIDE = 120;
/** Lines that the list takes at most where it stands above the detail, and what part of a low screen. */
const LIST_LINES = 6;
const LIST_PART = 1 / 3;

/** The list of findings by rank, and all about the one chosen. */
export function findingsView(state: State, snapshot: Snapshot, screen: Screen): string[] {
  const shown = shownFindings(snapshot.analysis, state.search);
  if (shown.length === 0) return [emptyList(state, snapshot)];
  const chosen = chosenIndex(shown, state);
  const detail = detailPart(state, snapshot, shown[chosen], detailScreen(shown.length, screen));
  if (screen.columns >= WIDE) {
    const left = listColumns(screen);
    const list = listLines(shown, chosen, { ...screen, columns: left });
    return Array.from({ length: screen.rows }, (_, i) => `${pad(list[i] ?? '', left)} │ ${detail[i] ?? ''}`);
  }
  const list = listLines(shown, chosen, { ...screen, rows: listRows(shown.length, screen) });
  return [...list, '─'.repeat(screen.columns), ...detail];
}

/** How far the text of the chosen finding can be scrolled. */
export function detailEnd(state: State, snapshot: Snapshot, screen: Screen): number {
  const shown = shownFindings(snapshot.analysis, state.search);
  if (shown.length === 0) return 0;
  const { columns, rows } = detailScreen(shown.length, screen);
  const lines = detailLines(shown[chosenIndex(shown, state)], snapshot, new Layout(columns, false));
  return Math.max(0, lines.length - rows);
}

function listRows(findings: number, { rows }: Screen): number {
  return Math.min(LIST_LINES, findings, Math.max(1, Math.floor(rows * LIST_PART)));
}

function listColumns({ columns }: Screen): number {
  return Math.floor(columns * 0.4);
}

/** What is left for the text of a finding beside a list of so many, or below it. */
function detailScreen(findings: number, screen: Screen): Screen {
  if (screen.columns >= WIDE) return { ...screen, columns: screen.columns - listColumns(screen) - 3 };
  return { ...screen, rows: screen.rows - listRows(findings, screen) - 1 };
}

function emptyList({ search }: State, { analysis, status }: Snapshot): string {
  if (search !== '' && analysis.findings.length > 0)
    return ` No finding matches "${printable(search)}". Esc shows all.`;
  if (status.state === 'reading') return ' Nothing found yet.';
  return ` ${nothingFound(analysis)}. 4 shows what was ${couldExamine(analysis.captures) ? 'examined' : 'read'}.`;
}

function listLines(shown: readonly Finding[], chosen: number, { columns, rows, color }: Screen): string[] {
  const layout = new Layout(columns, color);
  const top = scrolledTo(chosen, chosen - Math.floor(rows / 2), rows, shown.length);
  return shown.slice(top, top + rows).map((finding, i) => listLine(finding, top + i === chosen, columns, layout));
}

/** `▌ERROR certain 172.16.91.101 cannot reach …    ×3` */
function listLine({ severity, confidence, title, count }: Finding, isChosen: boolean, columns: number, layout: Layout) {
  const { label, format } = SEVERITY_STYLE[severity];
  const times = count > 1 ? ` ×${count}` : '';
  const head = `${label.padEnd(5)} ${confidence.padEnd(7)} `;
  const room = columns - 1 - head.length - times.length;
  const text = `${clip(printable(title), room)}${times}`;
  if (isChosen) return layout.style('inverse', `▌${head}${text}`);
  return ` ${layout.style(format, head.slice(0, 6))}${layout.style('dim', head.slice(6))}${text}`;
}

function detailPart(state: State, snapshot: Snapshot, finding: Finding, { columns, rows, color }: Screen): string[] {
  const lines = detailLines(finding, snapshot, new Layout(columns, color));
  const top = Math.min(state.detailTop, Math.max(0, lines.length - rows));
  const part = lines.slice(top, top + rows);
  const below = lines.length - top - rows;
  if (below > 0)
    part[rows - 1] = new Layout(columns, color).style('dim', `… ${counted(below + 1, 'more line')}: Ctrl-D`);
  return part;
}

/** Who, what, why; the cure; then the picture, the proof and the doubts. */
function detailLines(finding: Finding, { analysis }: Snapshot, layout: Layout): string[] {
  const { captures } = analysis;
  const room = layout.columns;
  const text = (words: string, indent = 0) =>
    layout.lines(words, Math.min(room, layout.width) - indent).map((line) => ' '.repeat(indent) + line);
  const labelled = (label: string, texts: readonly string[]) => {
    const lines = layout.labelled(label, texts, 0);
    return lines.length === 0 ? [] : ['', ...lines];
  };
  return [
    ...text(finding.title).map((line) => layout.style('bold', line)),
    ...text([finding.confidence, ...whereAndWhen(finding, captures)].join(' · ')).map((line) =>
      layout.style('dim', line),
    ),
    '',
    ...text(finding.summary),
    ...cureLines(finding, layout, text),
    ...(finding.picture.length > 0
      ? ['', ...finding.picture.map((line) => clip(`  ${printable(line)}`, room).trimEnd())]
      : []),
    ...labelled('Why', [finding.cause].filter(Boolean)),
    ...labelled('Proof', proofAndMore(finding, captures)),
    ...labelled('Explains', symptoms(finding, captures)),
    ...labelled('Context', finding.context),
    ...labelled('But', finding.caveats),
    ...labelled('Surer with', finding.wouldRaise),
  ];
}

function cureLines({ remedy }: Finding, layout: Layout, text: (words: string, indent?: number) => string[]): string[] {
  if (remedy.length === 0) return [];
  return [
    '',
    layout.style('bold', remedyHeading(remedy)),
    ...remedy.flatMap(({ text: what, commands }) => [
      ...text(`# ${what}`, 2).map((line) => layout.style('dim', line)),
      ...commands.flatMap((command) =>
        fold(`  ${printable(command)}`, layout.columns).map((line) => layout.style('cyan', line)),
      ),
    ]),
  ];
}

/** The commands of the first cure that has any, one a line: what `y` copies. */
export function cureOf({ remedy }: Finding): string {
  const commands = remedy.find((each) => each.commands.length > 0)?.commands ?? [];
  return commands.map(printable).join('\n');
}

/** Enter shows the frames that are listed; what is not is only counted here. */
function proofAndMore(finding: Finding, captures: Snapshot['analysis']['captures']): string[] {
  const found = unlisted(finding, captures);
  return [...proof(finding, captures), ...(found ? [found.text] : [])];
}
