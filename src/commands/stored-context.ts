import { storedContext } from '../capture/live/stored-context.js';
import { parseContext } from '../network/context/parse.js';
import type { AnalyzeSettings } from './analyze-settings.js';
import { vantageOf } from './arguments.js';

/** What `netdiag live -w` knew of its machine is in the file; what the user gives outweighs it. */
export function withStoredContext(settings: AnalyzeSettings, inputs: readonly string[]): AnalyzeSettings {
  if (inputs.length !== 1) return { ...settings, analysis: { ...settings.analysis, several: true } };
  if (settings.analysis.context) return settings;
  const stored = storedContext(inputs[0]);
  if (stored === null) return settings;
  try {
    const context = parseContext(stored);
    const told = (stored as { vantage?: unknown }).vantage;
    const vantage = typeof told === 'string' ? vantageOf('vantage', told) : null;
    return {
      ...settings,
      hostJson: stored,
      analysis: { ...settings.analysis, context, vantage: settings.analysis.vantage ?? vantage },
    };
  } catch {
    // Whoever wrote that comment was not netdiag: the frames speak for themselves.
    return settings;
  }
}
