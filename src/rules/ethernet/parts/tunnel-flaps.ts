import type { Network } from '../../../network/network.js';
import { ns } from '../../../network/settings.js';
import { isEthernetIpv4, SPA } from '../../../wire/arp.js';
import type { Frame } from '../../../wire/frame.js';
import { SOURCE as IPV4_SOURCE, ipv4Ttl } from '../../../wire/ipv4.js';
import { SOURCE as IPV6_SOURCE, ipv6HopLimit } from '../../../wire/ipv6.js';
import { Protocol } from '../../../wire/protocol.js';
import { bytesOf } from '../../parts/evidence.js';
import { FRESH_TTLS } from '../../parts/ttl.js';
import type { EvidenceRef } from '../../rule.js';

const MAX_STATIONS = 256;
const MAX_FRAMES = 32;

/** A MAC inside a tunnel that was heard by turns from two tunnel endpoints. */
export interface TunnelFlap {
  readonly station: number;
  readonly capture: number;
  /** Changes within the window. */
  moves: number;
  first: number;
  last: number;
  /** By endpoint (row of `addresses`), the inner IP addresses that it sent from there; -1 for one that a router passed on. */
  readonly sources: Map<number, Set<number>>;
  frames: EvidenceRef[];
}

/** Counts how often stations inside tunnels are heard from another endpoint than before. */
export class TunnelFlaps {
  private readonly flaps = new Map<number, TunnelFlap>();

  constructor(private readonly network: Network) {}

  /** The station (row of `tunnelStations`) was heard behind `before`, and now sends the Ethernet frame in `layer` from elsewhere. */
  moved(station: number, before: number, frame: Frame, layer: number): void {
    const { tunnelStations, settings, addresses } = this.network;
    const { capture, time, offsets } = frame;
    let flap = this.flaps.get(station);
    if (!flap || time - flap.first > ns(settings.flapWindow)) {
      if (!flap && this.flaps.size === MAX_STATIONS) return;
      flap = {
        station,
        capture,
        moves: 0,
        first: time,
        last: time,
        sources: new Map([[before, new Set()]]),
        frames: [],
      };
      this.flaps.set(station, flap);
    }
    flap.moves++;
    flap.last = time;
    const endpoint = tunnelStations.heardAt(station);
    const sources = flap.sources.get(endpoint) ?? new Set();
    flap.sources.set(endpoint, sources);
    sources.add(sourceOf(this.network, frame, layer + 1));
    if (flap.frames.length < MAX_FRAMES)
      flap.frames.push(bytesOf(frame, 'ethernet', offsets[layer], 12, `comes from ${addresses.format(endpoint)}`));
  }

  /**
   * Those of a capture that two machines with one MAC make: at least `enough` changes between two endpoints, from each of which it sends
   * from addresses of its own. One machine behind both (multihoming, a relay between endpoints) has the same behind both, and a
   * router's MAC, which may be the same at every endpoint, passes on what others send.
   */
  of(capture: number, enough: number): TunnelFlap[] {
    return [...this.flaps.values()].filter((flap) => {
      if (flap.capture !== capture || flap.moves < enough || flap.sources.size !== 2) return false;
      const [one, two] = [...flap.sources.values()];
      return [one, two].every((each) => each.size === 1 && !each.has(-1)) && ![...one].some((each) => two.has(each));
    });
  }
}

/** Row of the address that the packet in `layer` is from, as its sender says itself; -1 where it was passed on, or has none. */
function sourceOf({ addresses }: Network, { view, kinds, offsets, readable }: Frame, layer: number): number {
  let inner = layer;
  while (inner < readable && kinds[inner] === Protocol.Vlan) inner++;
  if (inner >= readable) return -1;
  const at = offsets[inner];
  if (kinds[inner] === Protocol.Arp) return isEthernetIpv4(view, at) ? addresses.ipv4(view.getInt32(at + SPA)) : -1;
  if (kinds[inner] === Protocol.Ipv4)
    return FRESH_TTLS.includes(ipv4Ttl(view, at)) ? addresses.ipv4(view.getInt32(at + IPV4_SOURCE)) : -1;
  if (kinds[inner] === Protocol.Ipv6)
    return FRESH_TTLS.includes(ipv6HopLimit(view, at)) ? addresses.ipv6(view, at + IPV6_SOURCE) : -1;
  return -1;
}
