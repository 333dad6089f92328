import type { Once } from './once.js';

/** A diagnosis with those that it explains, its symptoms and theirs. */
export interface Explained extends Once {
  readonly symptoms: Once[];
}

/**
 * Puts symptoms under their causes: of what is returned, nothing is explained by anything else. A cause
 * explains from `likely` on; of two causes for one symptom the one that comes first in `reported` gets
 * it; causes that explain each other stay apart from the first that would close the circle.
 */
export function explain(reported: readonly Once[]): Explained[] {
  const byName = new Map(
    reported.flatMap((each) =>
      [each, ...each.twins].map(({ meta, diagnosis }) => [nameOf(meta.id, diagnosis.key), each] as const),
    ),
  );
  const causes = new Map<Once, Once>();
  const rootOf = (each: Once): Once => {
    let root = each;
    for (let cause = causes.get(root); cause !== undefined; cause = causes.get(root)) root = cause;
    return root;
  };

  for (const cause of reported) {
    if (cause.diagnosis.confidence === 'hint') continue;
    for (const { rule, key } of [cause, ...cause.twins].flatMap(({ diagnosis }) => diagnosis.explains ?? [])) {
      const symptom = byName.get(nameOf(rule, key));
      if (symptom !== undefined && !causes.has(symptom) && rootOf(cause) !== symptom) causes.set(symptom, cause);
    }
  }

  const explained = new Map<Once, Explained>();
  for (const each of reported) if (!causes.has(each)) explained.set(each, { ...each, symptoms: [] });
  for (const symptom of causes.keys()) explained.get(rootOf(symptom))?.symptoms.push(symptom);
  return [...explained.values()];
}

function nameOf(rule: string, key: string): string {
  return `${rule} ${key}`;
}
