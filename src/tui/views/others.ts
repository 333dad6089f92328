import { Layout } from '../../report/text/layout.js';
import { clock, counted, elapsed, grouped, protocolInWords } from '../../report/text/words.js';
import { printable } from '../../wire/printable.js';
import { chosenIndex, type Screen, type Snapshot, type State, shownFindings } from '../state.js';
import { clip } from '../text.js';

/** The path of the chosen finding, and who is there, attached how. */
export function topologyLines(
  state: State,
  { analysis, picture: draw }: Snapshot,
  { columns, color }: Screen,
): string[] {
  const layout = new Layout(columns, color);
  const shown = shownFindings(analysis, state.search);
  const finding = shown[chosenIndex(shown, state)];
  const wanted = state.search.toLowerCase();
  const stations = analysis.topology.stations
    .map(({ segment, mac, ips, moreIps, device, frames, modes }) => {
      const where = [...segment.vlans.map((id) => `VLAN ${id}`), ...segment.vnis.map((vni) => `VNI ${vni}`)];
      const addresses = [...ips, ...(moreIps > 0 ? [`and ${moreIps} more`] : [])].join(' ');
      const how = modes.map(({ mode, confidence }) => `${mode} (${confidence})`).join('; ');
      return [
        mac,
        clip(addresses || '-', 16),
        where.join(' ') || '-',
        device ?? '-',
        how || '-',
        counted(frames, 'frame'),
      ]
        .map(printable)
        .join('  ');
    })
    .filter((line) => wanted === '' || finding !== undefined || line.toLowerCase().includes(wanted));
  const picture = finding === undefined ? [] : draw(finding);
  return [
    ...(picture.length > 0
      ? [
          layout.style('bold', clip(printable(finding.title), columns).trimEnd()),
          '',
          ...picture.map((line) => `  ${printable(line)}`),
          '',
        ]
      : []),
    layout.style('bold', counted(stations.length + analysis.topology.moreStations, 'station')),
    ...stations.map((line) => `  ${line}`),
  ].map((line) => (line.includes('\u001b') ? line : clip(line, columns).trimEnd()));
}

/** Notes shown, the latest. */
const NOTES = 12;
const BARS = '▁▂▃▄▅▆▇█';

/** Values as a row of bars, the greatest the highest. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values, 0);
  return values.map((value) => BARS[most === 0 ? 0 : Math.round((value / most) * (BARS.length - 1))]).join('');
}

/** How much there was of what, who sent most, what was lost. */
export function trafficLines(snapshot: Snapshot, { columns, color }: Screen): string[] {
  const { analysis, rates, live } = snapshot;
  const layout = new Layout(columns, color);
  const lines: string[] = [];
  for (const { name, frames, bytes, first, last, dropped, protocols, problems } of analysis.captures) {
    const time = first !== null && last !== null ? ` in ${elapsed(first, last)}` : '';
    lines.push(layout.style('bold', clip(printable(name), columns).trimEnd()));
    lines.push(
      `  ${counted(frames, 'frame')}, ${grouped(bytes)} bytes${time}; ${dropped === null ? 'drops not told' : `${grouped(dropped)} dropped`}`,
    );
    for (const { message } of problems.slice(0, 3))
      lines.push(clip(`  damaged: ${printable(message)}`, columns).trimEnd());
    for (const [protocol, count] of Object.entries(protocols)) {
      const share = frames === 0 ? 0 : count / frames;
      const bar = '█'.repeat(Math.round(share * Math.max(4, Math.min(40, columns - 44))));
      lines.push(
        `  ${clip(protocolInWords(protocol), 16)} ${grouped(count).padStart(12)} ${`${Math.round(share * 100)} %`.padStart(5)} ${bar}`,
      );
    }
    lines.push('');
  }
  const reading = live === null ? 'Frames read a second' : 'Frames a second';
  if (rates.length > 0) {
    const recent = rates.slice(-Math.max(1, columns - 4));
    lines.push(
      layout.style('bold', reading),
      `  ${sparkline(recent)}`,
      `  latest ${grouped(Math.round(recent[recent.length - 1]))}`,
      '',
    );
  }
  if (live !== null) {
    lines.push(live.dropped === null ? '  drops not told' : `  ${grouped(live.dropped)} dropped by the kernel`, '');
    if (live.notes.length > 0) lines.push(layout.style('bold', 'What happened'));
    for (const { time, text } of live.notes.slice(-NOTES))
      lines.push(clip(`  ${clock(time, false)}  ${text}`, columns).trimEnd());
    if (live.notes.length > 0) lines.push('');
  }
  const { stations } = analysis.topology;
  if (stations.length > 0) lines.push(layout.style('bold', 'Who sends most'));
  for (const { mac, ips, frames } of stations.slice(0, 10)) {
    lines.push(`  ${grouped(frames).padStart(12)}  ${mac}  ${printable(ips[0] ?? '')}`);
  }
  return lines;
}

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
