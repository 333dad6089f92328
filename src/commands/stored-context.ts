import type { OwnContext } from '../analyze.js';
import { storedContext } from '../capture/live/stored-context.js';
import { parseContext } from '../network/context/parse.js';
import type { AnalyzeSettings } from './analyze-settings.js';
import { vantageOf } from './arguments.js';

/** What `netdiag live -w` knew of its machine is in the file; what the user gives outweighs it. */
export function withStoredContext(settings: AnalyzeSettings, inputs: readonly string[]): AnalyzeSettings {
  if (inputs.length !== 1) return { ...settings, analysis: { ...settings.analysis, several: true } };
  if (settings.analysis.context) return settings;
  const stored = storedContext(inputs[0]);
  const own = stored === null ? null : readOwn(stored);
  if (!own) return settings;
  const { context } = own;
  const vantage = settings.analysis.vantage ?? own.vantage;
  return { ...settings, hostJson: stored, analysis: { ...settings.analysis, context, vantage } };
}

/** As `withStoredContext`, where each of several files is judged by what its own machine said. */
export function withStoredContexts(settings: AnalyzeSettings, inputs: readonly string[]): AnalyzeSettings {
  const usual = withStoredContext(settings, inputs);
  const { context, vantage } = settings.analysis;
  if (inputs.length < 2 || context || vantage) return usual;
  const own = new Map<string, OwnContext>();
  for (const input of inputs) {
    const stored = storedContext(input);
    const told = stored === null ? null : readOwn(stored);
    if (told) own.set(input, told);
  }
  return own.size === 0 ? usual : { ...usual, analysis: { ...usual.analysis, own } };
}

/** Null where whoever wrote that comment was not netdiag: the frames speak for themselves. */
function readOwn(stored: unknown): OwnContext | null {
  try {
    const context = parseContext(stored);
    const told = (stored as { vantage?: unknown }).vantage;
    return { context, vantage: typeof told === 'string' ? vantageOf('vantage', told) : null };
  } catch {
    return null;
  }
}
