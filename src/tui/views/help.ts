import { Layout } from '../../report/text/layout.js';
import type { Screen } from '../state.js';
import { clip } from '../text.js';

const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ['1 2 3 4 Tab', 'Findings, Frames, Topology, Traffic; Tab goes to the next'],
  ['j k ↓ ↑', 'down, up'],
  ['g G Home End', 'to the first, to the last; live, the frames then follow the latest'],
  ['Ctrl-D Ctrl-U', 'scroll: the text of a finding, half a page elsewhere'],
  ['Enter', 'a finding: its first frame; a frame: its headers and bytes'],
  ['Esc', 'back; ends a search'],
  ['/', 'search: text, rule, address, "vlan 100", "vni 5"'],
  ['n N', 'the next finding or frame that matches, the one before'],
  ['y', 'copy the cure (over OSC 52: the terminal must allow it)'],
  ['e', 'export a report: .json, .md, .html, .sarif, else text'],
  ['p', 'live: let the view stand still, and go on; the capture goes on all the time'],
  ['w', 'live: write the frames that are kept as pcapng'],
  ['q', 'quit; Ctrl-C at once'],
  ['Ctrl-Z', 'to the shell; fg comes back'],
];

/** What stands in front of the words about a key. */
const KEY_COLUMNS = 18;

/** The keys, and what the words mean. */
export function helpLines({ columns, color }: Screen): string[] {
  const layout = new Layout(columns, color);
  return [
    ...KEYS.flatMap(([keys, does]) =>
      layout
        .lines(does, Math.max(1, columns - KEY_COLUMNS))
        .map((line, i) => `  ${i === 0 ? layout.style('bold', clip(keys, 15)) : ' '.repeat(15)} ${line}`),
    ),
    '',
    ...layout
      .lines(
        'certain: the bytes, and the host context if given, leave no other explanation. likely: one common cause, the known innocent ones excluded. hint: it fits; "Surer with" says what would tell.',
        Math.min(columns, layout.width) - 2,
      )
      .map((line) => `  ${line}`),
  ];
}
