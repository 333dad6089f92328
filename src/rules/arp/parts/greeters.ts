import type { Network } from '../../../network/network.js';
import type { Frame } from '../../../wire/frame.js';
import { Icmpv6Type, icmpv6Type } from '../../../wire/icmpv6.js';
import { Protocol } from '../../../wire/protocol.js';
import { linkBelow, sourceAt } from '../../parts/link.js';
import { segmentAt } from '../../parts/segment.js';

const MAX_GREETERS = 1024;
const GREETINGS: readonly number[] = [
  Icmpv6Type.RouterSolicitation,
  Icmpv6Type.ListenerReport,
  Icmpv6Type.ListenerReportV2,
];

/**
 * Stations that greet routers and join groups, and do nothing else. So does a bridge port that Linux gave a link-local address: what is sent to
 * it goes to the bridge, and it answers nobody (kernel: br_handle_frame in net/bridge/br_input.c takes its frames before IPv6).
 */
export class Greeters {
  /** Greetings by row of `Stations`. */
  private readonly greetings = new Map<number, number>();

  constructor(private readonly network: Network) {}

  /** An ICMPv6 message. */
  note(frame: Frame, layer: number): void {
    const { view, offsets, kinds } = frame;
    if (!GREETINGS.includes(icmpv6Type(view, offsets[layer]))) return;
    let ip = layer - 1;
    while (ip > 0 && kinds[ip] === Protocol.Ipv6Extension) ip--;
    const link = linkBelow(frame, ip);
    if (link < 0) return;
    const { stations } = this.network;
    const station = stations.find(segmentAt(this.network, frame, layer), ...sourceAt(frame, link));
    if (station < 0 || (!this.greetings.has(station) && this.greetings.size === MAX_GREETERS)) return;
    this.greetings.set(station, (this.greetings.get(station) ?? 0) + 1);
  }

  /** Whether a station was seen to greet, and to send nothing else. */
  onlyGreets(segment: number, hi: number, lo: number): boolean {
    const { stations } = this.network;
    const station = stations.find(segment, hi, lo);
    const greetings = this.greetings.get(station) ?? 0;
    return greetings > 0 && stations.sent(station) - stations.doubled(station) <= greetings;
  }
}
