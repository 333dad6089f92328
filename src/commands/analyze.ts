import type { ReadStream } from 'node:tty';
import { Analyzer } from '../analyze.js';
import type { CaptureSource } from '../capture/source.js';
import { fails, showOnly } from '../findings/filter.js';
import type { Analysis } from '../findings/finding.js';
import { loadReporter, wantsFrames } from '../report/reporter.js';
import { type AnalyzeFlags, type AnalyzeSettings, analyzeSettings } from './analyze-settings.js';
import { checkInputs } from './arguments.js';
import { tellError } from './errors.js';
import { provingFrames } from './evidence/proving-frames.js';
import { type CommandIo, Exit } from './io.js';
import { checkOutputs, deliver } from './output-file.js';
import { readAll } from './read-all.js';
import { withStoredContexts } from './stored-context.js';
import { keyboard, wantsTui } from './tui/keyboard.js';

/** `netdiag analyze`: reads the captures, reports, and says by its status what was found. */
export async function runAnalyze(inputs: readonly string[], flags: AnalyzeFlags, io: CommandIo): Promise<number> {
  checkInputs(inputs);
  const settings = withStoredContexts(analyzeSettings(flags, io), inputs);
  checkOutputs({ '--output': flags.output }, [...inputs, flags.context, flags.config], io.cwd);
  const keys = wantsTui(flags, io) ? keyboard() : null;
  return keys === null ? printed(inputs, settings, io) : onScreen(inputs, settings, io, keys);
}

async function onScreen(
  inputs: readonly string[],
  settings: AnalyzeSettings,
  io: CommandIo,
  keys: ReadStream,
): Promise<number> {
  const { analyzeInTui } = await import('./tui/analyze-tui.js');
  const stopReading = new AbortController();
  const analyzer = new Analyzer({ ...settings.analysis, signal: stopReading.signal });
  const { interrupted, errors } = await analyzeInTui(inputs, analyzer, settings, io, keys, stopReading);
  for (const error of errors) tellError(error, io);
  return interrupted ? Exit.Interrupted : statusOf(analyzer.analysis(), errors.length, settings, io);
}

async function printed(inputs: readonly string[], settings: AnalyzeSettings, io: CommandIo): Promise<number> {
  const analyzer = new Analyzer({ ...settings.analysis, signal: io.signal });
  const unreadable = await readAll(inputs, io, (source) => readShowingProgress(source, analyzer, settings, io));
  const analysis = analyzer.analysis();
  if (analysis.captures.length > 0) {
    const report = await loadReporter(settings.format);
    const shown = showOnly(analysis, settings.minSeverity, settings.minConfidence);
    const frames = wantsFrames(settings.format) ? { frames: await provingFrames(shown, settings.analysis) } : {};
    deliver(report(shown, { ...settings.look, ...frames }), settings.output, io);
  }
  return statusOf(analysis, unreadable, settings, io);
}

async function readShowingProgress(
  source: CaptureSource,
  analyzer: Analyzer,
  { progress: isShown }: AnalyzeSettings,
  { stderr }: CommandIo,
): Promise<void> {
  // What it measures lines with takes 20 ms to load: only where there is a terminal to draw on.
  const progress = isShown ? (await import('./progress.js')).showProgress(source, stderr) : null;
  try {
    await analyzer.read(source);
  } finally {
    progress?.stop();
  }
}

/** The worst that happened decides: interrupted, unreadable, readable in part, findings. */
export function statusOf(analysis: Analysis, unreadable: number, { failOn }: AnalyzeSettings, io: CommandIo): number {
  if (io.signal.aborted) return Exit.Interrupted;
  if (unreadable > 0) return Exit.Usage;
  if (analysis.captures.some(({ complete }) => !complete)) return Exit.Partial;
  return failOn !== 'never' && fails(analysis, failOn) ? Exit.Findings : Exit.Ok;
}
