import { Attempt } from '../../../network/flows/handshake-rows.js';
import type { Network } from '../../../network/network.js';
import { Direction } from '../../../wire/frame.js';
import { connectionOf, stuckConnections, synFrames } from '../connections/connection.js';
import type { Vanished } from './requests.js';

export function vanishedSyns(
  network: Network,
  row: number,
  { enough, beyond }: { enough: number; beyond: boolean },
): Vanished | null {
  const { handshakes } = network;
  if (handshakes.syns(row) < enough || handshakes.firstLeg(row) >= 0) return null;
  const isAnsweredBeyond = handshakes.wasAnsweredElsewhere(row);
  if (isAnsweredBeyond ? !beyond : handshakes.wasPassedOn(row)) return null;
  const lost = lostSyns(network, row);
  if (!lost || !isAnsweredBeyond) return lost;
  const others = handshakes
    .elsewhere(row)
    .flatMap((other) => stuckConnections(handshakes.segment(other), lost.from, lost.to));
  return { ...lost, isAnsweredBeyond, symptoms: [...lost.symptoms, ...others] };
}

/** The row that shows an attempt last, as `lastOfPing`. */
export function lastOfAttempt({ handshakes, segments }: Network, row: number): number {
  // Asked first: the others are found by looking at every attempt.
  if (!handshakes.wasPassedOn(row)) return row;
  const capture = segments.captureOf(handshakes.segment(row));
  let last = row;
  for (const other of handshakes.elsewhere(row)) {
    if (segments.captureOf(handshakes.segment(other)) !== capture || handshakes.syns(other) === 0) continue;
    if (handshakes.answers(other) > 0) return row;
    if (other > last) last = other;
  }
  return last;
}

/** An attempt to connect where its capture shows it last. */
export function lastLeg(network: Network, row: number, enough: number): Vanished | null {
  const { handshakes } = network;
  const lost = handshakes.syns(row) < enough || handshakes.wasPassedOn(row) ? null : lostSyns(network, row);
  if (!lost) return null;
  const others = handshakes
    .elsewhere(row)
    .flatMap((other) => stuckConnections(handshakes.segment(other), lost.from, lost.to));
  return { ...lost, symptoms: [...lost.symptoms, ...others] };
}

/** As `lostPing`, an attempt to connect. */
export function lostSyns(network: Network, row: number): Vanished | null {
  const { handshakes, addresses } = network;
  if (handshakes.state(row) !== Attempt.Waiting || handshakes.answers(row) > 0) return null;
  const connection = connectionOf(network, row);
  const { segment, capture, client, server, clientRow, serverRow } = connection;
  return {
    protocol: 'tcp',
    sourcePort: handshakes.clientPort(row),
    destinationPort: handshakes.serverPort(row),
    isAnsweredBeyond: false,
    segment,
    capture,
    source: clientRow,
    destination: serverRow,
    from: client,
    to: server,
    isIpv4: addresses.isIpv4(serverRow),
    hi: handshakes.hi(row),
    lo: handshakes.lo(row),
    cameIn: handshakes.synsWent(row, Direction.In),
    wentOut: handshakes.synsWent(row, Direction.Out) && !handshakes.synsWent(row, Direction.In),
    forOther: handshakes.wasForOther(row),
    count: handshakes.syns(row),
    first: handshakes.first(row),
    last: handshakes.last(row),
    evidence: synFrames(network, [connection], `SYN ${client} > ${server}, no answer`),
    symptoms: stuckConnections(segment, client, server),
  };
}
