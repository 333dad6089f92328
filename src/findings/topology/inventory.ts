import { Claim } from '../../network/bindings.js';
import type { Device } from '../../network/context/device.js';
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
}

const OWN = Claim.Request | Claim.Reply | Claim.Announcement;

/** The busiest stations of all segments, and how many there are besides. Stations that only others wrote to are not hosts. */
export function inventory(network: Network): { hosts: Host[]; others: number } {
  const { stations } = network;
  const senders: number[] = [];
  for (let row = 0; row < stations.count; row++) if (stations.sent(row) > 0) senders.push(row);
  senders.sort((a, b) => stations.sent(b) - stations.sent(a) || a - b);
  const shown = senders.slice(0, MAX_STATIONS);
  const addresses = addressesOf(network, new Set(shown));
  return {
    hosts: shown.map((row) => hostOf(network, row, addresses.get(row) ?? [])),
    others: senders.length - shown.length,
  };
}

/** Rows of `bindings` by row of `stations`. */
function addressesOf({ stations, bindings }: Network, shown: ReadonlySet<number>): Map<number, number[]> {
  const result = new Map<number, number[]>();
  for (let row = 0; row < bindings.count; row++) {
    if ((bindings.claims(row) & (OWN | Claim.Source)) === 0) continue;
    const station = stations.find(bindings.segment(row), bindings.hi(row), bindings.lo(row));
    if (!shown.has(station)) continue;
    const rows = result.get(station);
    if (rows) rows.push(row);
    else result.set(station, [row]);
  }
  return result;
}

function hostOf(network: Network, row: number, bound: readonly number[]): Host {
  const { stations, bindings, addresses } = network;
  const isOwn = (binding: number) => (bindings.claims(binding) & OWN) !== 0;
  // Its own addresses first: behind a router's MAC there may be the whole internet.
  const ordered = [...bound.filter(isOwn), ...bound.filter((binding) => !isOwn(binding))];
  const ips = ordered.slice(0, MAX_IPS).map((binding) => addresses.format(bindings.address(binding)));
  const carried = new Set<number>();
  for (const binding of bound) {
    const address = bindings.address(binding);
    if (!isOwn(binding) && addresses.isIpv4(address)) carried.add(addresses.words(address)[0] >> 8);
  }
  const found = deviceOf(network, row, bound);
  return {
    row,
    segment: stations.segment(row),
    mac: stations.format(row),
    ips,
    moreIps: ordered.length - ips.length,
    claimed: bound.filter((binding) => isOwn(binding) && addresses.isIpv4(bindings.address(binding))).length,
    carriedNetworks: carried.size,
    frames: stations.sent(row),
    side: sideOf(stations.sentOut(row), stations.cameIn(row)),
    traits: stations.traits(row),
    found,
    device: found && printable(`${found.name} in ${found.namespace}`),
  };
}

function sideOf(wentOut: boolean, cameIn: boolean): Host['side'] {
  if (wentOut) return cameIn ? 'both' : 'here';
  return cameIn ? 'there' : null;
}

/** ipvlan children, their parent and VLANs on it share a MAC: an address may tell which of them it is. */
function deviceOf({ context, stations, bindings, addresses }: Network, row: number, bound: readonly number[]) {
  if (!context) return null;
  const carriers = context.devicesByMac(stations.hi(row), stations.lo(row));
  if (carriers.length === 1) return carriers[0];
  const holders = new Set<Device>();
  for (const binding of bound.slice(0, MAX_IPS))
    for (const device of context.devicesByIp(addresses.words(bindings.address(binding))))
      if (carriers.includes(device)) holders.add(device);
  return holders.size === 1 ? [...holders][0] : null;
}
