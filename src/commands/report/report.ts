import { arch, platform, release } from 'node:os';
import { resolve } from 'node:path';
import { Analyzer } from '../../analyze.js';
import { openCapture } from '../../capture/open.js';
import { CaptureError } from '../../capture/source.js';
import { showOnly } from '../../findings/filter.js';
import type { Analysis } from '../../findings/finding.js';
import { loadReporter } from '../../report/reporter.js';
import { version } from '../../version.js';
import { type AnalyzeFlags, type AnalyzeSettings, analyzeSettings } from '../analyze-settings.js';
import { oneOf } from '../arguments.js';
import { tellError, UserError } from '../errors.js';
import { evidenceOf } from '../evidence/evidence.js';
import { provingFrames } from '../evidence/proving-frames.js';
import { type CommandIo, Exit } from '../io.js';
import { readJson } from '../json-file.js';
import { writeWhole } from '../output-file.js';
import { hostSummary } from './host.js';

/** The options of `report` as they were written. */
export interface ReportFlags extends AnalyzeFlags {
  evidence?: string;
}

/** `netdiag report`: what one attaches to a bug report. Its status says whether it could be written, not what was found. */
export async function runReport(inputs: readonly string[], flags: ReportFlags, io: CommandIo): Promise<number> {
  const format = oneOf('--format', flags.format ?? 'markdown', ['markdown', 'html'] as const);
  const settings = analyzeSettings({ ...flags, format }, io);
  if (inputs.includes('-')) throw new UserError('-', 'standard input cannot be read twice', 'save it to a file first');
  const { analysis, unreadable } = await analysisOf(inputs, settings, io);
  if (analysis.captures.length === 0) return Exit.Usage;
  const shown = showOnly(analysis, settings.minSeverity, settings.minConfidence);
  const evidence = flags.evidence === undefined ? null : await evidenceOf(analysis, settings.analysis);
  const reporter = await loadReporter(format);
  const text = reporter(shown, {
    ...settings.look,
    frames: await provingFrames(shown, settings.analysis),
    bugReport: {
      host: flags.context === undefined ? [] : hostSummary(readJson(resolve(io.cwd, flags.context), flags.context)),
      environment: [
        `netdiag ${version()}, Node.js ${process.version}`,
        `${platform()} ${release()} ${arch()} (where the report was made)`,
      ],
      commands: [commandOf(inputs, flags), ...(evidence === null ? [] : [commandOf([flags.evidence ?? ''], flags)])],
    },
  });
  if (evidence !== null) writeWhole(resolve(io.cwd, flags.evidence ?? ''), evidence.bytes);
  if (settings.output === null) io.stdout.write(text);
  else writeWhole(settings.output, text);
  return unreadable > 0 ? Exit.Usage : analysis.captures.every(({ complete }) => complete) ? Exit.Ok : Exit.Partial;
}

async function analysisOf(
  inputs: readonly string[],
  settings: AnalyzeSettings,
  io: CommandIo,
): Promise<{ analysis: Analysis; unreadable: number }> {
  const analyzer = new Analyzer({ ...settings.analysis, signal: io.signal });
  let unreadable = 0;
  for (const input of inputs) {
    try {
      await analyzer.read(await openCapture(input, { signal: io.signal }));
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      tellError(error, io);
      unreadable++;
    }
  }
  return { analysis: analyzer.analysis(), unreadable };
}

/** The command that finds the same again. */
function commandOf(captures: readonly string[], flags: ReportFlags): string {
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  const words = [
    ...captures,
    ...option('--context', flags.context),
    ...option('--vantage', flags.vantage),
    ...(flags.select ?? []).flatMap((each) => ['--select', each]),
    ...(flags.ignore ?? []).flatMap((each) => ['--ignore', each]),
    ...(flags.vxlanPort ?? []).flatMap((each) => ['--vxlan-port', each]),
    ...option('--config', flags.config),
  ];
  return ['netdiag analyze', ...words.map(quoted)].join(' ');
}

/** A word as a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
