import type { Network } from '../../../network/network.js';
import { isSteady } from './advertisements.js';

/** Clocks of two machines may differ by so much (ns) and more; what overlaps by less is no proof. */
const CLOCKS_NS = 1e9;

/**
 * Routers that are master of one virtual router at the same time, each seen in a capture of its own in which the other is not heard: rows of
 * `virtualRouters`, the first of them of `capture`. A router that is not heard where it should be is filtered on the way.
 */
export function unheardMasters(network: Network, capture: number, intervals: number): [number, number][] {
  const { virtualRouters: routers, segments } = network;
  if (capture === 0) return [];
  /** Rows by what is one virtual router, in one network as far as is seen. */
  const groups = new Map<string, number[]>();
  for (let row = 0; row < routers.count; row++) {
    const { vlans, vnis } = segments.describe(routers.segment(row));
    const key = `${routers.id(row)} ${routers.isIpv6(row)} ${routers.digest(row)} ${vlans} ${vnis} ${networkOf(network, row)}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  const captureOf = (row: number) => segments.captureOf(routers.segment(row));
  const found: [number, number][] = [];
  for (const rows of groups.values()) {
    const sources = (wanted: number) =>
      new Set(rows.filter((row) => captureOf(row) === wanted).map((row) => routers.source(row)));
    for (const row of rows) {
      if (captureOf(row) !== capture || sources(capture).size > 1 || !hearsOthers(network, row)) continue;
      const rival = rows.find(
        (other) =>
          captureOf(other) < capture &&
          routers.source(other) !== routers.source(row) &&
          sources(captureOf(other)).size === 1 &&
          hearsOthers(network, other) &&
          overlap(network, row, other, intervals),
      );
      if (rival !== undefined) found.push([row, rival]);
    }
  }
  return found;
}

/** Whether others than the router are heard in its capture: one of what goes out alone would lack the rival too. */
function hearsOthers({ virtualRouters: routers, stations }: Network, row: number): boolean {
  return stations.in(routers.segment(row)).filter((station) => stations.sent(station) > 0).length > 1;
}

/** Whether both advertise steadily for so many intervals at the same time. */
function overlap({ virtualRouters: routers }: Network, a: number, b: number, intervals: number): boolean {
  const interval = Math.max(routers.interval(a), routers.interval(b)) * 1e6;
  const both = Math.min(routers.last(a), routers.last(b)) - Math.max(routers.first(a), routers.first(b));
  return both >= intervals * interval + CLOCKS_NS && isSteady(routers, a) && isSteady(routers, b);
}

/** The /24 of an IPv4 source: an id, and private addresses with it, may serve again in another network. */
function networkOf({ virtualRouters: routers, addresses }: Network, row: number): number {
  return routers.isIpv6(row) ? 0 : addresses.words(routers.source(row))[0] >>> 8;
}
