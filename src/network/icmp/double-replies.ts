import type { Frame } from '../../wire/frame.js';
import { ipv4Identification } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { SLL_ADDRESS, SLL2_ADDRESS } from '../../wire/sll.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from '../settings.js';
import {
  ASKED,
  ASKED_ID,
  DOUBLED,
  DOUBLED_FIRST,
  DOUBLED_LAST,
  DOUBLED_LIST,
  DOUBLES,
  REPEATS,
  REPLIED,
  REPLIED_ID,
  REPLIER_HI,
  REPLIER_LO,
  REPLY_FRAME,
  REPLY_OFFSET,
  REPLY_TIME,
  REQUEST_FRAME,
  STRIDE,
} from './ping-layout.js';
import type { Pings } from './pings.js';

/**
 * Echo requests over IPv4 that were seen once and answered twice, by two packets of one station: the target got the request
 * twice, for each reply that it makes has an identification of its own (RFC 6864 section 4.1). The rows are those of
 * `Pings`; sequence numbers are kept with 1 added, so that 0 is none.
 */
export class DoubleReplies {
  private readonly doubleReply: number;

  constructor(
    private readonly pings: Pings,
    private readonly lists: FrameLists,
    /** Told at the 1st, 2nd, 4th … request that was answered twice. */
    private readonly tell: (row: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    this.doubleReply = ns(settings.doubleReply);
  }

  /** An echo request of the ping in `row`; `layer` is its ICMP header, the IPv4 header is below. */
  request(row: number, sequence: number, frame: Frame, layer: number): void {
    const { cells, doubles } = this.pings.table;
    const at = row * STRIDE;
    const identification = ipv4Identification(frame.view, frame.offsets[layer - 1]);
    // The pinging host itself sent it twice.
    if (cells[at + ASKED] === sequence + 1 && cells[at + ASKED_ID] !== identification) cells[at + REPEATS]++;
    cells[at + ASKED] = sequence + 1;
    cells[at + ASKED_ID] = identification;
    doubles[row * DOUBLES + REQUEST_FRAME] = frame.number;
  }

  /** A reply, likewise. */
  reply(row: number, sequence: number, frame: Frame, layer: number): void {
    const { cells, doubles } = this.pings.table;
    const at = row * STRIDE;
    if (cells[at + ASKED] !== sequence + 1) return;
    const { view } = frame;
    const identification = ipv4Identification(view, frame.offsets[layer - 1]);
    const sender = senderOf(frame, layer - 2);
    const hi = sender < 0 ? -1 : view.getUint16(sender);
    const lo = sender < 0 ? -1 : view.getInt32(sender + 2);
    const offset = frame.offsets[layer] - frame.start;
    const isSecond =
      cells[at + REPLIED] === sequence + 1 &&
      identification !== 0 &&
      cells[at + REPLIED_ID] !== 0 &&
      cells[at + REPLIED_ID] !== identification &&
      cells[at + REPLIER_HI] === hi &&
      cells[at + REPLIER_LO] === lo &&
      frame.time - doubles[row * DOUBLES + REPLY_TIME] <= this.doubleReply;
    if (isSecond) {
      const { lists } = this;
      let list = lists.append(cells[at + DOUBLED_LIST], doubles[row * DOUBLES + REQUEST_FRAME], offset, 8);
      list = lists.append(list, doubles[row * DOUBLES + REPLY_FRAME], cells[at + REPLY_OFFSET], 8);
      cells[at + DOUBLED_LIST] = lists.append(list, frame.number, offset, 8);
      if (cells[at + DOUBLED] === 0) doubles[row * DOUBLES + DOUBLED_FIRST] = frame.time;
      doubles[row * DOUBLES + DOUBLED_LAST] = frame.time;
      const count = ++cells[at + DOUBLED];
      // A third reply to the same request adds nothing.
      cells[at + REPLIED] = 0;
      if ((count & (count - 1)) === 0) this.tell(row);
      return;
    }
    cells[at + REPLIED] = sequence + 1;
    cells[at + REPLIED_ID] = identification;
    cells[at + REPLIER_HI] = hi;
    cells[at + REPLIER_LO] = lo;
    cells[at + REPLY_OFFSET] = offset;
    doubles[row * DOUBLES + REPLY_TIME] = frame.time;
    doubles[row * DOUBLES + REPLY_FRAME] = frame.number;
  }

  get count(): number {
    return this.pings.count;
  }

  segment(row: number): number {
    return this.pings.segment(row);
  }

  /** Rows of `Addresses`: who asks, and who gets requests twice. */
  source(row: number): number {
    return this.pings.source(row);
  }

  destination(row: number): number {
    return this.pings.destination(row);
  }

  /** Requests that were answered twice. */
  doubled(row: number): number {
    return this.pings.table.cells[row * STRIDE + DOUBLED];
  }

  /** Requests that the pinging host sent again, with another identification and the same sequence number. */
  repeats(row: number): number {
    return this.pings.table.cells[row * STRIDE + REPEATS];
  }

  /** `Frame.time` of the first and the latest second reply. */
  first(row: number): number {
    return this.pings.table.doubles[row * DOUBLES + DOUBLED_FIRST];
  }

  last(row: number): number {
    return this.pings.table.doubles[row * DOUBLES + DOUBLED_LAST];
  }

  /** Each time the request and both replies, as evidence. */
  places(row: number): Place[] {
    return this.lists.read(this.pings.table.cells[row * STRIDE + DOUBLED_LIST]);
  }
}

/** Offset of the sender's hardware address in the link header at `layer` or below, -1 without one. */
function senderOf({ kinds, offsets }: Frame, layer: number): number {
  let link = layer;
  while (link >= 0 && kinds[link] === Protocol.Vlan) link--;
  if (link < 0) return -1;
  const kind = kinds[link];
  if (kind === Protocol.Ethernet) return offsets[link] + 6;
  if (kind === Protocol.Sll) return offsets[link] + SLL_ADDRESS;
  return kind === Protocol.Sll2 ? offsets[link] + SLL2_ADDRESS : -1;
}
