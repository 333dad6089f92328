import type { Reported } from './collector.js';

/** A diagnosis with those that it explains, its symptoms and theirs. */
export interface Explained extends Reported {
  readonly symptoms: Reported[];
}

/**
 * Puts symptoms under their causes: of what is returned, nothing is explained by anything else. A cause
 * explains from `likely` on; of two causes for one symptom the one that comes first in `reported` gets
 * it; causes that explain each other stay apart from the first that would close the circle.
 */
export function explain(reported: readonly Reported[]): Explained[] {
  const byName = new Map(reported.map((each) => [nameOf(each.meta.id, each.diagnosis.key), each]));
  const causes = new Map<Reported, Reported>();
  const rootOf = (each: Reported): Reported => {
    let root = each;
    for (let cause = causes.get(root); cause !== undefined; cause = causes.get(root)) root = cause;
    return root;
  };

  for (const cause of reported) {
    if (cause.diagnosis.confidence === 'hint') continue;
    for (const { rule, key } of cause.diagnosis.explains ?? []) {
      const symptom = byName.get(nameOf(rule, key));
      if (symptom !== undefined && !causes.has(symptom) && rootOf(cause) !== symptom) causes.set(symptom, cause);
    }
  }

  const explained = new Map<Reported, Explained>();
  for (const each of reported) if (!causes.has(each)) explained.set(each, { ...each, symptoms: [] });
  for (const symptom of causes.keys()) explained.get(rootOf(symptom))?.symptoms.push(symptom);
  return [...explained.values()];
}

function nameOf(rule: string, key: string): string {
  return `${rule} ${key}`;
}
