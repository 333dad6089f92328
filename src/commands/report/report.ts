import { randomBytes } from 'node:crypto';
import { arch, platform, release } from 'node:os';
import { resolve } from 'node:path';
import { Analyzer } from '../../analyze.js';
import { isReadableAgain, openCapture } from '../../capture/open.js';
import { CaptureError } from '../../capture/source.js';
import { showOnly } from '../../findings/filter.js';
import type { Analysis } from '../../findings/finding.js';
import { version } from '../../package/version.js';
import { loadReporter } from '../../report/reporter.js';
import { statusOf } from '../analyze.js';
import { type AnalyzeFlags, type AnalyzeSettings, analyzeSettings } from '../analyze-settings.js';
import { type Anonymized, anonymized } from '../anonymize/anonymize.js';
import { checkInputs, oneOf } from '../arguments.js';
import { tellError, UserError } from '../errors.js';
import { evidenceOf } from '../evidence/evidence.js';
import { provingFrames } from '../evidence/proving-frames.js';
import { type CommandIo, Exit } from '../io.js';
import { checkOutputs, deliver, writeWhole } from '../output-file.js';
import { withStoredContexts } from '../stored-context.js';
import { hostSummary } from './host.js';

/** The options of `report` as they were written. */
export interface ReportFlags extends AnalyzeFlags {
  evidence?: string;
  anonymize?: boolean;
  anonymizeKey?: string;
  anonymizeKeepOui?: boolean;
}

/**
 * `netdiag report`: what one attaches to a bug report. Its status says whether it could be written, and what was found only if
 * it is asked to; half of it is never written.
 */
export async function runReport(inputs: readonly string[], flags: ReportFlags, io: CommandIo): Promise<number> {
  const format = oneOf('--format', flags.format ?? 'markdown', ['markdown', 'html'] as const);
  const settings = withStoredContexts(analyzeSettings({ failOn: 'never', ...flags, format }, io), inputs);
  const outputs = { '--output': flags.output, '--evidence': flags.evidence };
  checkOutputs(outputs, [...inputs, flags.context, flags.config], io.cwd);
  checkInputs(inputs);
  const once = inputs.find((input) => !isReadableAgain(input));
  if (once !== undefined) throw new UserError(once, 'cannot be read twice', 'save it to a file first');
  const { analysis, unreadable } = await analysisOf(inputs, settings, io);
  if (io.signal.aborted) return Exit.Interrupted;
  if (analysis.captures.length === 0) return Exit.Usage;
  const { hostJson } = settings;
  const isAnonymous = flags.anonymize === true || flags.anonymizeKey !== undefined || flags.anonymizeKeepOui === true;
  const plain =
    flags.evidence === undefined && !isAnonymous ? null : await evidenceOf(analysis, settings.analysis, hostJson);
  const hidden =
    plain !== null && isAnonymous
      ? await anonymized(plain, hostJson, settings.analysis, {
          key: flags.anonymizeKey ?? randomBytes(32).toString('hex'),
          keepOui: flags.anonymizeKeepOui === true,
        })
      : null;
  const evidence = hidden ?? plain;
  const reporter = await loadReporter(format);
  const evidenceName = flags.evidence ?? 'evidence.pcapng';
  const told = hidden === null ? analysis : { ...hidden.analysis, captures: named(hidden.analysis, evidenceName) };
  const shown = showOnly(told, settings.minSeverity, settings.minConfidence);
  const frames =
    hidden === null
      ? await provingFrames(shown, settings.analysis)
      : await provingFrames({ ...shown, captures: told.captures }, settings.analysis, hidden.bytes);
  const text = reporter(shown, {
    ...settings.look,
    frames,
    bugReport: {
      host: hostSummary(hidden === null ? hostJson : hidden.context),
      environment: [
        `netdiag ${version()}, Node.js ${process.version}`,
        `${platform()} ${release()} ${arch()} (where the report was made)`,
        ...(hidden === null ? [] : ['addresses and names are anonymized, payloads left out']),
      ],
      commands: commandsOf(inputs, flags, hidden, evidenceName),
    },
  });
  if (io.signal.aborted) return Exit.Interrupted;
  if (evidence !== null && flags.evidence !== undefined) writeWhole(resolve(io.cwd, flags.evidence), evidence.bytes);
  deliver(text, settings.output, io);
  return statusOf(analysis, unreadable, settings, io);
}

function named({ captures }: Analysis, name: string): Analysis['captures'] {
  return captures.map((each) => ({ ...each, name }));
}

/** Commands that find the same again; the evidence holds its host context in itself, and only what a filter let through. */
function commandsOf(
  inputs: readonly string[],
  flags: ReportFlags,
  hidden: Anonymized | null,
  evidenceName: string,
): string[] {
  const { filter, context, vantage, config, ...others } = flags;
  const held = context === undefined && vantage !== undefined ? { vantage } : {};
  if (hidden === null) {
    const again = commandOf([evidenceName], { ...others, ...held, ...(config !== undefined && { config }) });
    return [commandOf(inputs, flags), ...(flags.evidence === undefined ? [] : [again])];
  }
  const place = hidden.context === null ? hidden.options.vantage : null;
  return [commandOf([evidenceName], { ...others, ...(place && { vantage: `${place.namespace}/${place.interface}` }) })];
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
      if (io.signal.aborted) break;
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
    ...option('--filter', flags.filter),
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
