import type { OwnContext } from '../analyze.js';
import { MAX_CONTEXT, storedContext } from '../capture/live/stored-context.js';
import { parseContext } from '../network/context/parse.js';
import type { AnalyzeSettings } from './analyze-settings.js';
import { vantageOf } from './arguments.js';

/**
 * What `netdiag live -w` knew of its machine is in the file; what the user gives outweighs it. Each of several files is judged by what its
 * own machine said: together they may say as much as one file may, and those behind are judged by their frames.
 */
export function withStoredContexts(settings: AnalyzeSettings, inputs: readonly string[]): AnalyzeSettings {
  const { analysis } = settings;
  if (inputs.length === 1) return analysis.context ? settings : withStoredContext(settings, inputs[0]);
  const several = { ...analysis, several: true };
  if (analysis.context || analysis.vantage) return { ...settings, analysis: several };
  const own = new Map<string, OwnContext>();
  let room = MAX_CONTEXT;
  for (const input of inputs) {
    const stored = storedContext(input);
    room -= stored?.length ?? 0;
    const told = room < 0 ? null : readOwn(stored);
    if (told) own.set(input, { context: told.context, vantage: told.vantage });
  }
  return { ...settings, analysis: own.size === 0 ? several : { ...several, own } };
}

function withStoredContext(settings: AnalyzeSettings, input: string): AnalyzeSettings {
  const own = readOwn(storedContext(input));
  if (!own) return settings;
  const vantage = settings.analysis.vantage ?? own.vantage;
  return { ...settings, hostJson: own.json, analysis: { ...settings.analysis, context: own.context, vantage } };
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
