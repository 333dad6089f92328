import type { Difference } from '../../findings/compare.js';
import { version } from '../../package/version.js';
import { printable } from '../../wire/printable.js';
import { LEVELS, logOf, uriOf } from '../sarif.js';
import { type CheckedCapture, type CheckReporter, differenceLines } from './result.js';

/** SARIF section 3.27.24: how a result relates to the run before. */
const STATES = { missing: 'absent', unexpected: 'new', changed: 'updated' } as const;
const UNREADABLE = 'netdiag/not-compared';

/** Each difference is a result of its rule; `baselineState` says which way it differs. */
export const checkSarif: CheckReporter = ({ captures }) => {
  const ids = [...new Set([...captures.flatMap(({ differences }) => differences.map(ruleOf)), UNREADABLE])].sort();
  return logOf({
    tool: { driver: { name: 'netdiag', version: version(), rules: ids.map((id) => ({ id })) } },
    artifacts: captures.map(({ name }) => ({ location: { uri: uriOf(name) } })),
    results: captures.flatMap((capture, index) => resultsOf(capture, index, ids)),
  });
};

function resultsOf({ name, failure, differences }: CheckedCapture, index: number, ids: readonly string[]) {
  const locations = [{ physicalLocation: { artifactLocation: { uri: uriOf(name), index } } }];
  const result = (ruleId: string, text: string) => ({
    ruleId,
    ruleIndex: ids.indexOf(ruleId),
    message: { text: printable(text) },
    locations,
  });
  return [
    ...(failure === null ? [] : [{ ...result(UNREADABLE, failure), level: 'error' }]),
    ...differences.map((difference) => ({
      ...result(ruleOf(difference), differenceLines(difference).join(' / ')),
      level: difference.kind === 'missing' ? 'error' : LEVELS[difference.found.severity],
      baselineState: STATES[difference.kind],
      ...(difference.kind !== 'missing' && {
        partialFingerprints: { 'netdiagFinding/v1': difference.found.fingerprint },
      }),
    })),
  ];
}

function ruleOf(difference: Difference): string {
  return difference.kind === 'missing' ? difference.expected.rule : difference.found.rule;
}
