import type { CaptureReport, Finding } from '../../findings/finding.js';
import { printable } from '../../wire/printable.js';
import { LABEL_WIDTH, type Layout, SEVERITY_STYLE } from './layout.js';
import { placeOf } from './place.js';
import { proof, unlisted } from './proof.js';
import { remedyHeading } from './remedies.js';
import { clock, counted, frameList } from './words.js';

/** Columns in front of the title and of all that stands below it. */
const INDENT = 8;

/** One finding, as a person reads it: who, what, why; then the cures, the proof, and the doubts. */
export function findingLines(
  finding: Finding,
  captures: readonly CaptureReport[],
  layout: Layout,
  all: boolean,
): string[] {
  return [
    ...headline(finding, layout),
    ...layout.prose(whereAndWhen(finding, captures).join(' · '), INDENT).map((line) => layout.style('dim', line)),
    '',
    ...layout.prose(finding.summary, INDENT),
    ...section(picture(finding, layout)),
    ...section(layout.labelled('Why', [finding.cause].filter(Boolean), INDENT)),
    ...section(remedies(finding, layout)),
    ...section([
      ...layout.labelled('Proof', proof(finding, captures), INDENT),
      ...moreProof(finding, captures, layout),
      ...layout.labelled('Explains', symptoms(finding, captures), INDENT),
      ...layout.labelled('Context', finding.context, INDENT),
      ...layout.labelled('But', finding.caveats, INDENT),
      ...layout.labelled('Surer with', finding.wouldRaise, INDENT),
      ...(all ? layout.labelled('Identity', [`fingerprint ${finding.fingerprint}`], INDENT) : []),
      ...layout.labelled('Not sure?', [`netdiag explain ${finding.rule}`], INDENT),
    ]),
  ];
}

/** A finding that is not what the reader looks for: what it says, and where more is said. */
export function asideLines(finding: Finding, captures: readonly CaptureReport[], layout: Layout): string[] {
  return [
    ...headline(finding, layout),
    ...layout.prose(whereAndWhen(finding, captures).join(' · '), INDENT).map((line) => layout.style('dim', line)),
    '',
    ...layout.prose(finding.summary, INDENT),
    ...section(layout.labelled('Not sure?', [`netdiag explain ${finding.rule}`], INDENT)),
  ];
}

/** That there is more than the proof lists, with the command that shows it: like all commands it is never broken. */
function moreProof(finding: Finding, captures: readonly CaptureReport[], layout: Layout): string[] {
  const found = unlisted(finding, captures);
  if (found === null) return [];
  if (found.command === '') return layout.labelled('', [found.text], INDENT);
  return [
    ...layout.labelled('', [`${found.text}; to see all:`], INDENT),
    `${' '.repeat(INDENT + LABEL_WIDTH)}${layout.style('cyan', printable(found.command))}`,
  ];
}

export function symptoms({ explains }: Finding, captures: readonly CaptureReport[]): string[] {
  return explains.map((each) => symptom(each, captures.length < 2));
}

/** ` ERROR  172.16.91.101 cannot reach …      certain` */
export function headline({ severity, confidence, title }: Finding, layout: Layout): string[] {
  const { label, format } = SEVERITY_STYLE[severity];
  const [first, ...others] = layout.lines(title, layout.width - INDENT - confidence.length - 2);
  const gap = layout.width - INDENT - layout.measure(first) - confidence.length;
  return [
    ` ${layout.style(format, label.padEnd(INDENT - 1))}${layout.style('bold', first)}${' '.repeat(Math.max(2, gap))}${layout.style('dim', confidence)}`,
    ...others.map((line) => ' '.repeat(INDENT) + layout.style('bold', line)),
  ];
}

/** `macvlan/vepa-no-reflection`, `ens34`, `VLAN 100`, `3 times, 02:18:48.674 – 02:18:50.729` */
export function whereAndWhen(finding: Finding, captures: readonly CaptureReport[]): string[] {
  const { rule, segment, count, first, last } = finding;
  return [rule, ...placeOf(segment, captures), [counted(count, 'time'), ...timesBetween(first, last)].join(', ')];
}

/** From the first to the last sighting, if there are times at all. */
function timesBetween(first: string | null, last: string | null): string[] {
  if (first === null || last === null) return [];
  const withDate = first.slice(0, 10) !== last.slice(0, 10);
  const [from, to] = [clock(first, withDate), clock(last, withDate)];
  return [from === to ? from : `${from} – ${to}`];
}

/** What belongs together, with a line of air in front; nothing if there is nothing. */
function section(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

/** The path, where there is room for it: a picture whose lines the terminal breaks shows nothing, and the summary says the same. */
function picture(finding: Finding, layout: Layout): string[] {
  const lines = finding.picture.map((line) => ' '.repeat(INDENT + 2) + printable(line));
  return lines.every((line) => layout.measure(line) <= layout.columns) ? lines : [];
}

/** Cures as commands that can be copied: they are never broken. What a command does stands behind it or above. */
function remedies({ remedy }: Finding, layout: Layout): string[] {
  if (remedy.length === 0) return [];
  const room = layout.width - INDENT - 2;
  const fitting = remedy.filter((each) => each.commands.length === 1 && layout.measure(behind(each, 0)) <= room);
  const column = Math.max(...fitting.map(({ commands: [command] }) => printable(command).length));
  const lines = remedy.flatMap((each) => {
    const { text, commands } = each;
    if (commands.length === 0) return layout.lines(`- ${text}`, room);
    const line = behind(each, column);
    if (fitting.includes(each) && layout.measure(line) <= room) {
      return [layout.style('cyan', line.slice(0, column)) + layout.style('dim', line.slice(column))];
    }
    return [
      ...layout.lines(text, room - 2).map((part) => layout.style('dim', `# ${part}`)),
      ...commands.map((command) => layout.style('cyan', printable(command))),
    ];
  });
  const heading = layout.style('bold', remedyHeading(remedy));
  return [`${' '.repeat(INDENT)}${heading}`, ...lines.map((line) => ' '.repeat(INDENT + 2) + line)];
}

/** A cure with its only command in a column and what it does as a comment behind. */
function behind({ text, commands: [command] }: Finding['remedy'][number], column: number): string {
  return `${printable(command).padEnd(column)}   # ${printable(text)}`;
}

/** `arp/unanswered (3 times, frames 1–3)`; of several captures the proof says which frames are whose. */
function symptom({ rule, count, frames }: Finding['explains'][number], isOnlyCapture: boolean): string {
  const where = isOnlyCapture ? `, ${frames.length === 1 ? 'frame' : 'frames'} ${frameList(frames)}` : '';
  return `${rule} (${counted(count, 'time')}${where})`;
}
