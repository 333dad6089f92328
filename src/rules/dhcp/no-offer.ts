import { Wish } from '../../network/dhcp/lease-requests.js';
import type { Network } from '../../network/network.js';
import type { Rule } from '../rule.js';
import { AskingSince } from './parts/asking-since.js';
import { BusyServers } from './parts/busy-servers.js';
import { clientOf } from './parts/client.js';
import { discoversInVain } from './parts/discovers-in-vain.js';
import { hasLostLease, keyOfRequests, requestsInVain, type Sight } from './parts/requests-in-vain.js';

/** Clients of which it is remembered that they lost their lease. */
const MAX_LOST = 1024;

/** A client discovers or requests again and again, and no server answers (catalogue H1). */
export const noOffer: Rule = {
  meta: {
    id: 'dhcp/no-offer',
    severity: 'error',
    summary: 'A DHCP client asks again and again, for an address or to keep the one that it has, without answer',
    catalogue: 'H1',
    silence: true,
    thresholds: {
      discovers: {
        value: 3,
        unit: 'discovers or requests in vain that make more than a hint',
        source: 'the first two may meet a server that just starts, or that pings an address first',
      },
      offerDelay: {
        value: 3,
        unit: 'seconds that they take, for more than a hint',
        source: 'dnsmasq waits so long for an answer to its ping before it offers (PING_WAIT)',
      },
      before: {
        value: 4,
        unit: 'seconds that a client has asked before its first discover here, by its own account (secs), for more than a hint',
        source: 'catalogue H1; at least one discover went out before then',
      },
      trial: {
        value: 0.1,
        unit: 'seconds after a discover in which a server begins to look whether an address is free',
        source: 'it asks at once (RFC 2131 section 4.3.1); machines under load take some time',
      },
    },
  },
  create({ network, captures, report, withdraw, thresholds }) {
    const { leases, stations } = network;
    const since = new AskingSince();
    const servers = new BusyServers(network, { offerDelay: thresholds.offerDelay, trial: thresholds.trial });
    const limits = { requests: thresholds.discovers, seconds: thresholds.offerDelay };
    /** Keys of clients that had to give their address up: an answer that comes later takes nothing back. */
    const lost = new Set<string>();

    function captureOf(client: number): number {
      return network.segments.captureOf(leases.segment(client));
    }

    function sightOf(client: number): Sight & { isHere: boolean } {
      const isBusy = servers.isBusySince(captureOf(client), leases.requests.first(client));
      const segment = leases.segment(client);
      const station = stations.find(segment, leases.hi(client), leases.lo(client));
      if (station < 0) return { isHere: false, isOwn: false, sees: false, isBusy };
      const isHere = stations.sentOut(station);
      // With `-Q out` nothing that comes in is in the capture.
      const isOwn = isHere && captures[captureOf(client)].inbound > 0;
      return { isHere, isOwn, sees: isOwn || stations.wasWrittenTo(station), isBusy };
    }

    /** Requests that nobody answers: to keep an address, or to take one that was offered. */
    function lookAtRequests(client: number, atEnd: boolean): void {
      const key = keyOfRequests(clientOf(network, client).key);
      const hasLost = hasLostLease(network, client);
      // Whoever begins anew with time left was started anew, or told to.
      const isOver = leases.requests.hasBegunAnew(client) && leases.requests.wish(client) === Wish.Kept;
      const diagnosis = isOver && !hasLost ? null : requestsInVain(network, client, sightOf(client), limits, atEnd);
      if (lost.has(key) && !hasLost) return;
      if (diagnosis) report(diagnosis);
      else withdraw(key);
      if (diagnosis && hasLost && lost.size < MAX_LOST) lost.add(key);
    }

    function lookAtDiscovers(client: number, atEnd: boolean): void {
      const { key, count, first, last, capture } = clientOf(network, client);
      const isLong = count >= thresholds.discovers && last - first > thresholds.offerDelay * 1e9;
      if (leases.offers(client) > 0 || count === 0) {
        withdraw(key);
        return;
      }
      if (!isLong && !(atEnd && count >= 2)) return;
      // Only what follows the latest discover tells, so it is known at the end at the earliest.
      const isTried =
        servers.isBusySince(capture, first) ||
        (atEnd &&
          network.now - last <= thresholds.offerDelay * 1e9 &&
          isTryingOut(network, client, thresholds.trial * 1e9));
      const before = since.before(capture, leases.hi(client), leases.lo(client));
      const { isHere, sees } = sightOf(client);
      report(
        discoversInVain(network, client, {
          isLong,
          isTried,
          before: before > thresholds.before ? before : 0,
          // Whoever discovers again got no offer: it is enough that the client is here.
          sees: isHere || sees,
        }),
      );
    }

    return {
      layers: { Dhcp: (frame, layer) => since.note(frame, layer) },
      events: {
        unanswered: (resolution) => servers.unanswered(resolution),
        leased(exchange, type) {
          servers.leased(exchange, type);
          lookAtDiscovers(leases.clientOf(exchange), false);
          lookAtRequests(leases.clientOf(exchange), false);
        },
      },
      captureEnd(capture) {
        for (let client = 0; client < leases.clientCount; client++)
          if (clientOf(network, client).capture === capture) {
            lookAtDiscovers(client, true);
            lookAtRequests(client, true);
          }
      },
    };
  },
};

/** Whether somebody other than the client begins to ask for an address right after its latest discover: a server tries one out. */
function isTryingOut({ leases, resolutions }: Network, client: number, delay: number): boolean {
  for (let row = 0; row < resolutions.count; row++) {
    const after = resolutions.last(row) - leases.last(client);
    const isClient = resolutions.hi(row) === leases.hi(client) && resolutions.lo(row) === leases.lo(client);
    if (after >= 0 && after <= delay && !isClient && resolutions.segment(row) === leases.segment(client)) return true;
  }
  return false;
}
