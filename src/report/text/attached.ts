import type { StationView, Topology } from '../../findings/topology/station-view.js';
import type { Layout } from './layout.js';
import { table } from './table.js';
import { counted, grouped } from './words.js';

/** Stations named in the line of a report that does not tell all. */
const NAMED = 4;

/**
 * How the stations are attached: one line that names those of whom something is known beyond their address, or,
 * if all is to be told, the table of all.
 */
export function attachedLines(topology: Topology, layout: Layout, all: boolean): string[] {
  if (all) return everyStation(topology, layout);
  const known = topology.stations.filter(({ modes }) => modes.some(isWorthNaming));
  if (known.length === 0) return [];
  const named = known.slice(0, NAMED).map(inShort).join('; ');
  const more = known.length > NAMED ? `; and ${counted(known.length - NAMED, 'more station')} (-v)` : '';
  return layout.prose(`Attached: ${named}${more}.`, 0);
}

/** A plain device, or a mere hint, is nothing to mention. */
function isWorthNaming({ mode, confidence }: StationView['modes'][number]): boolean {
  return confidence !== 'hint' && mode !== 'plain' && mode !== 'veth';
}

/** `macvlan1 in ns01 (172.16.91.101): macvlan vepa, certain` */
function inShort({ device, mac, ips, modes }: StationView): string {
  const who = `${device ?? mac}${ips.length > 0 ? ` (${ips[0]})` : ''}`;
  const how = modes.filter(isWorthNaming).map(({ mode, confidence }) => `${mode}, ${confidence}`);
  return `${who}: ${how.join('; ')}`;
}

function everyStation({ stations, moreStations }: Topology, layout: Layout): string[] {
  if (stations.length === 0) return [];
  const rows = stations.map(({ segment, mac, ips, moreIps, device, frames, modes }) => [
    [...segment.vlans.map((id) => `VLAN ${id}`), ...segment.vnis.map((vni) => `VNI ${vni}`)].join(' ') || '-',
    mac,
    [...ips, ...(moreIps > 0 ? [`and ${moreIps} more`] : [])].join(' '),
    device ?? '',
    modes.map(({ mode, confidence, because }) => `${mode} (${confidence}: ${because})`).join('; '),
    grouped(frames),
  ]);
  return [
    '',
    ...table(['segment', 'mac', 'addresses', 'device', 'attached as', 'frames'], rows, [5], layout),
    ...(moreStations > 0 ? layout.prose(`${counted(moreStations, 'further station')} not listed.`, 0) : []),
  ];
}
