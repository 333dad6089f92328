import { Analyzer } from '../analyze.js';
import { openCapture } from '../capture/open.js';
import { CaptureError } from '../capture/source.js';
import { fails, showOnly } from '../findings/filter.js';
import type { Analysis } from '../findings/finding.js';
import { loadReporter, wantsFrames } from '../report/reporter.js';
import { type AnalyzeFlags, type AnalyzeSettings, analyzeSettings } from './analyze-settings.js';
import { checkInputs } from './arguments.js';
import { tellError } from './errors.js';
import { provingFrames } from './evidence/proving-frames.js';
import { type CommandIo, Exit } from './io.js';
import { checkOutputs, deliver } from './output-file.js';
import { withStoredContexts } from './stored-context.js';
import { keyboard, wantsTui } from './tui/keyboard.js';

/** `netdiag analyze`: reads the captures, reports, and says by its status what was found. */
export async function runAnalyze(inputs: readonly string[], flags: AnalyzeFlags, io: CommandIo): Promise<number> {
  checkInputs(inputs);
  const settings = withStoredContexts(analyzeSettings(flags, io), inputs);
  checkOutputs({ '--output': flags.output }, [...inputs, flags.context, flags.config], io.cwd);
  const keys = wantsTui(flags, io) ? keyboard() : null;
  if (keys !== null) {
    const { analyzeInTui } = await import('./tui/analyze-tui.js');
    const stopReading = new AbortController();
    const analyzer = new Analyzer({ ...settings.analysis, signal: stopReading.signal });
    const { interrupted, errors } = await analyzeInTui(inputs, analyzer, settings, io, keys, stopReading);
    for (const error of errors) tellError(error, io);
    return interrupted ? Exit.Interrupted : statusOf(analyzer.analysis(), errors.length, settings, io);
  }
  const analyzer = new Analyzer({ ...settings.analysis, signal: io.signal });
  const unreadable = await readAll(inputs, analyzer, settings, io);
  const analysis = analyzer.analysis();
  if (analysis.captures.length > 0) {
    const report = await loadReporter(settings.format);
    const shown = showOnly(analysis, settings.minSeverity, settings.minConfidence);
    const frames = wantsFrames(settings.format) ? { frames: await provingFrames(shown, settings.analysis) } : {};
    const text = report(shown, { ...settings.look, ...frames });
    deliver(text, settings.output, io);
  }
  return statusOf(analysis, unreadable, settings, io);
}

/** Reads one input after the other. Returns how many could not be read at all; they have been told. */
async function readAll(
  inputs: readonly string[],
  analyzer: Analyzer,
  settings: AnalyzeSettings,
  io: CommandIo,
): Promise<number> {
  let unreadable = 0;
  for (const input of inputs) {
    if (io.signal.aborted) break;
    try {
      const source = await openCapture(input, { signal: io.signal });
      // What it measures lines with takes 20 ms to load: only where there is a terminal to draw on.
      const progress = settings.progress ? (await import('./progress.js')).showProgress(source, io.stderr) : null;
      try {
        await analyzer.read(source);
      } finally {
        progress?.stop();
      }
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      if (io.signal.aborted) break;
      tellError(error, io);
      unreadable++;
    }
  }
  return unreadable;
}

/** The worst that happened decides: interrupted, unreadable, readable in part, findings. */
export function statusOf(analysis: Analysis, unreadable: number, { failOn }: AnalyzeSettings, io: CommandIo): number {
  if (io.signal.aborted) return Exit.Interrupted;
  if (unreadable > 0) return Exit.Usage;
  if (analysis.captures.some(({ complete }) => !complete)) return Exit.Partial;
  return failOn !== 'never' && fails(analysis, failOn) ? Exit.Findings : Exit.Ok;
}
