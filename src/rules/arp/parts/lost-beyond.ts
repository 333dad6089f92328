import { Attempt } from '../../../network/flows/handshake-columns.js';
import { IPV6 } from '../../../network/link/moves.js';
import type { Network } from '../../../network/network.js';
import { connectionOf, stuckConnectionsAt } from '../../parts/connections/connection.js';
import { streamWords } from '../../parts/connections/stream.js';
import { unansweredPings } from '../../parts/pings/ping.js';
import { SYNS } from '../../parts/usual-thresholds.js';
import type { RuleId } from '../../rule.js';

/** The router that packets go to in vain. */
interface Former {
  readonly hi: number;
  readonly lo: number;
  /** The virtual address that it had, and its own: rows of `Addresses`. */
  readonly address: number;
  readonly own: number;
  /** `Frame.time` from which on packets should go to the other one. */
  readonly since: number;
  /** Pings that show that they are lost. */
  readonly packets: number;
}

/** What shows that packets to a former router are lost. */
export interface Lost {
  /** Who sends them. */
  readonly from: string;
  /** What is lost, as a clause. */
  readonly words: string;
  /** Whether more than pings to others beyond shows it, which the former router may pass on. */
  readonly isSure: boolean;
  readonly symptoms: readonly { rule: RuleId; key: string }[];
}

/** What shows that the packets of a sender (row of `strays`) get nowhere; null if nothing does: their answers may pass elsewhere. */
export function inVain(network: Network, row: number, former: Former): Lost | null {
  const { strays, addresses, bindings } = network;
  const segment = strays.segment(row);
  const isIpv6 = strays.family(row) === IPV6;
  const source = isIpv6 ? strays.source(row) : addresses.ipv4(strays.source(row));
  const others = [former.own, ...bindings.own(segment, former.hi, former.lo)].filter((each) => each !== former.address);
  // It may go by an address that the former router keeps.
  if (others.some((each) => hasAsked(network, row, each)) && !hasAsked(network, row, former.address)) return null;
  const pings = lostPings(network, row, source, former).filter((each) => !others.includes(each));
  const segments = stuckStreams(network, row, former.since).filter(({ destination }) => !others.includes(destination));
  const attempts = silentAttempts(network, row, source, former).filter((each) => !others.includes(each.serverRow));
  if (pings.length + segments.length + attempts.length === 0) return null;
  const own = bindings.own(segment, strays.hi(row), strays.lo(row));
  const list = (all: readonly string[]) => [...new Set(all)].slice(0, 3).join(', ');
  const words = [
    pings.length > 0 && `pings to ${list(pings.map((each) => addresses.format(each)))}`,
    segments.length > 0 && `TCP segments to ${list(segments.map(({ toPort }) => toPort))}, sent again and again`,
    attempts.length > 0 && `SYNs to ${list(attempts.map(({ server }) => server))}`,
  ].filter((each) => each !== false);
  return {
    from: addresses.format(own.length === 1 ? own[0] : source),
    words: words.join('; '),
    isSure: segments.length + attempts.length > 0 || pings.includes(former.address),
    symptoms: [
      ...pings.flatMap((each) => unansweredPings(network, segment, source, each)),
      ...segments.flatMap(({ key }) =>
        (['tcp/retransmissions', 'tcp/big-segments-stall'] as const).map((rule) => ({ rule, key })),
      ),
      ...(attempts.length > 0 ? stuckConnectionsAt(network, segment, former.hi, former.lo, isIpv6 ? 6 : 4) : []),
    ],
  };
}

/** Whether the sender asked for an address by ARP or neighbor discovery. */
function hasAsked({ resolutions, strays }: Network, row: number, address: number): boolean {
  return resolutions
    .askedFor(address)
    .some(
      (each) =>
        resolutions.segment(each) === strays.segment(row) &&
        resolutions.hi(each) === strays.hi(row) &&
        resolutions.lo(each) === strays.lo(row),
    );
}

/** Whom the sender pings through the former router in vain: rows of `Addresses`. */
function lostPings(
  { pings, strays }: Network,
  row: number,
  source: number,
  { hi, lo, since, packets }: Former,
): number[] {
  return pings
    .sentTo(strays.segment(row), hi, lo)
    .filter((ping) => {
      const late = pings.requestsKept(ping).filter(({ time }) => time > since);
      return pings.source(ping) === source && late.length >= packets && !pings.answeredAfter(ping, late[0].time);
    })
    .map((ping) => pings.destination(ping));
}

/** Connections of the sender whose segment is sent again and again. */
function stuckStreams(network: Network, row: number, since: number) {
  const { retransmissions, strays } = network;
  const found = [];
  for (let each = 0; each < retransmissions.count; each++) {
    if (retransmissions.tries(each) < SYNS.value || retransmissions.stuckLast(each) < since) continue;
    const stream = retransmissions.stream(each);
    const isOwn = stream.segment === strays.segment(row) && stream.source === strays.source(row);
    if (isOwn && stream.isIpv6 === (strays.family(row) === IPV6) && strays.has(row, stream.destination))
      found.push(streamWords(network, stream));
  }
  return found;
}

/** Attempts of the sender to connect through the former router that nobody answers. */
function silentAttempts(network: Network, row: number, source: number, { hi, lo, since }: Former) {
  const { handshakes, strays } = network;
  const found = [];
  for (let each = 0; each < handshakes.count; each++) {
    if (handshakes.segment(each) !== strays.segment(row) || handshakes.hi(each) !== hi || handshakes.lo(each) !== lo)
      continue;
    const isSilent = handshakes.state(each) === Attempt.Waiting && handshakes.answers(each) === 0;
    if (!isSilent || handshakes.syns(each) < SYNS.value || handshakes.last(each) < since) continue;
    const connection = connectionOf(network, each);
    if (connection.clientRow === source) found.push(connection);
  }
  return found;
}
