import type { StationView } from '../../findings/topology/station-view.js';
import { Layout } from '../../report/text/layout.js';
import { counted } from '../../report/text/words.js';
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
    .map(stationLine)
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

function stationLine({ segment, mac, ips, moreIps, device, frames, modes }: StationView): string {
  const where = [...segment.vlans.map((id) => `VLAN ${id}`), ...segment.vnis.map((vni) => `VNI ${vni}`)];
  const addresses = [...ips, ...(moreIps > 0 ? [`and ${moreIps} more`] : [])].join(' ');
  const how = modes.map(({ mode, confidence }) => `${mode} (${confidence})`).join('; ');
  return [mac, clip(addresses || '-', 16), where.join(' ') || '-', device ?? '-', how || '-', counted(frames, 'frame')]
    .map(printable)
    .join('  ');
}
