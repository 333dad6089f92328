import type { Analysis, CaptureReport } from '../../findings/finding.js';
import type { StationView } from '../../findings/topology/station-view.js';
import { Layout } from '../../report/text/layout.js';
import { clock, counted, elapsed, grouped, protocolInWords } from '../../report/text/words.js';
import { printable } from '../../wire/printable.js';
import type { Screen, Snapshot } from '../state.js';
import { clip } from '../text.js';

/** Notes shown, the latest. */
const NOTES = 12;
/** Problems of one capture, and stations, that are shown. */
const PROBLEMS = 3;
const STATIONS = 10;
const BARS = '▁▂▃▄▅▆▇█';

/** Values as a row of bars, the greatest the highest. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values, 0);
  return values.map((value) => BARS[most === 0 ? 0 : Math.round((value / most) * (BARS.length - 1))]).join('');
}

/** How much there was of what, who sent most, what was lost. */
export function trafficLines({ analysis, rates, live }: Snapshot, { columns, color }: Screen): string[] {
  const layout = new Layout(columns, color);
  return [
    ...analysis.captures.flatMap((capture) => captureLines(capture, columns, layout)),
    ...rateLines(rates, live === null ? 'Frames read a second' : 'Frames a second', columns, layout),
    ...(live === null ? [] : liveLines(live, columns, layout)),
    ...senderLines(analysis.topology, layout),
  ];
}

function captureLines(capture: CaptureReport, columns: number, layout: Layout): string[] {
  const { name, format, frames, bytes, first, last, dropped, protocols, problems } = capture;
  const time = first !== null && last !== null ? ` in ${elapsed(first, last)}` : '';
  const drops = dropped === null ? 'drops not told' : `${grouped(dropped)} dropped`;
  return [
    layout.style('bold', clip(printable(name), columns).trimEnd()),
    `  ${counted(frames, 'frame')}, ${grouped(bytes)} bytes${time}; ${drops}`,
    ...problems
      .slice(0, PROBLEMS)
      .map(({ message }) => clip(`  ${format === 'text' ? '' : 'damaged: '}${printable(message)}`, columns).trimEnd()),
    ...Object.entries(protocols).map(([protocol, count]) => protocolLine(protocol, count, frames, columns)),
    '',
  ];
}

/** `  ARP                        12    40 % ████████` */
function protocolLine(protocol: string, count: number, frames: number, columns: number): string {
  const share = frames === 0 ? 0 : count / frames;
  const bar = '█'.repeat(Math.round(share * Math.max(4, Math.min(40, columns - 44))));
  const percent = `${Math.round(share * 100)} %`;
  return `  ${clip(protocolInWords(protocol), 16)} ${grouped(count).padStart(12)} ${percent.padStart(5)} ${bar}`;
}

function rateLines(rates: readonly number[], heading: string, columns: number, layout: Layout): string[] {
  if (rates.length === 0) return [];
  const recent = rates.slice(-Math.max(1, columns - 4));
  const latest = grouped(Math.round(recent[recent.length - 1]));
  return [layout.style('bold', heading), `  ${sparkline(recent)}`, `  latest ${latest}`, ''];
}

function liveLines({ dropped, notes }: NonNullable<Snapshot['live']>, columns: number, layout: Layout): string[] {
  const drops = [dropped === null ? '  drops not told' : `  ${grouped(dropped)} dropped by the kernel`, ''];
  if (notes.length === 0) return drops;
  const lines = notes
    .slice(-NOTES)
    .map(({ time, text }) => clip(`  ${clock(time, false)}  ${text}`, columns).trimEnd());
  return [...drops, layout.style('bold', 'What happened'), ...lines, ''];
}

function senderLines({ stations }: Analysis['topology'], layout: Layout): string[] {
  if (stations.length === 0) return [];
  // A capture of several devices or VLANs has the same one once for each.
  const most = new Map<string, StationView>();
  for (const each of stations) if (each.frames > (most.get(each.mac)?.frames ?? -1)) most.set(each.mac, each);
  const lines = [...most.values()]
    .sort((a, b) => b.frames - a.frames)
    .slice(0, STATIONS)
    .map(({ mac, ips, frames }) => `  ${grouped(frames).padStart(12)}  ${mac}  ${printable(ips[0] ?? '')}`);
  return [layout.style('bold', 'Who sends most'), ...lines];
}
