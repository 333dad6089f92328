import { resolve } from 'node:path';
import type { AnalyzeOptions, Vantage } from '../analyze.js';
import { checkFilter } from '../capture/filter/filtered.js';
import { CONFIDENCES, SEVERITIES } from '../findings/rank.js';
import { ContextError } from '../network/context/error.js';
import type { HostContext } from '../network/context/host-context.js';
import { parseContext } from '../network/context/parse.js';
import { resolveVantage } from '../network/context/vantage.js';
import type { ReportOptions } from '../report/options.js';
import { FORMATS, type Format } from '../report/reporter.js';
import type { Confidence, Severity } from '../rules/rule.js';
import { listOf, oneOf, portOption, vantageOf } from './arguments.js';
import { loadConfig } from './config.js';
import { UserError } from './errors.js';
import type { CommandIo } from './io.js';
import { readJson } from './json-file.js';
import { rulesNamed } from './rule-names.js';
import { terminalColor, terminalWidth } from './terminal.js';

/** The options of `analyze` as they were written. */
export interface AnalyzeFlags {
  /** False for `--no-tui`. */
  tui?: boolean;
  filter?: string;
  format?: string;
  output?: string;
  select?: string[];
  ignore?: string[];
  minSeverity?: string;
  minConfidence?: string;
  failOn?: string;
  context?: string;
  vantage?: string;
  vxlanPort?: string[];
  color?: string;
  quiet?: boolean;
  verbose?: boolean;
  config?: string;
}

/** What they mean, together with the configuration. */
export interface AnalyzeSettings {
  analysis: AnalyzeOptions;
  /** The host context as JSON, as it was given or lay in the capture; null if there is none. */
  hostJson: unknown;
  format: Format;
  /** File to write to, null for standard output. */
  output: string | null;
  minSeverity: Severity;
  minConfidence: Confidence;
  failOn: Severity | 'never';
  look: ReportOptions;
  progress: boolean;
}

/**
 * @throws UserError for the first option or configuration key that makes no sense
 * @throws FilterError for such a filter
 */
export function analyzeSettings(flags: AnalyzeFlags, io: CommandIo): AnalyzeSettings {
  const config = loadConfig(flags.config, io.cwd);
  const select = ruleList('--select', flags.select);
  if (flags.select !== undefined && select.length === 0)
    throw new UserError('--select', 'names no rule', 'see netdiag rules');
  const hostJson = flags.context === undefined ? null : readJson(resolve(io.cwd, flags.context), flags.context);
  const context = flags.context === undefined ? null : inContext(flags.context, () => parseContext(hostJson));
  if (flags.filter !== undefined) checkFilter(flags.filter);
  if (flags.quiet && flags.verbose) throw new UserError('--quiet', 'contradicts --verbose', 'give one of them');
  return {
    analysis: {
      select: select.length > 0 ? select : config.select,
      ignore: [...config.ignore, ...ruleList('--ignore', flags.ignore)],
      severity: config.severity,
      thresholds: config.thresholds,
      suppressions: config.suppressions,
      filter: flags.filter,
      vxlanPorts: [...config.vxlanPorts, ...portOption('--vxlan-port', flags.vxlanPort)],
      context,
      vantage: flags.vantage === undefined ? null : readVantage('--vantage', flags.vantage, context),
    },
    hostJson,
    format: oneOf('--format', flags.format ?? 'text', FORMATS),
    output: flags.output === undefined ? null : resolve(io.cwd, flags.output),
    minSeverity: oneOf('--min-severity', flags.minSeverity ?? 'info', SEVERITIES),
    minConfidence: oneOf('--min-confidence', flags.minConfidence ?? 'hint', CONFIDENCES),
    failOn: oneOf('--fail-on', flags.failOn ?? 'warning', [...SEVERITIES, 'never'] as const),
    look: {
      width: terminalWidth(io),
      color: terminalColor(flags.color, io, flags.output === undefined),
      detail: detailOf(flags),
    },
    progress: io.stderr.isTTY === true && !flags.quiet,
  };
}

function detailOf({ quiet, verbose }: AnalyzeFlags): ReportOptions['detail'] {
  if (quiet) return 'quiet';
  return verbose ? 'verbose' : 'normal';
}

function ruleList(option: string, words: readonly string[] | undefined): string[] {
  const patterns = listOf(words);
  for (const pattern of patterns) rulesNamed(pattern, option);
  return patterns;
}

export function readContext(file: string, io: CommandIo): HostContext {
  return inContext(file, () => parseContext(readJson(resolve(io.cwd, file), file)));
}

/**
 * With a host context, the place must be one of its devices.
 * @param subject the option, or the file and key, that names it
 */
export function readVantage(subject: string, text: string, context: HostContext | null): Vantage {
  const vantage = vantageOf(subject, text);
  if (context !== null) inContext(subject, () => resolveVantage(context, text));
  return vantage;
}

/** What `read` gives; what it finds wrong with a host context is told of `subject`. */
function inContext<T>(subject: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ContextError ? new UserError(subject, error.message, error.advice) : error;
  }
}
