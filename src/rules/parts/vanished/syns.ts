import { Attempt } from '../../../network/flows/handshake-columns.js';
import type { Network } from '../../../network/network.js';
import { Direction } from '../../../wire/frame.js';
import { answerFrames, connectionOf, stuckConnections, synFrames } from '../connections/connection.js';
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

/** SYN-ACKs, `enough` of them, that come in at a device which shows no SYN for them, and are never acknowledged. */
export function lostAnswers(network: Network, row: number, enough: number): Vanished | null {
  const { handshakes, segments } = network;
  if (handshakes.state(row) !== Attempt.Waiting || handshakes.syns(row) > 0 || handshakes.answers(row) < enough)
    return null;
  if (!handshakes.answersWent(row, Direction.In)) return null;
  const connection = connectionOf(network, row);
  const { segment, capture, client, server } = connection;
  const asked = handshakes
    .askedElsewhere(row)
    .map((other) => handshakes.segment(other))
    .filter((other) => segments.captureOf(other) === capture);
  return {
    ...ends(network, row),
    source: connection.serverRow,
    destination: connection.clientRow,
    from: server,
    to: client,
    sourcePort: handshakes.serverPort(row),
    destinationPort: handshakes.clientPort(row),
    hi: -1,
    lo: -1,
    cameIn: true,
    wentOut: false,
    count: handshakes.answers(row),
    first: handshakes.firstAnswer(row),
    last: handshakes.lastAnswer(row),
    evidence: answerFrames(network, [connection], `SYN-ACK ${server} > ${client}, not acknowledged`),
    symptoms: [segment, ...asked].flatMap((each) => stuckConnections(each, client, server)),
  };
}

/** What requests and answers of an attempt have in common. */
function ends(network: Network, row: number) {
  const { segment, capture, serverRow } = connectionOf(network, row);
  return {
    protocol: 'tcp' as const,
    isAnsweredBeyond: false,
    segment,
    capture,
    isIpv4: network.addresses.isIpv4(serverRow),
    forOther: network.handshakes.wasForOther(row),
  };
}

/** As `lostPing`, an attempt to connect. */
export function lostSyns(network: Network, row: number): Vanished | null {
  const { handshakes } = network;
  if (handshakes.state(row) !== Attempt.Waiting || handshakes.answers(row) > 0) return null;
  const connection = connectionOf(network, row);
  const { segment, client, server, clientRow, serverRow } = connection;
  return {
    ...ends(network, row),
    sourcePort: handshakes.clientPort(row),
    destinationPort: handshakes.serverPort(row),
    source: clientRow,
    destination: serverRow,
    from: client,
    to: server,
    hi: handshakes.hi(row),
    lo: handshakes.lo(row),
    cameIn: handshakes.synsWent(row, Direction.In),
    wentOut: handshakes.synsWent(row, Direction.Out) && !handshakes.synsWent(row, Direction.In),
    count: handshakes.syns(row),
    first: handshakes.first(row),
    last: handshakes.last(row),
    evidence: synFrames(network, [connection], `SYN ${client} > ${server}, no answer`),
    symptoms: stuckConnections(segment, client, server),
  };
}
