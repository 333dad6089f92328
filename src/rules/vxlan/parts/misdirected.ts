import type { Network } from '../../../network/network.js';
import { stuckConnectionsAt } from '../../parts/connections/connection.js';
import { unansweredPingsAt } from '../../parts/pings/ping.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { unanswered } from './tunnel.js';

/** Stations remembered as spoken of: no more findings of a rule are kept. */
const MAX_TOLD = 1024;

/**
 * Handlers of a rule about stations whose frames go to the wrong endpoint (rows of `tunnelStations`), `frames` of them at least;
 * `diagnose` gives null where that is not so, or not any more.
 */
export function watchMisdirected(
  { network, report, withdraw }: RuleContext,
  frames: number,
  diagnose: (station: number) => Diagnosis | null,
): Handlers {
  const { tunnelStations: stations, segments } = network;
  /** Stations that were spoken of: later frames may excuse them. */
  const told = new Set<number>();

  function look(station: number): void {
    const diagnosis = diagnose(station);
    if (diagnosis) {
      report(diagnosis);
      if (told.size < MAX_TOLD) told.add(station);
    } else if (told.delete(station)) withdraw(String(station));
  }

  return {
    events: { misdirected: look },
    captureEnd(capture) {
      for (let row = 0; row < stations.count; row++)
        if ((stations.wrong(row) >= frames || told.has(row)) && segments.captureOf(stations.segment(row)) === capture)
          look(row);
    },
  };
}

/** What stays without answer as frames for a station go to the endpoint `target`. */
export function misdirectedSymptoms(network: Network, station: number, target: number) {
  const { tunnelStations: stations } = network;
  const inner = stations.segment(station);
  return [
    ...unanswered(network, inner, target),
    ...unansweredPingsAt(network, inner, stations.hi(station), stations.lo(station)),
    ...stuckConnectionsAt(network, inner, stations.hi(station), stations.lo(station)),
  ];
}
