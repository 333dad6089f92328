import { existsSync, readFileSync } from 'node:fs';
import { type AnalyzeOptions, analyze } from './analyze.js';
import { compare, type StatedFinding } from './findings/compare.js';
import { differenceLines } from './report/check/result.js';

export type { StatedFinding } from './findings/compare.js';

/** What a matcher of vitest gives back. */
interface MatcherResult {
  pass: boolean;
  message: () => string;
}

/**
 * A matcher for vitest (or jest): `expect.extend({ toMatchFindings })`, then `await expect('x.pcap').toMatchFindings()`
 * compares what netdiag finds in the capture with `x.expect.json` beside it, or with the findings given. The list is
 * complete: a finding that is not in it fails.
 * @param capture path of a capture
 */
export async function toMatchFindings(
  capture: unknown,
  expected?: readonly StatedFinding[],
  options: AnalyzeOptions = {},
): Promise<MatcherResult> {
  if (typeof capture !== 'string') throw new TypeError('toMatchFindings is for the path of a capture');
  const { findings } = await analyze([capture], options);
  const differences = compare(expected ?? besides(capture), findings);
  return {
    pass: differences.length === 0,
    message: () =>
      differences.length === 0
        ? `${capture} gives exactly the expected findings`
        : [`${capture} does not give the expected findings:`, ...differences.flatMap(differenceLines)].join('\n'),
  };
}

function besides(capture: string): StatedFinding[] {
  const file = `${capture.replace(/\.(pcap|pcapng|cap)(\.gz|\.zst)?$/, '')}.expect.json`;
  if (!existsSync(file)) throw new Error(`${file} is not there: netdiag check --update ${capture} writes it`);
  return JSON.parse(readFileSync(file, 'utf8')).findings;
}

/** How the matcher looks to TypeScript. */
export interface FindingsMatchers {
  toMatchFindings(expected?: readonly StatedFinding[], options?: AnalyzeOptions): Promise<void>;
}
