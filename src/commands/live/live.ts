import { Analyzer } from '../../analyze.js';
import type { HostFacts } from '../../capture/live/host.js';
import { takeNote } from '../../capture/live/source.js';
import { CaptureError } from '../../capture/source.js';
import { fails, showOnly } from '../../findings/filter.js';
import type { Analysis } from '../../findings/finding.js';
import { contextChanges } from '../../network/context/changes.js';
import { parseContext } from '../../network/context/parse.js';
import { loadReporter } from '../../report/reporter.js';
import { reportEnding } from '../../report/text/report.js';
import { printable } from '../../wire/printable.js';
import { type AnalyzeFlags, type AnalyzeSettings, analyzeSettings } from '../analyze-settings.js';
import { type CommandIo, Exit } from '../io.js';
import { checkOutputs, checkWritable, deliver } from '../output-file.js';
import { keyboard, wantsTui } from '../tui/keyboard.js';
import type { LiveView } from '../tui/live-tui.js';
import { ChangeNotes } from './change-notes.js';
import { type Opened, openLive } from './open.js';
import { type CaptureFlags, captureSettings } from './settings.js';
import { NdjsonTeller, type Teller, TextTeller } from './teller.js';

/** The options of `live` as they were written. */
export type LiveFlags = AnalyzeFlags & CaptureFlags;

/** Milliseconds of asking the machine that need no word. */
const ASKING_MS = 1000;
/** Milliseconds between two looks at what was found: below half a second, so that a proof is told within one. */
const TELL_MS = 400;
const ASKING =
  'asking this machine how it is set up, in all its namespaces (--context <file> spares it); packets wait meanwhile';

/** `netdiag live`: captures until it is told to end, and tells findings as they come. */
export async function runLive(devices: readonly string[], flags: LiveFlags, io: CommandIo): Promise<number> {
  // The source filters, so that what is written is filtered too.
  const { filter: _, ...others } = flags;
  const settings = analyzeSettings(others, io);
  const capture = captureSettings(devices, flags);
  checkOutputs({ '--output': flags.output, '--write': flags.write }, [flags.context, flags.config], io.cwd);
  const ending = new AbortController();
  const end = () => ending.abort();
  io.signal.addEventListener('abort', end, { once: true });
  let view: LiveView | null = null;
  const note = (text: string) => {
    if (view !== null) view.note(text);
    else if (settings.look.detail !== 'quiet') io.stderr.write(`netdiag: ${printable(text)}\n`);
  };
  const asks = settings.progress && settings.analysis.context === null && !devices.includes('-');
  const asking = asks ? setTimeout(() => note(ASKING), ASKING_MS) : undefined;
  const opening = openLive(devices, capture, settings.analysis, note, ending.signal);
  const opened = await opening
    .finally(() => clearTimeout(asking))
    .catch((error) => {
      // Ended before a stream had begun: that nothing came is no fault.
      if (ending.signal.aborted && error instanceof CaptureError) return null;
      throw error;
    });
  if (opened === null) return Exit.Ok;
  const { source, context, vantage, file, watch } = opened;
  if (settings.output !== null) checkWritable(settings.output);
  const analyzer = new Analyzer({ ...settings.analysis, context, vantage, signal: ending.signal });
  // A person at a terminal gets the full-screen view, everybody else lines.
  // Who ended it before it had begun wants neither.
  const isOver = ending.signal.aborted;
  const keys = !isOver && wantsTui(flags, io) ? keyboard() : null;
  let { facts } = opened;
  const stored = () => facts && { ...facts, vantage: vantage && `${vantage.namespace}/${vantage.interface}` };
  if (keys !== null) {
    const { LiveView } = await import('../tui/live-tui.js');
    const isWritten = () => file !== null && file.failure === null;
    const atDeath = () => file?.close();
    const taken = [flags.write, flags.context, flags.config].filter((each) => each !== undefined);
    view = new LiveView({ source, analyzer, settings, io, facts: stored, isWritten, taken, end, atDeath }, keys);
  } else if (!isOver && (settings.progress || settings.look.detail === 'verbose'))
    note(`capturing on ${source.info.name}; Ctrl-C ends it`);
  const changes = new ChangeNotes((line) => {
    takeNote(source.info, line);
    note(line);
  });
  if (watch !== null) {
    watch.onFacts = learning(opened, analyzer, changes, (newer) => {
      facts = newer;
    });
  }
  const teller = keys === null ? tellerFor(settings, io) : null;
  const tell = () => teller?.tell(shown(analyzer, settings));
  await readToEnd({ opened, analyzer, view, changes, tell, end, duration: capture.duration });
  tell();
  await view?.closed;
  const analysis = shown(analyzer, settings);
  if (view === null) await report(analysis, settings, io);
  return statusOf(analysis, file?.failure != null, settings);
}

/** What takes part in a capture while it runs. */
interface Running {
  readonly opened: Opened;
  readonly analyzer: Analyzer;
  readonly view: LiveView | null;
  readonly changes: ChangeNotes;
  /** Tells what was found since it was last called. */
  readonly tell: () => void;
  readonly end: () => void;
  /** Milliseconds after which it ends, null for never. */
  readonly duration: number | null;
}

/** Reads until the end is asked for or comes, and leaves nothing running behind. */
async function readToEnd({ opened, analyzer, view, changes, tell, end, duration }: Running): Promise<void> {
  const { source, file, watch } = opened;
  const timers = [setInterval(tell, TELL_MS)];
  if (duration !== null) timers.push(setTimeout(end, duration));
  try {
    await analyzer.read(file === null ? source : file.writing(source));
    view?.captureEnded();
  } catch (error) {
    view?.close();
    await view?.closed;
    throw error;
  } finally {
    for (const timer of timers) clearInterval(timer);
    watch?.close();
    changes.end();
    file?.close();
  }
}

/** That the user ended it is its usual end, so it is no reason for another status. */
function statusOf(analysis: Analysis, isCut: boolean, { failOn }: AnalyzeSettings): number {
  if (isCut || analysis.captures.some(({ complete }) => !complete)) return Exit.Partial;
  return failOn !== 'never' && fails(analysis, failOn) ? Exit.Findings : Exit.Ok;
}

/** Hands on what the machine says of itself anew, and notes what has changed; `keep` gets all that is known now. */
function learning(
  { context, file }: Opened,
  analyzer: Analyzer,
  changes: ChangeNotes,
  keep: (facts: HostFacts) => void,
): (newer: HostFacts) => void {
  let before = context;
  return (newer) => {
    const now = parseContext(newer);
    if (before) changes.take(contextChanges(before, now));
    before = now;
    keep(newer);
    analyzer.learn(now);
    file?.learn(newer);
  };
}

/** What is told at the end, or all where nothing was told before. */
async function report(analysis: Analysis, settings: AnalyzeSettings, io: CommandIo): Promise<void> {
  const text =
    settings.format === 'text' && settings.output === null
      ? reportEnding(analysis, settings.look)
      : await whole(analysis, settings);
  deliver(text, settings.output, io);
}

function shown(analyzer: Analyzer, { minSeverity, minConfidence }: AnalyzeSettings) {
  return showOnly(analyzer.analysis(), minSeverity, minConfidence);
}

/** The whole report, but of ndjson only its last line where findings were told before. */
async function whole(analysis: Analysis, settings: AnalyzeSettings): Promise<string> {
  const report = await loadReporter(settings.format);
  const isTold = settings.format === 'ndjson' && settings.output === null;
  return report(isTold ? { ...analysis, findings: [] } : analysis, settings.look);
}

/** Formats for documents are written once, at the end. */
function tellerFor(settings: AnalyzeSettings, io: CommandIo): Teller | null {
  if (settings.output !== null) return null;
  if (settings.format === 'ndjson') return new NdjsonTeller(io.stdout);
  return settings.format === 'text' ? new TextTeller(io.stdout, settings.look) : null;
}
