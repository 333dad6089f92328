import type { Network } from '../../../network/network.js';
import { FrameLists } from '../../../network/rows/frame-lists.js';
import { KEY_WORDS, KeyTable } from '../../../network/rows/key-table.js';
import { Direction, type Frame } from '../../../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE } from '../../../wire/ipv6.js';
import { Protocol } from '../../../wire/protocol.js';
import { isToOtherHost } from '../../../wire/sll.js';
import { DNS, udpDestinationPort, udpSourcePort } from '../../../wire/udp.js';
import { segmentAt } from '../segment.js';
import type { Vanished } from './requests.js';

const MAX_PAIRS = 4096;
/** Questions closer than this are one try: resolvers ask for IPv4 and IPv6 at once, and wait seconds before they ask again. */
const TRY_NS = 0.5e9;
/** A server that asks others first takes its time: younger questions may still be answered. */
const PATIENCE_NS = 3e9;

const TRIES = KEY_WORDS;
const DIRECTIONS = KEY_WORDS + 1;
const HI = KEY_WORDS + 2;
const LO = KEY_WORDS + 3;
const PORT = KEY_WORDS + 4;
const LIST = KEY_WORDS + 5;
const STRIDE = 14;
/** As doubles: `Frame.time` of the first and the latest try. */
const FIRST = 5;
const LAST = 6;
const DOUBLES = STRIDE / 2;
const FOR_OTHER = 1 << 9;
/** In place of tries: answers came, and no question since. */
const ANSWERED = -1;

/**
 * Who asks which DNS server, at each port of a capture, and how often since it was last answered: of UDP these are the requests that always want an
 * answer. With a host context only, where rules of firewalls say what becomes of them.
 */
export class Questions {
  private readonly lists = new FrameLists();
  private readonly table = new KeyTable(STRIDE, MAX_PAIRS, (row) =>
    this.lists.release(this.table.cells[row * STRIDE + LIST]),
  );

  constructor(private readonly network: Network) {}

  /** A UDP header from or to the port of DNS servers. */
  observe(frame: Frame, layer: number): void {
    const ip = layer - 1;
    if (ip < 0) return;
    const isIpv4 = frame.kinds[ip] === Protocol.Ipv4;
    if (!isIpv4 && frame.kinds[ip] !== Protocol.Ipv6) return;
    const segment = segmentAt(this.network, frame, layer);
    if (segment < 0) return;
    const { addresses } = this.network;
    const { view } = frame;
    const at = frame.offsets[ip];
    const from = isIpv4 ? addresses.ipv4(ipv4Source(view, at)) : addresses.ipv6(view, at + IPV6_SOURCE);
    const to = isIpv4 ? addresses.ipv4(ipv4Destination(view, at)) : addresses.ipv6(view, at + IPV6_DESTINATION);
    const udp = frame.offsets[layer];
    if (udpDestinationPort(view, udp) === DNS) this.asks(frame, layer, this.table.add(segment, from, to, 0));
    else this.answers(this.table.find(segment, to, from, 0));
  }

  private asks(frame: Frame, layer: number, row: number): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    if (cells[at + TRIES] <= 0) {
      doubles[double + FIRST] = frame.time;
      cells[at + TRIES] = 0;
      cells[at + DIRECTIONS] = 0;
    } else if (frame.time - doubles[double + LAST] < TRY_NS) return;
    doubles[double + LAST] = frame.time;
    cells[at + TRIES]++;
    cells[at + DIRECTIONS] |= (1 << frame.direction) | (isToOtherHost(frame) ? FOR_OTHER : 0);
    cells[at + PORT] = udpSourcePort(frame.view, frame.offsets[layer]);
    cells[at + HI] = -1;
    for (let link = layer - 1; link >= 0; link--) {
      if (frame.kinds[link] !== Protocol.Ethernet) continue;
      cells[at + HI] = frame.view.getUint16(frame.offsets[link]);
      cells[at + LO] = frame.view.getInt32(frame.offsets[link] + 2);
      break;
    }
    cells[at + LIST] = this.lists.appendHeader(cells[at + LIST], frame, layer);
  }

  private answers(row: number): void {
    if (row < 0) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    this.lists.release(cells[at + LIST]);
    cells[at + LIST] = 0;
    cells[at + TRIES] = ANSWERED;
  }

  /** Questions of a capture that were asked at least `enough` times and got no answer, each where the capture shows it last. */
  unanswered(capture: number, enough: number): Vanished[] {
    const { cells, doubles, rowCount } = this.table;
    const lost: Vanished[] = [];
    for (let row = 0; row < rowCount; row++) {
      const segment = cells[row * STRIDE];
      if (cells[row * STRIDE + TRIES] < enough || this.network.segments.captureOf(segment) !== capture) continue;
      if (this.network.now - doubles[row * DOUBLES + FIRST] < PATIENCE_NS) continue;
      const others = this.elsewhere(row, capture);
      const answered = others.filter((other) => cells[other * STRIDE + TRIES] === ANSWERED);
      // Rows are made in the order of the frames: what is shown answered before has got its answers.
      if (answered.some((other) => other < row)) continue;
      const isAnsweredBeyond = answered.length > 0;
      if (!isAnsweredBeyond && others.some((other) => other > row)) continue;
      lost.push({ ...this.describe(row, capture), isAnsweredBeyond });
    }
    return lost;
  }

  /** Rows of the same two at other ports of the capture. */
  private elsewhere(row: number, capture: number): number[] {
    const { cells, rowCount } = this.table;
    const [, source, destination] = cells.subarray(row * STRIDE, row * STRIDE + KEY_WORDS);
    const found: number[] = [];
    for (let other = 0; other < rowCount; other++) {
      const at = other * STRIDE;
      if (other === row || cells[at + 1] !== source || cells[at + 2] !== destination) continue;
      if (this.network.segments.captureOf(cells[at]) === capture) found.push(other);
    }
    return found;
  }

  private describe(row: number, capture: number): Vanished {
    const { addresses } = this.network;
    const { cells, doubles } = this.table;
    const [segment, source, destination] = cells.subarray(row * STRIDE, row * STRIDE + KEY_WORDS);
    const [from, to] = [addresses.format(source), addresses.format(destination)];
    const directions = cells[row * STRIDE + DIRECTIONS];
    const ways = directions & ~FOR_OTHER;
    const note = `DNS question ${from} > ${to}, no answer`;
    return {
      segment,
      capture,
      source,
      destination,
      from,
      to,
      isIpv4: addresses.isIpv4(source),
      protocol: 'udp',
      sourcePort: cells[row * STRIDE + PORT],
      destinationPort: DNS,
      isAnsweredBeyond: false,
      hi: cells[row * STRIDE + HI],
      lo: cells[row * STRIDE + LO],
      cameIn: ways === 1 << Direction.In,
      wentOut: ways === 1 << Direction.Out,
      forOther: (directions & FOR_OTHER) !== 0,
      count: cells[row * STRIDE + TRIES],
      first: doubles[row * DOUBLES + FIRST],
      last: doubles[row * DOUBLES + LAST],
      evidence: this.lists.read(cells[row * STRIDE + LIST]).map((place) => ({ capture, layer: 'udp', note, ...place })),
      symptoms: [],
    };
  }
}
