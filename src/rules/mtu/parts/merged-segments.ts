import type { Network } from '../../../network/network.js';
import { KEY_WORDS, KeyTable } from '../../../network/rows/key-table.js';
import type { Frame } from '../../../wire/frame.js';
import { icmpMtu } from '../../../wire/icmp.js';
import { icmpv6Mtu } from '../../../wire/icmpv6.js';
import { IpProtocol } from '../../../wire/ip-protocols.js';
import { ipv4Destination, ipv4Protocol, ipv4Source, ipv4TotalLength } from '../../../wire/ipv4.js';
import { DESTINATION, ipv6NextHeader, ipv6PayloadLength, SOURCE } from '../../../wire/ipv6.js';
import { Protocol } from '../../../wire/protocol.js';
import { tcpMss } from '../../../wire/tcp.js';
import { segmentAt } from '../../parts/segment.js';

const TCP_HEADER = 20;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const MAX_CONNECTIONS = 4096;
const MSS = KEY_WORDS;
const STRIDE = KEY_WORDS + 2;

/** A message that refuses what no sender sent: every segment of the connection fits. */
export interface Merged {
  /** The largest packet that the sender may make, by what the receiver announced, in bytes. */
  readonly fits: number;
  /** Length of the packet that was refused. */
  readonly refused: number;
}

/**
 * Tells messages about sizes that quote a TCP packet longer than its sender may send: something put segments together (LRO), and a
 * router measures the whole (catalogue G5). A Linux router does not do so with what it put together itself (GRO): it knows the segments
 * (kernel: `skb_gso_validate_network_len` in net/core/gso.c).
 */
export class MergedSegments {
  /** What an end of a connection announced (MSS), by that end, the other, and their ports, its own above. */
  private readonly announced = new KeyTable(STRIDE, MAX_CONNECTIONS);

  constructor(private readonly network: Network) {}

  /** A TCP header with SYN: what its sender takes. */
  syn(frame: Frame, layer: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    if (layer === 0) return;
    const mss = tcpMss(view, at, frame.ends[layer]);
    const ends = this.endsOf(frame, layer - 1);
    if (mss === 0 || !ends) return;
    const row = this.announced.add(ends.source, ends.destination, view.getInt32(at), 0);
    this.announced.cells[row * STRIDE + MSS] = mss;
  }

  /** An ICMP message about sizes: the row of `pathMtus` that it belongs to, and what it refuses; null if that was the sender's. */
  refused(frame: Frame, layer: number): { row: number; merged: Merged } | null {
    const { view, quotedFrom, kinds, statuses, offsets, limits } = frame;
    if (quotedFrom >= frame.layerCount || statuses[quotedFrom] !== 0) return null;
    const isIpv4 = kinds[quotedFrom] === Protocol.Ipv4;
    const ends = this.endsOf(frame, quotedFrom);
    const at = offsets[quotedFrom];
    const protocol = ends && (isIpv4 ? ipv4Protocol(view, at) : ipv6NextHeader(view, at));
    const ports = frame.ends[quotedFrom];
    if (!ends || protocol !== IpProtocol.Tcp || ports + 4 > limits[quotedFrom]) return null;
    const mtu = isIpv4 ? icmpMtu(view, offsets[layer]) : icmpv6Mtu(view, offsets[layer]);
    const refused = isIpv4 ? ipv4TotalLength(view, at) : ipv6PayloadLength(view, at) + IPV6_HEADER;
    // The receiver tells how much it takes: its ports stand the other way round.
    const swapped = (view.getUint16(ports + 2) << 16) | view.getUint16(ports);
    const known = this.announced.find(ends.destination, ends.source, swapped, 0);
    if (known < 0) return null;
    const fits = this.announced.cells[known * STRIDE + MSS] + TCP_HEADER + (isIpv4 ? IPV4_HEADER : IPV6_HEADER);
    if (mtu < fits || refused <= mtu) return null;
    const row = this.network.pathMtus.find(segmentAt(this.network, frame, layer), ends.source, ends.destination);
    return row < 0 ? null : { row, merged: { fits, refused } };
  }

  /** Rows of `Addresses` of both ends of an IP packet; null if the layer is none. */
  private endsOf({ view, kinds, offsets }: Frame, ip: number): { source: number; destination: number } | null {
    const { addresses } = this.network;
    const at = offsets[ip];
    if (kinds[ip] === Protocol.Ipv4)
      return { source: addresses.ipv4(ipv4Source(view, at)), destination: addresses.ipv4(ipv4Destination(view, at)) };
    if (kinds[ip] !== Protocol.Ipv6) return null;
    return { source: addresses.ipv6(view, at + SOURCE), destination: addresses.ipv6(view, at + DESTINATION) };
  }
}
