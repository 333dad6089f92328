import { longer } from '../../network/rows/columns.js';
import { KeyTable } from '../../network/rows/key-table.js';
import { formatIpv4 } from '../../wire/address.js';
import { DESTINATION } from '../../wire/ethernet.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Destination, ipv4IsFragment, ipv4Source } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { udpDestinationPort, udpSourcePort } from '../../wire/udp.js';
import { linkBelow, sourceAt } from '../parts/link.js';
import { segmentAt } from '../parts/segment.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { masquerade, ofUdp } from './parts/elsewhere-cures.js';
import { isToGroup, queryId, refusals, UDP_HEADER } from './parts/elsewhere-signs.js';
import { RefusedAnswerCases, type RefusedAnswers } from './parts/refused-answers.js';

const DNS = 53;
/** Identification and flags of a DNS message (RFC 1035 section 4.1.1). */
const DNS_HEADER = 12;
const RESPONSE = 0x8000;
const MAX_QUERIES = 4096;
const MAX_CASES = 256;
const MAX_FRAMES = 32;
/** Rows of queries: segment, client, its port and the identification, server or 0 | server asked last, frame, offset, and the MAC it was sent to, 0 where the capture keeps none. */
const SERVER = 4;
const FRAME = 5;
const OFFSET = 6;
const MAC_HIGH = 7;
const MAC_LOW = 8;
const STRIDE = 9;
/** The time of a question that was answered from elsewhere. */
const ANSWERED = Number.NEGATIVE_INFINITY;

/** Queries of one client that another server answers than it asked. */
interface Case {
  readonly key: string;
  readonly segment: number;
  readonly capture: number;
  readonly client: number;
  readonly asked: number;
  readonly answerer: number;
  count: number;
  /** Whether the answers go past what NATs, or the client asked once more: it did not take them. */
  isUntaken: boolean;
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
      const known = queries.find(segment, client, id, 0);
      if (known >= 0 && times[known] === ANSWERED && queries.cells[known * STRIDE + SERVER] === server)
        for (const each of cases.values())
          if (each.segment === segment && each.client === client && each.asked === server) each.isUntaken = true;
      queries.add(segment, client, id, server);
      const row = queries.add(segment, client, id, 0);
      const cell = row * STRIDE;
      const link = linkBelow(frame, layer - 1);
      const isEthernet = link >= 0 && frame.kinds[link] === Protocol.Ethernet;
      queries.cells[cell + MAC_HIGH] = isEthernet ? view.getUint16(frame.offsets[link] + DESTINATION) : 0;
      queries.cells[cell + MAC_LOW] = isEthernet ? view.getInt32(frame.offsets[link] + DESTINATION + 2) : 0;
      queries.cells[cell + SERVER] = server;
      queries.cells[cell + FRAME] = frame.number;
      queries.cells[cell + OFFSET] = at - frame.start;
      times[row] = frame.time;
    }

    function answer(frame: Frame, layer: number, server: number, client: number): void {
      const at = frame.offsets[layer];
      const segment = segmentAt(network, frame, layer);
      const id = queryId(frame.view, at, udpDestinationPort(frame.view, at));
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
        const isUntaken = false;
        own = {
          key,
          segment,
          capture,
          client,
          asked,
          answerer: server,
          count: 0,
          isUntaken,
          first: time,
          last: time,
          frames: [],
        };
        cases.set(key, own);
      }
      if (comesPast(frame, layer, row)) own.isUntaken = true;
      // A copy of this answer counts no more.
      times[row] = ANSWERED;
      own.count++;
      own.last = frame.time;
      if (own.frames.length < MAX_FRAMES) {
        const base = { capture: frame.capture, layer: 'udp', length: UDP_HEADER + DNS_HEADER };
        const number = queries.cells[row * STRIDE + FRAME] >>> 0;
        own.frames.push(
          {
            ...base,
            frame: number,
            offset: queries.cells[row * STRIDE + OFFSET],
            note: `DNS query to ${formatIpv4(asked)}`,
          },
          { ...base, frame: frame.number, offset: at - frame.start, note: `its answer, from ${formatIpv4(server)}` },
        );
      }
      if (own.count >= thresholds.replies) tell(own);
    }

    /** Whether an answer has another machine's MAC as source than the question (row) was sent to. */
    function comesPast(frame: Frame, layer: number, row: number): boolean {
      const link = linkBelow(frame, layer - 1);
      const high = queries.cells[row * STRIDE + MAC_HIGH];
      const low = queries.cells[row * STRIDE + MAC_LOW];
      if (link < 0 || (high === 0 && low === 0)) return false;
      const [from, rest] = sourceAt(frame, link);
      return from !== high || rest !== low;
    }

    function drop(each: Case): void {
      cases.delete(each.key);
      withdraw(each.key);
    }

    function tell({ key, segment, capture, count, first, last, frames: evidence, ...each }: Case): void {
      const explains = refusals(network, segment, addresses.ipv4(each.client), addresses.ipv4(each.answerer));
      // A bridge whose frames pass iptables (br_netfilter) shows questions behind NAT and answers before it; nobody minds them.
      if (!each.isUntaken && explains.length === 0) return;
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
        explains,
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
