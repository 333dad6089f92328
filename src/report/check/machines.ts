import { annotation } from '../github.js';
import { junit } from '../junit.js';
import { type CheckedCapture, type CheckReporter, differenceLines, isGood } from './result.js';

/** A test case for each capture. */
export const checkJunit: CheckReporter = ({ captures }) =>
  junit([
    {
      name: 'netdiag check',
      cases: captures.map((capture) => {
        const text = told(capture).join('\n');
        return {
          name: capture.name,
          className: 'netdiag.check',
          failure: isGood(capture) ? null : { message: text.split('\n')[0], type: 'difference', text },
        };
      }),
    },
  ]);

/** An annotation for each capture that is not as expected, a warning for each stale entry of the baseline. */
export const checkGithub: CheckReporter = ({ captures, stale }) =>
  [
    ...captures
      .filter((each) => !isGood(each))
      .map((each) => annotation('error', each.name, 'not the expected findings', told(each))),
    ...stale.map(({ capture, rule, title }) =>
      annotation('warning', capture, 'stale entry in the baseline', [`${rule}: ${title}`]),
    ),
  ].join('');

function told({ failure, differences }: CheckedCapture): string[] {
  return [...(failure === null ? [] : [failure]), ...differences.flatMap(differenceLines)];
}
