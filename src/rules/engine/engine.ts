import type { Network } from '../../network/network.js';
import type { CaptureFacts, Diagnosis, Handlers, Rule } from '../rule.js';
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

/** Creates the rules and the dispatcher that feeds them; `dispatch` is `generatedDispatcher` but in tests. */
export function startRules(
  rules: readonly Rule[],
  observed: Observed,
  sink: DiagnosisSink,
  dispatch: (rules: readonly Handlers[]) => Dispatcher,
): Dispatcher {
  return dispatch(
    rules.map((rule) =>
      rule.create({
        ...observed,
        report: (diagnosis) => sink.report(rule, diagnosis),
        withdraw: (key) => sink.withdraw(rule, key),
      }),
    ),
  );
}
