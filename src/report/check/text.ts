import { printable } from '../../wire/printable.js';
import { Layout } from '../text/layout.js';
import { counted } from '../text/words.js';
import { type CheckReporter, differenceLines, isGood } from './result.js';

/** `netdiag check`: only what is not as expected is told at length. */
export const checkText: CheckReporter = ({ captures, stale }, { width, color }) => {
  const layout = new Layout(width, color);
  const bad = captures.filter((each) => !isGood(each));
  const accepted = captures.reduce((total, each) => total + each.accepted, 0);
  const suppressed = captures.flatMap(({ analysis }) => analysis?.suppressed ?? []);
  const reasons = [...new Set(suppressed.map(({ rule, reason }) => `${rule}: ${reason}`))];
  const lines = [
    ...bad.flatMap(({ name, failure, differences }) => [
      layout.style(['bold', 'red'], printable(name)),
      ...(failure === null ? [] : layout.prose(failure, 2)),
      ...differences
        .flatMap(differenceLines)
        .map((line) => `  ${layout.style(line.startsWith('-') ? 'red' : 'green', printable(line))}`),
      '',
    ]),
    ...(stale.length > 0 ? ['The baseline names what is no longer found (--update drops it):'] : []),
    ...stale.map(({ capture, rule, title }) => `  ${printable(`${capture}  ${rule}  ${title}`)}`),
    ...(accepted > 0 ? [`${counted(accepted, 'known finding')} in the baseline.`] : []),
    ...(suppressed.length > 0 ? [`${counted(suppressed.length, 'finding')} suppressed by the configuration:`] : []),
    ...reasons.flatMap((reason) => layout.prose(reason, 2)),
    `${counted(captures.length - bad.length, 'capture')} as expected, ${bad.length} not`,
  ];
  return lines.map((line) => `${line}\n`).join('');
};
