import { randomBytes } from 'node:crypto';
import { arch, platform, release } from 'node:os';
import { resolve } from 'node:path';
import { Analyzer } from '../../analyze.js';
import { isReadableAgain } from '../../capture/open.js';
import { showOnly } from '../../findings/filter.js';
import type { Analysis } from '../../findings/finding.js';
import { version } from '../../package/version.js';
import { loadReporter } from '../../report/reporter.js';
import { fileWord, shellWord } from '../../report/text/shell.js';
import { statusOf } from '../analyze.js';
import { type AnalyzeFlags, type AnalyzeSettings, analyzeSettings } from '../analyze-settings.js';
import { type Anonymized, anonymized } from '../anonymize/anonymize.js';
import { checkInputs, oneOf } from '../arguments.js';
import { UserError } from '../errors.js';
import { type Evidence, evidenceOf } from '../evidence/evidence.js';
import { provingFrames } from '../evidence/proving-frames.js';
import { type CommandIo, Exit } from '../io.js';
import { checkOutputs, deliver, writeWhole } from '../output-file.js';
import { readAll } from '../read-all.js';
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
  const analyzer = new Analyzer({ ...settings.analysis, signal: io.signal });
  const unreadable = await readAll(inputs, io, (source) => analyzer.read(source));
  const analysis = analyzer.analysis();
  if (io.signal.aborted) return Exit.Interrupted;
  if (analysis.captures.length === 0) return Exit.Usage;
  const { evidence, hidden } = await evidenceFor(analysis, flags, settings);
  const reporter = await loadReporter(format);
  const evidenceName = flags.evidence ?? 'evidence.pcapng';
  const told = hidden === null ? analysis : { ...hidden.analysis, captures: named(hidden.analysis, evidenceName) };
  const shown = showOnly(told, settings.minSeverity, settings.minConfidence);
  const text = reporter(shown, {
    ...settings.look,
    frames: await provingFrames(shown, settings.analysis, hidden?.bytes),
    bugReport: {
      host: hostSummary(hidden === null ? settings.hostJson : hidden.context),
      environment: environmentOf(hidden),
      commands: commandsOf(inputs, flags, hidden, evidenceName),
    },
  });
  if (io.signal.aborted) return Exit.Interrupted;
  if (evidence !== null && flags.evidence !== undefined) writeWhole(resolve(io.cwd, flags.evidence), evidence.bytes);
  deliver(text, settings.output, io);
  return statusOf(analysis, unreadable, settings, io);
}

/** What is to be attached, if anything is; `hidden` is the same where it is to tell nothing of whose network it is. */
interface Attachment {
  readonly evidence: Evidence | null;
  readonly hidden: Anonymized | null;
}

/** @throws UserError if the frames written down would not give the same findings */
async function evidenceFor(
  analysis: Analysis,
  { evidence, anonymize = false, anonymizeKey, anonymizeKeepOui = false }: ReportFlags,
  { analysis: options, hostJson }: AnalyzeSettings,
): Promise<Attachment> {
  const isAnonymous = anonymize || anonymizeKey !== undefined || anonymizeKeepOui;
  if (evidence === undefined && !isAnonymous) return { evidence: null, hidden: null };
  const plain = await evidenceOf(analysis, options, hostJson);
  if (!isAnonymous) return { evidence: plain, hidden: null };
  const key = anonymizeKey ?? randomBytes(32).toString('hex');
  const hidden = await anonymized(plain, hostJson, options, { key, keepOui: anonymizeKeepOui });
  return { evidence: hidden, hidden };
}

function environmentOf(hidden: Anonymized | null): string[] {
  return [
    `netdiag ${version()}, Node.js ${process.version}`,
    `${platform()} ${release()} ${arch()} (where the report was made)`,
    ...(hidden === null ? [] : ['addresses and names are anonymized, payloads left out']),
  ];
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

/** The command that finds the same again. */
function commandOf(captures: readonly string[], flags: ReportFlags): string {
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  const options = [
    ...option('--filter', flags.filter),
    ...option('--context', flags.context),
    ...option('--vantage', flags.vantage),
    ...(flags.select ?? []).flatMap((each) => ['--select', each]),
    ...(flags.ignore ?? []).flatMap((each) => ['--ignore', each]),
    ...(flags.vxlanPort ?? []).flatMap((each) => ['--vxlan-port', each]),
    ...option('--config', flags.config),
  ];
  return ['netdiag analyze', ...captures.map(fileWord), ...options.map(shellWord)].join(' ');
}
