import type { Analysis } from '../../findings/finding.js';
import type { StationView } from '../../findings/topology/station-view.js';
import type { Layout } from './layout.js';
import { placeOf } from './place.js';
import { table } from './table.js';
import { counted, grouped } from './words.js';

type Seen = Pick<Analysis, 'topology' | 'captures'>;

/** Stations named in the line of a report that does not tell all. */
const NAMED = 4;

/**
 * How the stations are attached: one line that names those of whom something is known beyond their address, or,
 * if all is to be told, the table of all.
 */
export function attachedLines(analysis: Seen, layout: Layout, all: boolean): string[] {
  if (all) return everyStation(analysis, layout);
  const { topology } = analysis;
  // A station is in the topology once for each place that shows it.
  const known = [...new Set(topology.stations.filter(({ modes }) => modes.some(isWorthNaming)).map(inShort))];
  if (known.length === 0) return [];
  const named = known.slice(0, NAMED).join('; ');
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

function everyStation({ topology, captures }: Seen, layout: Layout): string[] {
  const { stations, moreStations } = topology;
  if (stations.length === 0) return [];
  const isOnePlace = new Set(stations.map(({ segment }) => `${segment.capture} ${segment.interface}`)).size === 1;
  const rows = stations.map(({ segment, mac, ips, moreIps, device, frames, modes }) => [
    (isOnePlace ? placeOf({ ...segment, interface: null }, []) : placeOf(segment, captures)).join(' ') || '-',
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
