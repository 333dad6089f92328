import type { Stream } from '../../../network/flows/streams.js';
import type { Network } from '../../../network/network.js';
import type { Place } from '../../../network/rows/frame-lists.js';
import type { EvidenceRef } from '../../rule.js';
import { pairKey } from './connection.js';

/** One direction of a TCP connection, in words. */
export interface StreamWords {
  /** The same in every rule: segment, sender and receiver as text, so that a finding speaks of two hosts. */
  readonly key: string;
  readonly segment: number;
  readonly capture: number;
  readonly from: string;
  readonly to: string;
  /** Rows of `Addresses`. */
  readonly source: number;
  readonly destination: number;
  /** `10.0.0.1:40000` and `10.0.0.2:80`, IPv6 in brackets. */
  readonly fromPort: string;
  readonly toPort: string;
}

export function streamWords({ addresses, segments }: Network, stream: Stream): StreamWords {
  const { segment, isIpv6 } = stream;
  const source = isIpv6 ? stream.source : addresses.ipv4(stream.source);
  const destination = isIpv6 ? stream.destination : addresses.ipv4(stream.destination);
  const from = addresses.format(source);
  const to = addresses.format(destination);
  const withPort = (address: string, port: number) => (isIpv6 ? `[${address}]:${port}` : `${address}:${port}`);
  return {
    key: pairKey(segment, from, to),
    segment,
    capture: segments.captureOf(segment),
    from,
    to,
    source,
    destination,
    fromPort: withPort(from, stream.sourcePort),
    toPort: withPort(to, stream.destinationPort),
  };
}

export function tcpFrames(capture: number, places: readonly Place[], note: string): EvidenceRef[] {
  return places.map((place) => ({ capture, layer: 'tcp', note, ...place }));
}

/** Whether a router told the sender an MTU for this path: `mtu/fragmentation-needed` speaks of it. */
export function isToldMtu({ pathMtus, segments }: Network, { source, destination, capture }: StreamWords): boolean {
  for (let path = 0; path < pathMtus.count; path++)
    if (
      pathMtus.source(path) === source &&
      pathMtus.destination(path) === destination &&
      segments.captureOf(pathMtus.segment(path)) === capture
    )
      return true;
  return false;
}

/** Findings about one host: of a program with very many peers further ones add nothing. */
const MAX_OF_HOST = 8;
/** Connections that a rule remembers. */
const MAX_CONNECTIONS = 1024;
/** Segments in which one connection is remembered: it passes a host by a few devices, not by hundreds. */
const MAX_PLACES = 16;
/** The same trouble at another port of the capture begins this close. */
const SAME_NS = 50e6;

/**
 * Of the connections of two hosts the one that a finding shows, by key: the one with the most. Where a connection is seen at
 * several ports of a capture the first is told.
 */
export class Worst {
  private readonly byKey = new Map<string, { connection: string; amount: number; connections: Set<string> }>();
  private readonly hosts = new Map<string, number>();
  private readonly seen = new Map<string, { segment: number; first: number }[]>();

  /** Whether this connection, whose trouble began at `first`, is the worst of its pair: then how many there are, else 0. */
  add({ key, segment, capture, from, to, fromPort, toPort }: StreamWords, first: number, amount: number): number {
    const connection = `${fromPort} ${toPort}`;
    const places = this.seen.get(`${capture} ${connection}`) ?? [];
    if (!places.some((place) => place.segment === segment)) {
      if (this.seen.size === MAX_CONNECTIONS || places.length === MAX_PLACES) return 0;
      if (places.some((place) => Math.abs(place.first - first) < SAME_NS)) return 0;
      this.seen.set(`${capture} ${connection}`, [...places, { segment, first }]);
    }
    const known = this.byKey.get(key);
    if (!known) {
      const hosts = [`${segment} ${from}`, `${segment} ${to}`];
      if (hosts.some((host) => this.hosts.get(host) === MAX_OF_HOST)) return 0;
      for (const host of hosts) this.hosts.set(host, (this.hosts.get(host) ?? 0) + 1);
      this.byKey.set(key, { connection, amount, connections: new Set([connection]) });
      return 1;
    }
    known.connections.add(connection);
    if (known.connection !== connection && known.amount >= amount) return 0;
    known.connection = connection;
    known.amount = amount;
    return known.connections.size;
  }

  /** Whether what is said of the pair is about this connection; then it is forgotten. */
  drop({ key, fromPort, toPort }: StreamWords): boolean {
    if (this.byKey.get(key)?.connection !== `${fromPort} ${toPort}`) return false;
    return this.byKey.delete(key);
  }
}

/** `; so it is with 3 other connections of the two`, '' for one. */
export function andOthers(connections: number): string {
  if (connections === 1) return '';
  return `; so it is with ${connections === 2 ? 'another connection' : `${connections - 1} other connections`} of the two`;
}
