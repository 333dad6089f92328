import type { CaptureReport } from '../../findings/finding.js';
import type { Layout } from './layout.js';
import { table } from './table.js';
import { clock, counted, elapsed, grouped, linkTypeInWords } from './words.js';

/** What was read: a line for one capture, a table for several; and below what is wrong with them. */
export function captureLines(captures: readonly CaptureReport[], layout: Layout): string[] {
  const heading =
    captures.length === 1
      ? layout.prose(captureInWords(captures[0]), 0)
      : table(CAPTURE_HEAD, captureRows(captures), CAPTURE_NUMBERS, layout);
  const trouble = captures.flatMap((capture) => troubleOf(capture, captures.length > 1));
  return [...heading, ...trouble.flatMap((text) => layout.prose(text, 2))];
}

/** What is wrong with a capture, and what happened while it was made. */
export function troubleOf(capture: CaptureReport, severalCaptures: boolean): string[] {
  const notes = (capture.notes ?? []).map(({ time, message }) => `${clock(time, false)} ${message}`);
  return [...damage(capture, severalCaptures), ...notes];
}

/** `host-any.pcap · pcap, Linux cooked v2 · 3 frames in 2.05 s from 2026-01-02 02:18:48.674 UTC · directions known` */
export function captureInWords(capture: CaptureReport): string {
  const { name, frames, first, last, dropped } = capture;
  const span = first === null || last === null || frames === 1 ? '' : ` in ${elapsed(first, last)}`;
  const time = first === null ? '' : `${span} from ${begin(capture, first)}`;
  return [
    name,
    formatInWords(capture),
    `${counted(frames, 'frame')}${time}`,
    ...(frames === 0 ? [] : [`directions ${DIRECTIONS[capture.directions]}`]),
    ...(dropped ? [`${counted(dropped, 'frame')} lost by the capture`] : []),
  ].join(' · ');
}

/** What tcpdump prints without its date is pasted so, and in a time zone that it does not tell. */
function begin({ format }: CaptureReport, first: string): string {
  return format === 'text' && first.startsWith('1970-01-01T') ? clock(first, false) : `${clock(first, true)} UTC`;
}

const DIRECTIONS = { none: 'unknown', some: 'known in part', all: 'known' } as const;

/** `pcapng, gzip, Ethernet` */
function formatInWords({ format, compression, interfaces }: CaptureReport): string {
  const linkTypes = new Set(interfaces.map(({ linkType }) => linkTypeInWords(linkType)));
  return [format, ...(compression === null ? [] : [compression]), ...linkTypes].join(', ');
}

export const CAPTURE_HEAD = ['capture', 'format', 'frames', 'time', 'directions', 'lost'];
const CAPTURE_NUMBERS = [2, 5];

/** A row for each capture, below `CAPTURE_HEAD`. */
export function captureRows(captures: readonly CaptureReport[]): string[][] {
  return captures.map((capture) => [
    capture.name,
    formatInWords(capture),
    grouped(capture.frames),
    capture.first === null || capture.last === null ? '' : elapsed(capture.first, capture.last),
    capture.frames === 0 ? '' : DIRECTIONS[capture.directions],
    capture.dropped === null ? '' : grouped(capture.dropped),
  ]);
}

/** Where a capture could not be read, and what of it was not understood. */
function damage({ name, format, complete, problems }: CaptureReport, severalCaptures: boolean): string[] {
  const where = severalCaptures ? `${name}: ` : '';
  if (problems.length === 0) return complete ? [] : [`${where}not read to its end`];
  const alike = new Map<string, number[]>();
  for (const { offset, message } of problems) alike.set(message, [...(alike.get(message) ?? []), offset]);
  return [...alike].map(([message, [offset, ...others]]) => {
    const more = others.length === 0 ? '' : ` (and ${others.length} more like it)`;
    // A text has lines, and no byte of it is damaged.
    const place = format === 'text' ? '' : `at byte ${grouped(offset)}: `;
    return `${where}${place}${message}${more}`;
  });
}
