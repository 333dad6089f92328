import { Attempt } from '../../../network/flows/handshake-columns.js';
import type { Network } from '../../../network/network.js';
import { FrameLists, type Place } from '../../../network/rows/frame-lists.js';
import { KEY_WORDS, KeyTable } from '../../../network/rows/key-table.js';
import type { Frame } from '../../../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../../wire/ipv4.js';
import { Protocol } from '../../../wire/protocol.js';
import { segmentAt } from '../../parts/segment.js';
import { isGlobal, isPrivate } from './forwarder.js';

const MAX_PAIRS = 4096;
/** Questions closer than this are one try: resolvers ask for IPv4 and IPv6 at once, and wait seconds before they ask again. */
const TRY_NS = 0.5e9;

const TRIES = KEY_WORDS;
const ANSWERED = KEY_WORDS + 1;
const LIST = KEY_WORDS + 2;
/** As doubles, behind these: `Frame.time` of the first and the latest try. */
const FIRST = 4;
const LAST = 5;
const STRIDE = 12;
const DOUBLES = STRIDE / 2;

/** Questions (DNS over UDP) from a private address to a server, none of them answered. Addresses are signed. */
export interface Unanswered {
  readonly segment: number;
  readonly source: number;
  readonly destination: number;
  readonly tries: number;
  readonly first: number;
  readonly last: number;
  readonly places: readonly Place[];
}

/** Who asks which DNS server from a private address, and whether it is answered: of UDP these are the requests that always want an answer. */
export class DnsQuestions {
  private readonly lists = new FrameLists();
  private readonly table = new KeyTable(STRIDE, MAX_PAIRS, (row) =>
    this.lists.release(this.table.cells[row * STRIDE + LIST]),
  );

  constructor(private readonly network: Network) {}

  /** A UDP header of a question. */
  asks(frame: Frame, layer: number): void {
    const ip = layer - 1;
    if (ip < 0 || frame.kinds[ip] !== Protocol.Ipv4) return;
    const from = ipv4Source(frame.view, frame.offsets[ip]);
    const to = ipv4Destination(frame.view, frame.offsets[ip]);
    // Between private networks only the rules in a host context say that something is to be translated.
    if (!isPrivate(from) || (this.network.context === null && !isGlobal(to))) return;
    const segment = segmentAt(this.network, frame, layer);
    if (segment < 0) return;
    const row = this.table.add(segment, from, to, 0);
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    if (cells[at + TRIES] === 0) doubles[double + FIRST] = frame.time;
    else if (frame.time - doubles[double + LAST] < TRY_NS) return;
    doubles[double + LAST] = frame.time;
    cells[at + TRIES]++;
    cells[at + LIST] = this.lists.appendHeader(cells[at + LIST], frame, layer);
  }

  /** A UDP header of an answer. */
  answers(frame: Frame, layer: number): void {
    const ip = layer - 1;
    if (ip < 0 || frame.kinds[ip] !== Protocol.Ipv4) return;
    const from = ipv4Source(frame.view, frame.offsets[ip]);
    const to = ipv4Destination(frame.view, frame.offsets[ip]);
    const segment = isPrivate(to) ? segmentAt(this.network, frame, layer) : -1;
    const row = segment < 0 ? -1 : this.table.find(segment, to, from, 0);
    if (row >= 0) this.table.cells[row * STRIDE + ANSWERED] = 1;
  }

  /** Of a capture, those who asked at least `tries` times in vain, and got no answer to anything else. */
  unanswered(capture: number, tries: number): Unanswered[] {
    const { segments } = this.network;
    const { cells, doubles, rowCount } = this.table;
    const found: Unanswered[] = [];
    for (let row = 0; row < rowCount; row++) {
      const at = row * STRIDE;
      const segment = cells[at];
      if (cells[at + TRIES] < tries || segments.captureOf(segment) !== capture) continue;
      const [source, destination] = [cells[at + 1], cells[at + 2]];
      if (this.isAnswered(capture, source, destination) || isServed(this.network, segment, source, destination))
        continue;
      found.push({
        segment,
        source,
        destination,
        tries: cells[at + TRIES],
        first: doubles[row * DOUBLES + FIRST],
        last: doubles[row * DOUBLES + LAST],
        places: this.lists.read(cells[at + LIST]),
      });
    }
    return found;
  }

  /** Also at another port of the capture. */
  private isAnswered(capture: number, source: number, destination: number): boolean {
    const { cells, rowCount } = this.table;
    for (let row = 0; row < rowCount; row++) {
      const at = row * STRIDE;
      if (cells[at + 1] !== source || cells[at + 2] !== destination || cells[at + ANSWERED] === 0) continue;
      if (this.network.segments.captureOf(cells[at]) === capture) return true;
    }
    return false;
  }
}

/** Whether pings or connections of the source are answered here, or an ICMP error is about what it asks: answers find back to it. */
function isServed(network: Network, segment: number, source: number, destination: number): boolean {
  const { pings, handshakes, icmpErrors, addresses } = network;
  const [from, to] = [addresses.ipv4(source), addresses.ipv4(destination)];
  for (let row = 0; row < pings.count; row++)
    if (pings.segment(row) === segment && pings.source(row) === from && pings.replies(row) > 0) return true;
  for (let row = 0; row < handshakes.count; row++)
    if (
      handshakes.segment(row) === segment &&
      handshakes.client(row) === source &&
      (handshakes.state(row) !== Attempt.Waiting || handshakes.answers(row) > 0)
    )
      return true;
  for (let row = 0; row < icmpErrors.count; row++)
    if (icmpErrors.source(row) === from && icmpErrors.destination(row) === to) return true;
  return false;
}
