import { Readable } from 'node:stream';
import { type AnalyzeOptions, Analyzer } from '../../analyze.js';
import { contextComments } from '../../capture/live/stored-context.js';
import { openCapture } from '../../capture/open.js';
import type { Analysis, Finding } from '../../findings/finding.js';
import { counted } from '../../report/text/words.js';
import type { Frame } from '../../wire/frame.js';
import { UserError } from '../errors.js';
import { type Recorded, recordedFrames, type Written, writeRecorded } from './recorded.js';

/** Seconds around a proving frame from which frames are kept where the proof alone is not enough. */
const AROUND = [0, 0.1, 2, 20] as const;

/** Evidence, and the analysis of it. */
export interface Evidence extends Written {
  readonly recorded: Recorded;
  readonly analysis: Analysis;
}

/** The comments of evidence as a whole: what it is, and the host context under which it gives its findings. */
export function commentsOfSection(analysis: Analysis, host: unknown, { vantage }: AnalyzeOptions): string[] {
  if (host === null || typeof host !== 'object') return [aboutOf(analysis)];
  const place = vantage ? { vantage: `${vantage.namespace}/${vantage.interface}` } : {};
  return [aboutOf(analysis), ...contextComments({ ...host, ...place })];
}

/**
 * The proving frames of all findings and as few others as make the same findings of them: tries the proof alone with the
 * capture's first and last frame, then more and more around it, then everything.
 * Holds nothing that the filter left out, and needs it no more.
 * @param host the host context as JSON, which is stored in the evidence; null if there is none
 * @throws UserError if not even everything gives the same
 */
export async function evidenceOf(analysis: Analysis, options: AnalyzeOptions, host: unknown): Promise<Evidence> {
  const { findings } = analysis;
  const names = analysis.captures.map(({ name }) => name);
  const proving = commentsOf(findings);
  const { filter, ...unfiltered } = options;
  const { times, ends } = await timesAndEnds(names, filter, proving);
  for (const seconds of [...AROUND, Number.POSITIVE_INFINITY]) {
    const isNear = (capture: number, frame: Frame) =>
      times[capture].some((time) => Math.abs(time - secondsOf(frame)) <= seconds);
    const recorded = await recordedFrames(
      names,
      filter,
      (capture, number, frame) =>
        seconds === Number.POSITIVE_INFINITY ||
        ends[capture].includes(number) ||
        proving.has(`${capture} ${number}`) ||
        (seconds > 0 && isNear(capture, frame)),
    );
    const written = writeRecorded(recorded, proving, commentsOfSection(analysis, host, options));
    // Captures of several places are compared with each other: in one file they would be one capture of several interfaces.
    const parts = names.length === 1 ? [written] : partsOf(recorded).map((part) => writeRecorded(part, new Map(), []));
    const again = await analysisOfBytes(
      parts.map(({ bytes }) => bytes),
      unfiltered,
      names,
    );
    const back = ({ capture, frame }: Finding['evidence'][number]) =>
      `${capture} ${parts[capture].order[frame - 1].number}`;
    if (sameFindings(findings, again.findings, (each) => `${each.capture} ${each.frame}`, back)) {
      const whole = names.length === 1 ? again : await analysisOfBytes([written.bytes], unfiltered);
      return { ...written, recorded, analysis: whole };
    }
  }
  throw new UserError(
    '--evidence',
    'the frames written down alone do not give the same findings',
    'attach the capture itself; it may be damaged',
  );
}

/**
 * Analyses captures that lie in memory.
 * @param names of the captures, under which `options.own` tells what their machines say of themselves; standard input if not given
 */
export async function analysisOfBytes(
  captures: readonly Uint8Array[],
  options: AnalyzeOptions,
  names: readonly string[] = [],
): Promise<Analysis> {
  const analyzer = new Analyzer(options);
  for (const [i, bytes] of captures.entries()) {
    const source = await openCapture('-', { stdin: Readable.from([bytes]) });
    if (i < names.length) source.info.name = names[i];
    await analyzer.read(source);
  }
  return analyzer.analysis();
}

/** What is kept of each capture by itself. */
function partsOf({ frames, interfaces }: Recorded): Recorded[] {
  return interfaces.map((own, i) => ({
    frames: frames.filter(({ capture }) => capture === i).map((frame) => ({ ...frame, capture: 0 })),
    interfaces: [own],
  }));
}

/** Findings about the recording itself (lost frames, damage, a one-sided view) need not hold of a part of it. */
function isAboutFile({ rule }: Finding): boolean {
  return rule.startsWith('capture/');
}

/** Whether both say the same of the network: rule, severity, confidence, subject and proving frames. */
export function sameFindings(
  before: readonly Finding[],
  after: readonly Finding[],
  placeBefore: (evidence: Finding['evidence'][number]) => string,
  placeAfter: (evidence: Finding['evidence'][number]) => string,
  subjectBefore: (subject: Finding['subject']) => Finding['subject'] = (subject) => subject,
): boolean {
  const told = (
    { rule, severity, confidence, evidence }: Finding,
    subject: Finding['subject'],
    place: typeof placeBefore,
  ): string =>
    JSON.stringify([
      rule,
      severity,
      confidence,
      Object.entries(subject).sort(),
      [...new Set(evidence.map(place))].sort(),
    ]);
  const a = before
    .filter((each) => !isAboutFile(each))
    .map((each) => told(each, subjectBefore(each.subject), placeBefore));
  const b = after.filter((each) => !isAboutFile(each)).map((each) => told(each, each.subject, placeAfter));
  return JSON.stringify(a.sort()) === JSON.stringify(b.sort());
}

/** What each proving frame proves, by `<capture> <number>`. */
export function commentsOf(findings: readonly Finding[]): Map<string, string[]> {
  const comments = new Map<string, string[]>();
  for (const { rule, confidence, title, evidence } of findings) {
    for (const { capture, frame, note } of evidence) {
      const key = `${capture} ${frame}`;
      const comment = `${rule} (${confidence}): ${title}${note === '' ? '' : `: ${note}`}`;
      const told = comments.get(key) ?? [];
      if (!told.includes(comment)) comments.set(key, [...told, comment]);
    }
  }
  return comments;
}

function aboutOf({ captures, summary: { error, warning, info } }: Analysis): string {
  const names = captures.map(({ name }) => name.split('/').pop()).join(', ');
  return `Evidence from ${names}: ${counted(error, 'error')}, ${counted(warning, 'warning')}, ${counted(info, 'note')}; packet comments say what each frame proves.`;
}

/** By capture: times of the proving frames, in seconds, and the numbers of its first and last frame. */
async function timesAndEnds(
  names: readonly string[],
  filter: string | undefined,
  proving: ReadonlyMap<string, unknown>,
): Promise<{ times: number[][]; ends: [first: number, last: number][] }> {
  const ends: [number, number][] = names.map(() => [0, 0]);
  const { frames } = await recordedFrames(names, filter, (capture, number) => {
    ends[capture] = [ends[capture][0] || number, number];
    return proving.has(`${capture} ${number}`);
  });
  return { times: names.map((_, i) => frames.filter(({ capture }) => capture === i).map(secondsOf)), ends };
}

function secondsOf({ seconds, nanoseconds }: { seconds: number; nanoseconds: number }): number {
  return seconds + nanoseconds / 1e9;
}
