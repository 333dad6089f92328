import type { Frame } from '../../wire/frame.js';
import {
  ipv4Destination,
  ipv4Identification,
  ipv4IsFragment,
  ipv4Source,
  ipv4TotalLength,
  ipv4Ttl,
} from '../../wire/ipv4.js';
import {
  DESTINATION as IPV6_DESTINATION,
  SOURCE as IPV6_SOURCE,
  ipv6HopLimit,
  ipv6PayloadLength,
} from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import type { Addresses } from '../addresses.js';
import { IPV6 } from './flow-rows.js';
import type { Flows } from './flows.js';

const IPV6_HEADER = 40;

/** Reads TCP segments, and the IP header in front of each, into `Flows`. */
export class FlowReader {
  constructor(
    private readonly addresses: Addresses,
    private readonly flows: Flows,
  ) {}

  /** A TCP header at `layer`; (hi, lo) is where the frame was sent to. */
  tcp(frame: Frame, layer: number, segment: number, hi: number, lo: number): void {
    const { view, kinds, offsets, ends } = frame;
    let ip = layer - 1;
    while (ip > 0 && kinds[ip] === Protocol.Ipv6Extension) ip--;
    if (ip < 0) return;
    const header = offsets[ip];
    if (kinds[ip] === Protocol.Ipv4) {
      // The rest of a fragmented segment has no header to go by.
      if (ipv4IsFragment(view, header)) return;
      const total = ipv4TotalLength(view, header) || this.rest(frame, ip);
      const length = total - (ends[layer] - header);
      const source = ipv4Source(view, header);
      const trace = (ipv4Ttl(view, header) << 16) | ipv4Identification(view, header);
      this.flows.observe(frame, layer, segment, source, ipv4Destination(view, header), total, length, trace, hi, lo);
    } else if (kinds[ip] === Protocol.Ipv6) {
      const told = ipv6PayloadLength(view, header);
      const total = told === 0 ? this.rest(frame, ip) : told + IPV6_HEADER;
      const length = total - (ends[layer] - header);
      const source = this.addresses.ipv6(view, header + IPV6_SOURCE);
      const destination = this.addresses.ipv6(view, header + IPV6_DESTINATION);
      const trace = ipv6HopLimit(view, header) << 16;
      this.flows.observe(frame, layer, segment | IPV6, source, destination, total, length, trace, hi, lo);
    }
  }

  /** Bytes from an IP header to the end of the frame: segmentation offload leaves the header's length 0. */
  private rest(frame: Frame, ip: number): number {
    return frame.wireLength - (frame.offsets[ip] - frame.start);
  }
}
