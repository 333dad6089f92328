import type { HostContext } from '../../network/context/host-context.js';
import type { Network } from '../../network/network.js';
import type { SegmentRef } from '../segment-ref.js';
import { type Host, inventory } from './inventory.js';
import { contextMode, observedMode } from './modes.js';
import type { Mode, Topology } from './station-view.js';

/** Builds the view from the network's tables; costs a pass over them. */
export function topologyOf(network: Network, describeSegment: (row: number) => SegmentRef): Topology {
  const { hosts, others } = inventory(network);
  return {
    stations: hosts.map((host) => ({
      segment: describeSegment(host.segment),
      mac: host.mac,
      ips: host.ips,
      moreIps: host.moreIps,
      device: host.device,
      frames: host.frames,
      side: host.side,
      modes: modesOf(host, contextAt(network, host.segment)),
    })),
    moreStations: others,
  };
}

function contextAt({ home, segments }: Network, segment: number): HostContext | null {
  return home.contextOf(segments.captureOf(segment));
}

/** What the host says of itself outweighs what frames suggest of the same thing. */
function modesOf(host: Host, context: HostContext | null): Mode[] {
  const told = contextMode(host, context);
  const seen = observedMode(host);
  return told === null ? seen : [told, ...seen.filter(({ mode }) => mode === 'router' || mode === 'vtep')];
}
