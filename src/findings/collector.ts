import type { DiagnosisSink } from '../rules/engine/engine.js';
import type { Diagnosis, Rule, RuleId, RuleMeta } from '../rules/rule.js';

/** Diagnoses kept of one rule at most: what hostile input can make a rule say must not fill the memory. */
export const MAX_PER_RULE = 1000;

/** A diagnosis and the rule that made it. */
export interface Reported {
  readonly meta: RuleMeta;
  readonly diagnosis: Diagnosis;
}

/** Keeps what rules report, one diagnosis for each rule and key: the last. */
export class Collector implements DiagnosisSink {
  readonly #byRule = new Map<RuleId, { meta: RuleMeta; byKey: Map<string, Diagnosis>; refused: number }>();

  report({ meta }: Rule, diagnosis: Diagnosis): void {
    let kept = this.#byRule.get(meta.id);
    if (kept === undefined) {
      kept = { meta, byKey: new Map(), refused: 0 };
      this.#byRule.set(meta.id, kept);
    }
    if (kept.byKey.size === MAX_PER_RULE && !kept.byKey.has(diagnosis.key)) kept.refused++;
    else kept.byKey.set(diagnosis.key, diagnosis);
  }

  withdraw({ meta }: Rule, key: string): void {
    this.#byRule.get(meta.id)?.byKey.delete(key);
  }

  /** Everything that was reported and not withdrawn. */
  all(): Reported[] {
    return [...this.#byRule.values()].flatMap(({ meta, byKey }) =>
      [...byKey.values()].map((diagnosis) => ({ meta, diagnosis })),
    );
  }

  /** How many reports of this rule were not kept because it had `MAX_PER_RULE` already. */
  refused(rule: RuleId): number {
    return this.#byRule.get(rule)?.refused ?? 0;
  }
}
