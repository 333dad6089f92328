import type { CaptureReport } from '../../findings/finding.js';
import type { Layout } from './layout.js';
import { table } from './table.js';
import { clock, counted, elapsed, grouped, linkTypeInWords } from './words.js';

/** What was read: a line for one capture, a table for several; and below what is wrong with them. */
export function captureLines(captures: readonly CaptureReport[], layout: Layout): string[] {
  const heading = captures.length === 1 ? oneLine(captures[0], layout) : captureTable(captures, layout);
  return [
    ...heading,
    ...captures.flatMap((capture) => [...damage(capture, captures.length > 1, layout), ...notes(capture, layout)]),
  ];
}

/** `host-any.pcap · pcap, Linux cooked v2 · 3 frames in 2.05 s from 2026-01-02 02:18:48.674 UTC · directions known` */
function oneLine(capture: CaptureReport, layout: Layout): string[] {
  const { name, frames, first, last, dropped } = capture;
  const span = first === null || last === null || frames === 1 ? '' : ` in ${elapsed(first, last)}`;
  const time = first === null ? '' : `${span} from ${clock(first, true)} UTC`;
  const parts = [
    name,
    formatInWords(capture),
    `${counted(frames, 'frame')}${time}`,
    ...(frames === 0 ? [] : [`directions ${DIRECTIONS[capture.directions]}`]),
    ...(dropped ? [`${counted(dropped, 'frame')} lost by the capture`] : []),
  ];
  return layout.prose(parts.join(' · '), 0);
}

const DIRECTIONS = { none: 'unknown', some: 'known in part', all: 'known' } as const;

/** `pcapng, gzip, Ethernet` */
function formatInWords({ format, compression, interfaces }: CaptureReport): string {
  const linkTypes = new Set(interfaces.map(({ linkType }) => linkTypeInWords(linkType)));
  return [format, ...(compression === null ? [] : [compression]), ...linkTypes].join(', ');
}

function captureTable(captures: readonly CaptureReport[], layout: Layout): string[] {
  const rows = captures.map((capture) => [
    capture.name,
    formatInWords(capture),
    grouped(capture.frames),
    capture.first === null || capture.last === null ? '' : elapsed(capture.first, capture.last),
    capture.frames === 0 ? '' : DIRECTIONS[capture.directions],
    capture.dropped === null ? '' : grouped(capture.dropped),
  ]);
  return table(['capture', 'format', 'frames', 'time', 'directions', 'lost'], rows, [2, 5], layout);
}

/** Where a capture could not be read, and what of it was not understood. */
function damage({ name, complete, problems }: CaptureReport, severalCaptures: boolean, layout: Layout): string[] {
  const where = severalCaptures ? `${name}: ` : '';
  if (problems.length === 0) return complete ? [] : layout.prose(`${where}not read to its end`, 2);
  const alike = new Map<string, number[]>();
  for (const { offset, message } of problems) alike.set(message, [...(alike.get(message) ?? []), offset]);
  return [...alike].flatMap(([message, [offset, ...others]]) => {
    const more = others.length === 0 ? '' : ` (and ${others.length} more like it)`;
    return layout.prose(`${where}at byte ${grouped(offset)}: ${message}${more}`, 2);
  });
}

/** What happened while it was captured. */
function notes({ notes = [] }: CaptureReport, layout: Layout): string[] {
  return notes.flatMap(({ time, message }) => layout.prose(`${clock(time, false)} ${message}`, 2));
}
