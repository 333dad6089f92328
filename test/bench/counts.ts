import { EVENT_NAMES, type NetworkEvents } from '../../src/network/events.js';
import type { Network } from '../../src/network/network.js';
import type { Frame } from '../../src/wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../src/wire/ipv4.js';
import { Protocol } from '../../src/wire/protocol.js';

/** How often each event was raised. */
export class Told {
  readonly #counts = new Map<keyof NetworkEvents, number>();
  readonly listener = Object.fromEntries(
    EVENT_NAMES.map((event) => [event, () => this.#counts.set(event, this.of(event) + 1)]),
  ) as unknown as NetworkEvents;

  of(...events: (keyof NetworkEvents)[]): number {
    return sum(events, (event) => this.#counts.get(event) ?? 0);
  }
}

/** The directions between IPv4 addresses, outside VLANs and tunnels, in which TCP was sent. */
export class Pairs {
  readonly #pairs = new Map<string, readonly [source: number, destination: number]>();

  add({ view, kinds, offsets, layerCount }: Frame): void {
    if (layerCount < 3 || kinds[1] !== Protocol.Ipv4 || kinds[2] !== Protocol.Tcp) return;
    const pair = [ipv4Source(view, offsets[1]), ipv4Destination(view, offsets[1])] as const;
    this.#pairs.set(pair.join(), pair);
  }

  /** Sum of the longest packets that arrived in each of them. */
  delivered(network: Network): number {
    return sum([...this.#pairs.values()], ([from, to]) => network.flows.delivered(0, false, from, to));
  }
}

function sum<T>(all: readonly T[], value: (each: T) => number): number {
  return all.reduce((total, each) => total + value(each), 0);
}

function sumRows(count: number, value: (row: number) => number | boolean): number {
  let total = 0;
  for (let row = 0; row < count; row++) total += Number(value(row));
  return total;
}

/** What the tables hold, by the names that bench/reference/counts.h gives it. */
export function countsOf(network: Network, told: Told): Record<string, number> {
  return {
    ...stations(network, told),
    ...resolutions(network, told),
    ...pings(network, told),
    ...flows(network, told),
  };
}

function stations(network: Network, told: Told): Record<string, number> {
  const { segments, tags, stations, bindings, unheard, copies, captures } = network;
  const inStations = (value: (row: number) => number | boolean) => sumRows(stations.count, value);
  const inUnheard = (value: (row: number) => number | boolean) => sumRows(unheard.rowCount, value);
  return {
    segments: segments.count,
    'segments.depth': sumRows(segments.count, (row) => segments.depth(row)),
    tags: tags.count,
    'tags.frames': sumRows(tags.count, (row) => tags.frames(row)),
    'tags.shared': sumRows(tags.count, (row) => !tags.hasOneSender(row)),
    'tags.listed': sumRows(tags.count, (row) => tags.places(row).length),
    'tags.told': told.of('tagged'),
    stations: stations.count,
    'stations.evicted': stations.evicted,
    'stations.sent': inStations((row) => stations.sent(row)),
    'stations.doubled': inStations((row) => stations.doubled(row)),
    'stations.received': inStations((row) => stations.wasWrittenTo(row)),
    'stations.traits': inStations((row) => stations.traits(row)),
    // An address that no corpus has takes the next row.
    addresses: network.addresses.ipv4(0x01020304),
    bindings: bindings.count,
    'bindings.claims': sumRows(bindings.count, (row) => bindings.claims(row)),
    'bindings.ttl': sumRows(bindings.count, (row) => bindings.ttl(row)),
    unheard: unheard.rowCount,
    'unheard.frames': inUnheard((row) => unheard.frameCount(row)),
    'unheard.between': inUnheard((row) => unheard.spokeBetween(row)),
    'unheard.listed': inUnheard((row) => unheard.frames(row).length - 1),
    'unheard.told': told.of('unheard'),
    copies: copies.reflected + copies.others,
    'datagrams.circling': network.routingLoops.count,
    snapped: captures.of(0)?.snapped ?? 0,
    oversized: captures.of(0)?.oversized ?? 0,
    sameMac: told.of('sameMac'),
  };
}

function resolutions(network: Network, told: Told): Record<string, number> {
  const { resolutions, claims, segments } = network;
  const inResolutions = (value: (row: number) => number | boolean) => sumRows(resolutions.count, value);
  const addresses = network.addresses.ipv4(0x01020304);
  return {
    resolutions: resolutions.count,
    'resolutions.evicted': resolutions.evicted,
    'resolutions.run': inResolutions((row) => resolutions.run(row)),
    'resolutions.requests': inResolutions((row) => resolutions.requests(row)),
    'resolutions.echoes': inResolutions((row) => resolutions.echoes(row)),
    'resolutions.strays': inResolutions((row) => resolutions.strays(row)),
    'resolutions.answered': inResolutions((row) => resolutions.lastAnswer(row) !== Number.NEGATIVE_INFINITY),
    'resolutions.repeats': inResolutions((row) => resolutions.repeats.count(row)),
    'resolutions.listed': inResolutions((row) => resolutions.frames(row).length),
    'resolutions.unanswered': told.of('unanswered'),
    'resolutions.askedAgain': told.of('askedAgain'),
    ...refreshes(network),
    'refreshes.lost': told.of('neighborLost'),
    'claims.held': sumRows(segments.count, (segment) =>
      sumRows(addresses, (address) => claims.holder(segment, address) >= 0),
    ),
    'claims.contested': claims.contestedCount,
    'claims.told': told.of('contested', 'doublyAnswered', 'usurped'),
    moves: network.moves.count,
    announcements: network.announcements.count,
    'probes.answered': told.of('probeAnswered', 'dadAnswered'),
    'arpSenders.told': told.of('arpFromOther'),
  };
}

/** The table does not tell how many rows it has: those that it has room for are 0. */
function refreshes({ refreshes }: Network): Record<string, number> {
  let count = 0;
  let [run, sent] = [0, 0];
  for (let row = 0; refreshes.requests(row) !== undefined; row++) {
    if (refreshes.hi(row) === 0) continue;
    count++;
    run += refreshes.requests(row);
    sent += refreshes.sentBefore(row);
  }
  return { refreshes: count, 'refreshes.run': run, 'refreshes.sentBefore': sent };
}

function pings(network: Network, told: Told): Record<string, number> {
  const { pings, doubleReplies, echoes } = network;
  const inPings = (value: (row: number) => number) => sumRows(pings.count, value);
  const inEchoes = (value: (row: number) => number) => sumRows(echoes.count, value);
  return {
    pings: pings.count,
    'pings.evicted': pings.evicted,
    'pings.requests': inPings((row) => pings.requests(row)),
    'pings.replies': inPings((row) => pings.replies(row)),
    'pings.strange': inPings((row) => pings.strangeReplies(row)),
    'pings.around': inPings((row) => pings.aroundReplies(row)),
    'pings.hops': inPings((row) => pings.hops(row)),
    'pings.lostTold': told.of('pingLost'),
    'doubleReplies.doubled': sumRows(doubleReplies.count, (row) => doubleReplies.doubled(row)),
    'doubleReplies.repeats': sumRows(doubleReplies.count, (row) => doubleReplies.repeats(row)),
    echoes: echoes.count,
    'echoes.evicted': echoes.evicted,
    'echoes.requests': inEchoes((row) => echoes.requests(row)),
    'echoes.replies': inEchoes((row) => echoes.replies(row)),
    'echoes.size': inEchoes((row) => echoes.size(row)),
    'echoes.listed': inEchoes((row) => echoes.places(row).length),
    'echoes.told': told.of('echoesUnanswered'),
    icmpErrors: network.icmpErrors.count,
    pathMtus: network.pathMtus.count,
    fragments: network.fragments.count,
  };
}

function flows(network: Network, told: Told): Record<string, number> {
  const { flows, tunnels, tunnelStations } = network;
  const inTunnels = (value: (row: number) => number | boolean) => sumRows(tunnels.count, value);
  const inside = (value: (row: number) => number | boolean) => sumRows(tunnelStations.count, value);
  return {
    flows: flows.count,
    'flows.evicted': flows.evicted,
    handshakes: network.handshakes.count,
    retransmissions: network.retransmissions.count,
    windows: network.windows.count,
    resets: network.resets.count,
    tunnels: tunnels.count,
    'tunnels.frames': inTunnels((row) => tunnels.frames(row)),
    'tunnels.group': inTunnels((row) => tunnels.groupFrames(row)),
    'tunnels.malformed': inTunnels((row) => tunnels.malformed(row)),
    'tunnels.oneSource': inTunnels((row) => tunnels.hasOneSource(row)),
    'tunnels.listed': inTunnels((row) => tunnels.places(row).length),
    'tunnels.told': told.of('tunnelled'),
    tunnelStations: tunnelStations.count,
    'tunnelStations.right': inside((row) => tunnelStations.right(row)),
    'tunnelStations.wrong': inside((row) => tunnelStations.wrong(row)),
    'tunnelStations.heard': inside((row) => tunnelStations.heardAt(row) >= 0),
    'tunnelStations.heardSince': inside((row) => tunnelStations.heardSince(row)),
    'tunnelStations.told': told.of('misdirected'),
    tunnelErrors: network.tunnelErrors.count,
  };
}
