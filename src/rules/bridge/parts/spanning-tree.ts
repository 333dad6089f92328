import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import type { Frame } from '../../../wire/frame.js';
import { Protocol } from '../../../wire/protocol.js';
import {
  BpduType,
  BRIDGE,
  hasTopologyChanged,
  isForwarding,
  stpForwardDelay,
  stpPort,
  stpType,
} from '../../../wire/stp.js';
import { headerOf } from '../../parts/evidence.js';
import { segmentAt } from '../../parts/segment.js';
import type { EvidenceRef } from '../../rule.js';

const MAX_PORTS = 256;
const MAX_FRAMES = 16;
const MAX_CHANGES = 16;
/** Stations at a port that are remembered; with more of them it is no port that nobody was heard at. */
const MAX_STATIONS = 16;
/** Offset of the source address in the headers of the link. */
const SOURCE = { [Protocol.Ethernet]: 6, [Protocol.Sll]: 6, [Protocol.Sll2]: 12 } as const;

interface Heard {
  readonly row: number;
  readonly time: number;
}

/** A port of a bridge that speaks spanning tree, as its BPDUs tell of it. Times as `Frame.time`. */
export interface TreePort {
  readonly segment: number;
  readonly capture: number;
  /** The bridge's MAC, and the number of its port. */
  readonly bridge: string;
  readonly number: number;
  /** Nanoseconds that listening takes, and learning as much again. */
  readonly delay: number;
  readonly first: number;
  last: number;
  readonly frames: EvidenceRef[];
  /** The first while in which the port said that it does not forward; `until` is when it said that it does. */
  closed: { first: number; last: number; until: number; frames: EvidenceRef[] } | null;
  /** Whiles in which the bridge told of a change of the topology; `since` is -Infinity where its first BPDU did. */
  readonly changes: { readonly since: number; until: number }[];
  isChanging: boolean;
  /** MACs of the bridge itself: `hi` and `lo` of its port and of its identifier. */
  readonly own: readonly (readonly [hi: number, lo: number])[];
  /** Stations that were heard at the port, the bridge apart, and when the first BPDU after that came; null if they were too many. */
  heard: Heard[] | null;
  /** Rows of stations that were looked at, and those among them that had sent nothing then. */
  looked: number;
  quiet: number[];
}

/** Follows the BPDUs of each port. */
export class TreePorts {
  readonly all = new Map<string, TreePort>();

  constructor(private readonly network: Network) {}

  /** A frame with a BPDU; returns its port, null if it tells of none. */
  observe(frame: Frame, layer: number): TreePort | null {
    const { view, time } = frame;
    const at = frame.offsets[layer];
    if (stpType(view, at) === BpduType.TopologyChange) return null;
    const segment = segmentAt(this.network, frame, layer);
    if (segment < 0) return null;
    const hi = view.getUint16(at + BRIDGE + 2);
    const lo = view.getInt32(at + BRIDGE + 4);
    const key = `${segment} ${hi} ${lo} ${stpPort(view, at)}`;
    let port = this.all.get(key);
    if (!port) {
      if (this.all.size === MAX_PORTS) return null;
      port = {
        segment,
        capture: frame.capture,
        bridge: formatMac(hi, lo),
        number: stpPort(view, at) & 0xfff,
        delay: stpForwardDelay(view, at) * 1e9,
        first: time,
        last: time,
        frames: [],
        closed: null,
        changes: hasTopologyChanged(view, at) ? [{ since: Number.NEGATIVE_INFINITY, until: time }] : [],
        isChanging: hasTopologyChanged(view, at),
        own: [[hi, lo], sourceOf(frame, layer)],
        heard: [],
        looked: 0,
        quiet: [],
      };
      this.all.set(key, port);
    }
    port.last = time;
    if (port.frames.length < MAX_FRAMES)
      port.frames.push(headerOf(frame, layer, 'stp', 'BPDU: this port takes part in spanning tree'));
    this.state(port, frame, layer);
    this.change(port, hasTopologyChanged(view, at), time);
    this.listen(port, time);
    return port;
  }

  /** What rapid spanning tree says of the port. Only its first closed while is kept. */
  private state(port: TreePort, frame: Frame, layer: number): void {
    const forwards = isForwarding(frame.view, frame.offsets[layer]);
    if (forwards === null) return;
    const { closed } = port;
    if (forwards) {
      if (closed && closed.until === Number.POSITIVE_INFINITY) closed.until = frame.time;
      return;
    }
    if (closed && closed.until !== Number.POSITIVE_INFINITY) return;
    port.closed = closed ?? { first: frame.time, last: frame.time, until: Number.POSITIVE_INFINITY, frames: [] };
    port.closed.last = frame.time;
    if (port.closed.frames.length < MAX_FRAMES)
      port.closed.frames.push(headerOf(frame, layer, 'stp', 'BPDU: designated port, not forwarding'));
  }

  private change(port: TreePort, isChanging: boolean, time: number): void {
    const { changes } = port;
    if (isChanging && !port.isChanging && changes.length < MAX_CHANGES) changes.push({ since: time, until: time });
    if (isChanging && changes.length > 0) changes[changes.length - 1].until = time;
    port.isChanging = isChanging;
  }

  /** Notes who was heard at the port since its last BPDU. */
  private listen(port: TreePort, time: number): void {
    const { stations, segments } = this.network;
    const trunk = segments.trunkOf(port.segment);
    const { quiet } = port;
    port.quiet = [];
    for (const row of quiet) this.hear(port, row, time);
    for (; port.heard !== null && port.looked < stations.count; port.looked++)
      if (segments.trunkOf(stations.segment(port.looked)) === trunk) this.hear(port, port.looked, time);
    if (stations.evicted > 0) port.heard = null;
  }

  private hear(port: TreePort, row: number, time: number): void {
    const { stations } = this.network;
    if (port.heard === null || port.own.some(([hi, lo]) => stations.hi(row) === hi && stations.lo(row) === lo)) return;
    if (port.heard.length + port.quiet.length === MAX_STATIONS) port.heard = null;
    else if (stations.sent(row) === 0) port.quiet.push(row);
    else port.heard.push({ row, time });
  }
}

function sourceOf({ view, kinds, offsets }: Frame, layer: number): readonly [hi: number, lo: number] {
  for (let each = layer - 1; each >= 0; each--) {
    const offset = (SOURCE as { [kind: number]: number | undefined })[kinds[each]];
    if (offset !== undefined)
      return [view.getUint16(offsets[each] + offset), view.getInt32(offsets[each] + offset + 2)];
  }
  return [0, 0];
}
