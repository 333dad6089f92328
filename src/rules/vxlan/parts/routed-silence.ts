import { Attempt } from '../../../network/flows/handshake-columns.js';
import type { Network } from '../../../network/network.js';
import { type Connection, connectionOf, portsOf, synFrames } from '../../parts/connections/connection.js';
import { type Ping, pingOf } from '../../parts/pings/ping.js';
import type { Diagnosis, EvidenceRef } from '../../rule.js';

/** Pings and connections that a finding names at most. */
const MAX_NAMED = 8;

/** Pings and connections that get no answer through a tunnel whose stations do not ask by ARP. */
export interface RoutedSilence {
  /** What gets no answer, as a part of a sentence each. */
  readonly words: readonly string[];
  /** Addresses inside that do not answer. */
  readonly targets: readonly string[];
  readonly evidence: readonly EvidenceRef[];
  readonly explains: NonNullable<Diagnosis['explains']>;
}

/**
 * Pings and SYNs that go to stations behind `endpoint`, `times` or more each, the first of them at `since` (`Frame.time`) at the latest, and
 * get no answer; null if there are none. Overlays that route from node to node (flannel, Calico) write their neighbour
 * tables themselves: nothing in them asks by ARP.
 */
export function routedSilence(
  network: Network,
  inner: number,
  endpoint: number,
  times: number,
  since: number,
): RoutedSilence | null {
  const { tunnelStations, pings, handshakes } = network;
  const isBehind = (hi: number, lo: number) => {
    const station = tunnelStations.find(inner, hi, lo);
    return (
      station >= 0 &&
      tunnelStations.heardAt(station) < 0 &&
      tunnelStations.misdirectedTo(station) === endpoint &&
      tunnelStations.wrong(station) >= times
    );
  };
  const lost: Ping[] = [];
  for (let row = 0; row < pings.count && lost.length < MAX_NAMED; row++) {
    if (pings.segment(row) !== inner || !isBehind(pings.hi(row), pings.lo(row))) continue;
    const ping = pingOf(network, row);
    if (!ping || ping.replies > 0 || ping.unanswered < times || ping.first > since) continue;
    if (isOneSided(network, inner, pings.source(row))) return null;
    lost.push(ping);
  }
  const stuck: Connection[] = [];
  /** The same attempts where they were seen before they went into the tunnel: told there. */
  const legs = new Set<string>();
  for (let row = 0; row < handshakes.count && stuck.length < MAX_NAMED; row++) {
    if (handshakes.segment(row) !== inner || handshakes.state(row) !== Attempt.Waiting) continue;
    if (handshakes.answers(row) > 0 || handshakes.syns(row) < times || handshakes.first(row) > since) continue;
    if (!isBehind(handshakes.hi(row), handshakes.lo(row))) continue;
    const connection = connectionOf(network, row);
    if (isOneSided(network, inner, connection.clientRow)) return null;
    stuck.push(connection);
    const leg = handshakes.firstLeg(row);
    if (leg >= 0) legs.add(connectionOf(network, leg).key);
  }
  if (lost.length + stuck.length === 0) return null;
  return {
    words: [
      ...lost.map(({ from, to, unanswered }) => `${from} pings ${to} ${unanswered} times`),
      ...stuck.map((each) => `${each.client} connects to ${each.server}, TCP ${portsOf([each])}`),
    ],
    targets: [...new Set([...lost.map(({ to }) => to), ...stuck.map(({ server }) => server)])],
    evidence: [...lost.flatMap(({ evidence }) => evidence), ...synFrames(network, stuck, 'SYN without an answer')],
    explains: [
      ...lost.map(({ key }) => ({ rule: 'icmp/echo-unanswered', key }) as const),
      ...stuck.map(({ key }) => ({ rule: 'tcp/syn-unanswered', key }) as const),
      ...[...legs].map((key) => ({ rule: 'tcp/syn-unanswered', key }) as const),
    ],
  };
}

/** Whether other connections of an address go on though only one way of them is here: a mirror of what is sent, or a way back that does not pass here. */
function isOneSided({ flows, addresses }: Network, segment: number, address: number): boolean {
  const isIpv4 = addresses.isIpv4(address);
  return flows.isOneSided(segment, !isIpv4, isIpv4 ? addresses.words(address)[0] : address);
}
