import type { OwnContext } from '../analyze.js';
import { MAX_CONTEXT, storedContext } from '../capture/live/stored-context.js';
import { parseContext } from '../network/context/parse.js';
import type { AnalyzeSettings } from './analyze-settings.js';
import { vantageOf } from './arguments.js';

/** What `netdiag live -w` knew of its machine is in the file; what the user gives outweighs it. */
export function withStoredContext(settings: AnalyzeSettings, inputs: readonly string[]): AnalyzeSettings {
  if (inputs.length !== 1) return { ...settings, analysis: { ...settings.analysis, several: true } };
  if (settings.analysis.context) return settings;
  const own = readOwn(storedContext(inputs[0]));
  if (!own) return settings;
  const { context, json } = own;
  const vantage = settings.analysis.vantage ?? own.vantage;
  return { ...settings, hostJson: json, analysis: { ...settings.analysis, context, vantage } };
}

/**
 * As `withStoredContext`, where each of several files is judged by what its own machine said. Together they may say as much as one file
 * may; those behind are judged by their frames.
 */
export function withStoredContexts(settings: AnalyzeSettings, inputs: readonly string[]): AnalyzeSettings {
  const usual = withStoredContext(settings, inputs);
  const { context, vantage } = settings.analysis;
  if (inputs.length < 2 || context || vantage) return usual;
  const own = new Map<string, OwnContext>();
  let room = MAX_CONTEXT;
  for (const input of inputs) {
    const stored = storedContext(input);
    room -= stored?.length ?? 0;
    const told = room < 0 ? null : readOwn(stored);
    if (told) own.set(input, { context: told.context, vantage: told.vantage });
  }
  return own.size === 0 ? usual : { ...usual, analysis: { ...usual.analysis, own } };
}

/** Null where there is none, or whoever wrote that comment was not netdiag: the frames speak for themselves. */
function readOwn(stored: string | null): (OwnContext & { readonly json: unknown }) | null {
  if (stored === null) return null;
  try {
    const json: unknown = JSON.parse(stored);
    const context = parseContext(json);
    const told = (json as { vantage?: unknown }).vantage;
    return { context, json, vantage: typeof told === 'string' ? vantageOf('vantage', told) : null };
  } catch {
    return null;
  }
}
