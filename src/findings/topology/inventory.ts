import { type Device, sharesMac } from '../../network/context/device.js';
import { Claim } from '../../network/neighbors/bindings.js';
import { isOfDeviceId } from '../../network/neighbors/device-id.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';

/** Stations that are shown, those with most frames. */
export const MAX_STATIONS = 256;
/** Addresses of one of them that are listed. */
export const MAX_IPS = 16;

/** A station with what the tables know of it. */
export interface Host {
  /** Row of `network.stations`. */
  readonly row: number;
  readonly segment: number;
  readonly mac: string;
  readonly ips: readonly string[];
  readonly moreIps: number;
  /** IPv4 addresses that it claimed by ARP itself. */
  readonly claimed: number;
  /** Networks (IPv4, first 24 bits) from which it sent packets of addresses that it never claimed. */
  readonly carriedNetworks: number;
  readonly frames: number;
  readonly side: 'here' | 'there' | 'both' | null;
  /** Bits of `Trait`. */
  readonly traits: number;
  /** The one device of the host context with its MAC, or with its MAC and one of its addresses. */
  readonly found: Device | null;
  readonly device: string | null;
  /** ipvlan children and macvlan in mode passthru with its MAC, where it may be more than one device of the host context. */
  readonly sharers: readonly Device[];
  /** An address of IPv6 shows that its device shares a MAC (ipvlan). */
  readonly hasDeviceId: boolean;
}

/** The busiest stations of all segments, and how many there are besides. Stations that only others wrote to are not hosts. */
export function inventory(network: Network): { hosts: Host[]; others: number } {
  const { stations } = network;
  const senders: number[] = [];
  for (let row = 0; row < stations.count; row++) if (stations.sent(row) > 0) senders.push(row);
  senders.sort((a, b) => stations.sent(b) - stations.sent(a) || a - b);
  const shown = senders.slice(0, MAX_STATIONS);
  const bound = boundTo(network, shown);
  return {
    hosts: shown.map((row) => hostOf(network, row, bound.get(row) ?? new Bound())),
    others: senders.length - shown.length,
  };
}

/** What a station is bound to, of which there may be much: behind a router's MAC there may be the whole internet. */
class Bound {
  /** The first rows of `bindings`, and the first of those that are its own and not its own. */
  readonly first: number[] = [];
  readonly own: number[] = [];
  readonly others: number[] = [];
  count = 0;
  hasDeviceId = false;
  /** Its own IPv4 addresses. */
  claimed = 0;
  /** Networks of IPv4 addresses that are not its own. */
  readonly carried = new Set<number>();
}

/** By row of `stations`, in one pass over all bindings. */
function boundTo({ stations, bindings, addresses }: Network, shown: readonly number[]): Map<number, Bound> {
  const result = new Map(shown.map((row) => [row, new Bound()]));
  for (let row = 0; row < bindings.count; row++) {
    const claims = bindings.claims(row);
    if ((claims & (Claim.Own | Claim.Source)) === 0) continue;
    const bound = result.get(stations.find(bindings.segment(row), bindings.hi(row), bindings.lo(row)));
    if (bound === undefined) continue;
    const address = bindings.address(row);
    if (addresses.isUnspecified(address)) continue;
    const isOwn = (claims & Claim.Own) !== 0;
    bound.count++;
    if (bound.first.length < MAX_IPS) bound.first.push(row);
    const alike = isOwn ? bound.own : bound.others;
    if (alike.length < MAX_IPS) alike.push(row);
    if (!addresses.isIpv4(address)) {
      bound.hasDeviceId ||= isOfDeviceId(addresses.words(address), bindings.hi(row), bindings.lo(row));
      continue;
    }
    if (isOwn) bound.claimed++;
    else bound.carried.add(addresses.ipv4Of(address) >> 8);
  }
  return result;
}

function hostOf(network: Network, row: number, bound: Bound): Host {
  const { stations, bindings, addresses } = network;
  // Its own addresses first.
  const listed = [...bound.own, ...bound.others].slice(0, MAX_IPS);
  const found = deviceOf(network, row, bound.first);
  return {
    row,
    segment: stations.segment(row),
    mac: stations.format(row),
    ips: listed.map((binding) => addresses.format(bindings.address(binding))),
    moreIps: bound.count - listed.length,
    claimed: bound.claimed,
    carriedNetworks: bound.carried.size,
    frames: stations.sent(row),
    side: sideOf(stations.sentOut(row), stations.cameIn(row)),
    traits: stations.traits(row),
    found,
    device: found && printable(`${found.name} in ${found.namespace}`),
    sharers: found ? [] : carriersOf(network, row).filter(sharesMac),
    hasDeviceId: bound.hasDeviceId,
  };
}

function sideOf(wentOut: boolean, cameIn: boolean): Host['side'] {
  if (wentOut) return cameIn ? 'both' : 'here';
  return cameIn ? 'there' : null;
}

/** The devices of the host context with the MAC of a station. */
function carriersOf({ home, segments, stations }: Network, row: number): readonly Device[] {
  const context = home.contextOf(segments.captureOf(stations.segment(row)));
  return context?.devicesByMac(stations.hi(row), stations.lo(row)) ?? [];
}

/** ipvlan children, their parent and VLANs on it share a MAC: an address may tell which of them it is. */
function deviceOf(network: Network, row: number, bound: readonly number[]) {
  const { home, segments, stations, bindings, addresses } = network;
  const context = home.contextOf(segments.captureOf(stations.segment(row)));
  if (!context) return null;
  const carriers = carriersOf(network, row);
  if (carriers.length === 1) return carriers[0];
  const holders = new Set<Device>();
  for (const binding of bound)
    for (const device of context.devicesByIp(addresses.words(bindings.address(binding))))
      if (carriers.includes(device)) holders.add(device);
  return holders.size === 1 ? [...holders][0] : null;
}
