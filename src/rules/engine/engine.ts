import type { Network } from '../../network/network.js';
import { type NetworkSettings, OWN_SETTINGS } from '../../network/settings.js';
import type { CaptureFacts, Diagnosis, Handlers, Rule, RuleId } from '../rule.js';
import type { Dispatcher } from './dispatch.js';

/** Where the rules' reports go. */
export interface DiagnosisSink {
  report(rule: Rule, diagnosis: Diagnosis): void;
  withdraw(rule: Rule, key: string): void;
}

/** What rules look at. */
export interface Observed {
  readonly network: Network;
  readonly captures: readonly CaptureFacts[];
}

/** Thresholds instead of the rules' own, by rule and name. */
export type ThresholdValues = { readonly [rule: RuleId]: { readonly [name: string]: number } };

/** What a rule goes by: its own thresholds, but for those that are given. */
function thresholdsOf({ meta }: Rule, given: ThresholdValues): { [name: string]: number } {
  const own = Object.entries(meta.thresholds ?? {}).map(([name, { value }]) => [name, value]);
  return { ...Object.fromEntries(own), ...given[meta.id] };
}

/** What the tables of the network go by: thresholds of rules that decide there. */
export function settingsOf(rules: readonly Rule[], given: ThresholdValues): NetworkSettings {
  const settings: { -readonly [name in keyof NetworkSettings]: number } = { ...OWN_SETTINGS };
  for (const { meta } of rules)
    for (const [name, { setting }] of Object.entries(meta.thresholds ?? {})) {
      const value = given[meta.id]?.[name];
      if (setting !== undefined && value !== undefined) settings[setting] = value;
    }
  return settings;
}

/** Creates the rules and the dispatcher that feeds them; `dispatch` is `generatedDispatcher` but in tests. */
export function startRules(
  rules: readonly Rule[],
  observed: Observed,
  sink: DiagnosisSink,
  dispatch: (rules: readonly Handlers[]) => Dispatcher,
  thresholds: ThresholdValues = {},
): Dispatcher {
  return dispatch(
    rules.map((rule) =>
      rule.create({
        ...observed,
        thresholds: thresholdsOf(rule, thresholds),
        report: (diagnosis) => sink.report(rule, diagnosis),
        withdraw: (key) => sink.withdraw(rule, key),
      }),
    ),
  );
}
