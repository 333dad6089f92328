import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';

/** Stations that use one address, of which it is looked whether they moved. */
const MAX_HOLDERS = 8;

/** How it is known that a machine was started anew, or moved. */
export interface Return {
  /** How often it was announced, or seen to come from elsewhere. */
  readonly times: number;
  /** `Frame.time` of the latest. */
  readonly last: number;
  /** A clause that says it. */
  readonly words: string;
}

/** A packet's destination: a row of `Addresses`, and the MAC it went to; hi is -1 where the capture does not tell. */
export interface Target {
  readonly capture: number;
  readonly address: number;
  readonly hi: number;
  readonly lo: number;
}

/** The announcements of an address by ARP after `since`. */
export function announcedSince(network: Network, { capture, address }: Target, since: number): Return | null {
  const { announcements, segments, addresses } = network;
  let times = 0;
  let latest = -1;
  for (const each of announcements.of(address)) {
    if (segments.captureOf(announcements.segment(each)) !== capture || announcements.last(each) < since) continue;
    times += announcements.times(each);
    if (latest < 0 || announcements.last(each) > announcements.last(latest)) latest = each;
  }
  if (latest < 0) return null;
  const mac = formatMac(announcements.hi(latest), announcements.lo(latest));
  return { times, last: announcements.last(latest), words: `${mac} announced ${addresses.format(address)}` };
}

/** What shows that the machine behind a MAC is elsewhere after `since`: it was announced by RARP, or speaks from there. */
export function movedSince(network: Network, target: Target, since: number): Return | null {
  const { arrivals, segments } = network;
  let times = 0;
  let latest = -1;
  for (const [hi, lo] of target.hi < 0 ? holdersOf(network, target) : [[target.hi, target.lo]])
    for (const each of arrivals.of(hi, lo)) {
      if (segments.captureOf(arrivals.segment(each)) !== target.capture || arrivals.last(each) < since) continue;
      times += arrivals.times(each);
      if (latest < 0 || arrivals.last(each) > arrivals.last(latest)) latest = each;
    }
  if (latest < 0) return null;
  const mac = formatMac(arrivals.hi(latest), arrivals.lo(latest));
  const words = `${mac} ${arrivals.rarps(latest) > 0 ? 'was announced by RARP' : 'spoke from elsewhere'}`;
  return { times, last: arrivals.last(latest), words };
}

/** How often an address came to have another MAC, the latest time after `since`, whose former one is not heard any more. */
export function replacedSince({ claims, bindings, segments }: Network, target: Target, since: number): number {
  const places = bindings.ofAddress(target.address).map((row) => bindings.segment(row));
  const seen = new Set(places.filter((segment) => segments.captureOf(segment) === target.capture));
  return Math.max(0, ...[...seen].map((segment) => claims.replacements(segment, target.address, since)));
}

/** The MACs that use an address as their own. */
function holdersOf({ bindings, segments }: Network, { capture, address }: Target): number[][] {
  return bindings
    .ofAddress(address)
    .filter((row) => segments.captureOf(bindings.segment(row)) === capture)
    .filter((row) => (bindings.claims(row) & (Claim.Own | Claim.Source)) !== 0)
    .slice(0, MAX_HOLDERS)
    .map((row) => [bindings.hi(row), bindings.lo(row)]);
}
