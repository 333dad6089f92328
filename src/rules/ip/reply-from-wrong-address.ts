import type { Network } from '../../network/network.js';
import { longer } from '../../network/rows/columns.js';
import { KeyTable } from '../../network/rows/key-table.js';
import { formatIpv4 } from '../../wire/address.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Destination, ipv4IsFragment, ipv4Source } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { udpDestinationPort, udpSourcePort } from '../../wire/udp.js';
import { segmentAt } from '../parts/segment.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { masquerade, ofUdp } from './parts/elsewhere-cures.js';
import { RefusedAnswerCases, type RefusedAnswers } from './parts/refused-answers.js';

const DNS = 53;
/** UDP header, and identification and flags of a DNS message (RFC 1035 section 4.1.1). */
const UDP_HEADER = 8;
const DNS_HEADER = 12;
const RESPONSE = 0x8000;
const MAX_QUERIES = 4096;
const MAX_CASES = 256;
const MAX_FRAMES = 32;
/** Rows of queries: segment, client, its port and the identification, server or 0 | server asked last, frame, offset. */
const SERVER = 4;
const FRAME = 5;
const OFFSET = 6;
const STRIDE = 7;

/** Queries of one client that another server answers than it asked. */
interface Case {
  readonly key: string;
  readonly segment: number;
  readonly capture: number;
  readonly client: number;
  readonly asked: number;
  readonly answerer: number;
  count: number;
  readonly first: number;
  last: number;
  readonly frames: EvidenceRef[];
}

/** An answer comes from another address than was asked (catalogue I7). */
export const replyFromWrongAddress: Rule = {
  meta: {
    id: 'ip/reply-from-wrong-address',
    severity: 'error',
    summary: 'A host answers from another address than was asked, so that the asker does not take the answer',
    catalogue: 'I7',
    thresholds: {
      patience: {
        value: 5,
        unit: 'seconds between a question over UDP and its answer',
        source: 'resolvers wait five seconds (resolv.conf(5), timeout)',
      },
      replies: { value: 2, unit: 'answers from elsewhere', source: 'one may be a coincidence of numbers' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { pings, segments, addresses } = network;
    let times = new Float64Array(0);
    const queries = new KeyTable(STRIDE, MAX_QUERIES, null, (capacity) => {
      times = longer(times, capacity);
    });
    const cases = new Map<string, Case>();
    const refused = new RefusedAnswerCases(network, thresholds.patience, tellRefused, withdraw);
    /** Rows of pings that were told. */
    const told = new Set<number>();

    function ping(row: number): void {
      const key = `ping ${row}`;
      const isStrange = pings.strangeReplies(row) >= thresholds.replies && pings.replies(row) === 0;
      if (!isStrange || isToGroup(network, row)) {
        if (told.delete(row)) withdraw(key);
        return;
      }
      const segment = pings.segment(row);
      const capture = segments.captureOf(segment);
      const asker = addresses.format(pings.source(row));
      const asked = addresses.format(pings.destination(row));
      const answerer = addresses.format(pings.stranger(row));
      const layer = addresses.isIpv4(pings.source(row)) ? 'icmp' : 'icmpv6';
      told.add(row);
      report({
        ...worded(asker, asked, answerer, pings.strangeReplies(row), 'pings', 'ICMP identifier and sequence number'),
        key,
        segment,
        capture,
        first: pings.first(row),
        last: pings.lastStrange(row),
        evidence: pings
          .strangePlaces(row)
          .map((place) => ({ capture, layer, note: `echo to ${asked}, reply from ${answerer}`, ...place })),
        cause: `NAT sends what is for ${asked} on to ${answerer}, whose replies do not come back through it: they pass it by, or it lacks source NAT for this asker. (A host by itself replies from the address that was pinged.)`,
        remedy: [
          {
            text: 'On the NAT host: give such packets its own address as source, so that replies come back to it. For new connections, so begin a running ping anew; lasts until the next restart',
            commands: [masquerade(network, pings.source(row), pings.destination(row), pings.stranger(row))],
          },
          {
            text: `Or ask ${answerer} itself: a name that leads there from inside`,
            commands: [`ping -c 3 ${answerer}`],
          },
        ],
      });
    }

    function query(frame: Frame, layer: number, client: number, server: number): void {
      const { view } = frame;
      const at = frame.offsets[layer];
      const segment = segmentAt(network, frame, layer);
      const id = queryId(view, at, udpSourcePort(view, at));
      queries.add(segment, client, id, server);
      const row = queries.add(segment, client, id, 0);
      const cell = row * STRIDE;
      queries.cells[cell + SERVER] = server;
      queries.cells[cell + FRAME] = frame.number;
      queries.cells[cell + OFFSET] = at - frame.start;
      times[row] = frame.time;
    }

    function answer(frame: Frame, layer: number, server: number, client: number): void {
      const { view } = frame;
      const at = frame.offsets[layer];
      const segment = segmentAt(network, frame, layer);
      const id = queryId(view, at, udpDestinationPort(view, at));
      const row = queries.find(segment, client, id, 0);
      if (row < 0 || frame.time - times[row] > thresholds.patience * 1e9) return;
      const asked = queries.cells[row * STRIDE + SERVER];
      if (queries.find(segment, client, id, server) >= 0) {
        // Answered as it should be: what else comes is another leg of the same way.
        for (const each of cases.values())
          if (each.segment === segment && each.client === client && each.asked === server) drop(each);
        return;
      }
      const key = `dns ${segment} ${formatIpv4(client)} ${formatIpv4(asked)} ${formatIpv4(server)}`;
      let own = cases.get(key);
      if (!own) {
        if (cases.size === MAX_CASES) return;
        const { capture, time } = frame;
        own = { key, segment, capture, client, asked, answerer: server, count: 0, first: time, last: time, frames: [] };
        cases.set(key, own);
      }
      // A copy of this answer counts no more.
      times[row] = Number.NEGATIVE_INFINITY;
      own.count++;
      own.last = frame.time;
      if (own.frames.length < MAX_FRAMES) {
        const base = { capture: frame.capture, layer: 'udp', length: UDP_HEADER + DNS_HEADER };
        const { cells } = queries;
        const number = cells[row * STRIDE + FRAME] >>> 0;
        own.frames.push(
          { ...base, frame: number, offset: cells[row * STRIDE + OFFSET], note: `DNS query to ${formatIpv4(asked)}` },
          { ...base, frame: frame.number, offset: at - frame.start, note: `its answer, from ${formatIpv4(server)}` },
        );
      }
      if (own.count >= thresholds.replies) tell(own);
    }

    function drop(each: Case): void {
      cases.delete(each.key);
      withdraw(each.key);
    }

    function tell({ key, segment, capture, count, first, last, frames: evidence, ...each }: Case): void {
      const [client, asked, answerer] = [each.client, each.asked, each.answerer].map(formatIpv4);
      report({
        ...worded(client, asked, answerer, count, 'DNS queries', 'ports and DNS identification'),
        ...ofUdp(network, addresses.ipv4(each.client), addresses.ipv4(each.asked), addresses.ipv4(each.answerer), DNS),
        key,
        segment,
        capture,
        first,
        last,
        evidence,
        explains: refusals(network, segment, addresses.ipv4(each.client), addresses.ipv4(each.answerer)),
      });
    }

    function tellRefused({
      key,
      segment,
      capture,
      count,
      first,
      last,
      frames: evidence,
      port,
      ...each
    }: RefusedAnswers) {
      if (count < thresholds.replies) return;
      const [client, asked, answerer] = [each.client, each.server, each.answerer].map((row) => addresses.format(row));
      report({
        ...worded(client, asked, answerer, count, `UDP to port ${port}`, 'ports'),
        ...ofUdp(network, each.client, each.server, each.answerer, port),
        confidence: each.rounds >= thresholds.replies ? 'certain' : 'likely',
        summary: `${client} sends UDP to port ${port} of ${asked}. Answers come from port ${port} of ${answerer} to the port that asked, and the kernel of ${client} refuses them, ${count} times: "port unreachable", for the socket there waits for ${asked} alone.`,
        key,
        segment,
        capture,
        first,
        last,
        evidence,
        explains: refusals(network, segment, each.client, each.answerer),
      });
    }

    /** A UDP header at `layer`, from the port of DNS or for it. */
    function look(frame: Frame, layer: number, isAnswer: boolean): void {
      const { view } = frame;
      const at = frame.offsets[layer];
      const ip = layer - 1;
      if (ip < 0 || frame.kinds[ip] !== Protocol.Ipv4 || ipv4IsFragment(view, frame.offsets[ip])) return;
      if (frame.limits[layer] - at < UDP_HEADER + 4) return;
      // LINUX_SLL shows a packet before and after NAT without a word of the device.
      if (frame.kinds[0] === Protocol.Sll) return;
      const source = ipv4Source(view, frame.offsets[ip]);
      const destination = ipv4Destination(view, frame.offsets[ip]);
      const isResponse = (view.getUint16(at + UDP_HEADER + 2) & RESPONSE) !== 0;
      // A query to a group is rightly answered by whoever is in it.
      if (isAnswer && isResponse) answer(frame, layer, source, destination);
      else if (!isAnswer && !isResponse && destination >>> 28 < 14) query(frame, layer, source, destination);
    }

    return {
      events: { strangeReply: ping },
      layers: {
        Udp(frame, layer) {
          const { view } = frame;
          const at = frame.offsets[layer];
          const isAnswer = udpSourcePort(view, at) === DNS;
          if (isAnswer || udpDestinationPort(view, at) === DNS) look(frame, layer, isAnswer);
          if (refused.isWatching) refused.datagram(frame, layer);
        },
        Icmp: (frame, layer) => refused.error(frame, layer),
        Icmpv6: (frame, layer) => refused.error(frame, layer),
      },
      captureEnd(capture) {
        for (const row of [...told]) ping(row);
        for (const each of cases.values()) if (each.capture === capture && each.count >= thresholds.replies) tell(each);
        for (const each of refused.values()) if (each.capture === capture) tellRefused(each);
      },
    };
  },
};

function worded(asker: string, asked: string, answerer: string, count: number, what: string, match: string) {
  return {
    count,
    confidence: 'certain' as const,
    title: `${asker} asks ${asked}, and ${answerer} answers: the answer is not taken`,
    summary: `${asker} sends ${what} to ${asked}, and ${count} answers come from ${answerer}, which it did not ask; ${match} are those of the questions. A program waits for ${asked} and throws away, or never gets, what comes from elsewhere.`,
    subject: { client: asker, asked, answerer },
  };
}

/** What the client (row of `Addresses`) says of answers to a socket that waits for another address: port unreachable. */
function refusals({ icmpErrors }: Network, segment: number, to: number, from: number) {
  const found: { rule: 'icmp/unreachable'; key: string }[] = [];
  for (let row = 0; row < icmpErrors.count; row++) {
    if (icmpErrors.segment(row) !== segment || icmpErrors.reporter(row) !== to) continue;
    if (icmpErrors.source(row) === from && icmpErrors.destination(row) === to)
      found.push({ rule: 'icmp/unreachable', key: String(row) });
  }
  return found;
}

/** Port of the client and identification of the DNS message, in one word. */
function queryId(view: DataView, at: number, port: number): number {
  return (port << 16) | view.getUint16(at + UDP_HEADER);
}

/** Whether several hosts reply to one ping: to a broadcast address, then, where the capture keeps no MACs that would tell. */
function isToGroup({ pings }: Network, row: number): boolean {
  for (let other = 0; other < pings.count; other++) {
    if (other === row || pings.requests(other) > 0 || pings.replies(other) === 0) continue;
    if (pings.segment(other) !== pings.segment(row) || pings.source(other) !== pings.source(row)) continue;
    if (pings.identifier(other) === pings.identifier(row)) return true;
  }
  return false;
}
