import {
  DhcpMessage,
  DhcpOption,
  dhcpMessageType,
  dhcpSelectsSubnet,
  dhcpTransactionId,
  dhcpWordOption,
  GIADDR,
  YIADDR,
} from '../../wire/dhcp.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Destination } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { longer } from '../rows/columns.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import { SAME_MESSAGE } from './leases.js';

const MAX_RELAYS = 1 << 10;
/** Exchanges of a relay that are remembered: the first ones. */
const MAX_EXCHANGES = 8;
/** Questions in vain that are told first. */
const ENOUGH = 3;

const ASKED = 4;
const SERVER = 5;
const XID = 6;
const ASK_LIST = 7;
const ANSWERS = 8;
const SELECTS = 9;
const ODD = 10;
const LEASE = 11;
const MASK = 12;
const ROUTER = 13;
const ODD_LIST = 14;
const EXCHANGE_COUNT = 15;
const EXCHANGES = 16;
const STRIDE = EXCHANGES + MAX_EXCHANGES;

/**
 * DHCP relays (RFC 2131 section 4.1, RFC 1542 section 4): a row is (segment, giaddr), with what was asked and answered there
 * in its name. Addresses are signed integers.
 */
export class Relays {
  private readonly table: KeyTable;
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private oddFirsts = new Float64Array(0);
  private oddLasts = new Float64Array(0);

  constructor(
    private readonly lists: FrameLists,
    /** Told at the 3rd, 4th, 8th … question in vain, at the first answer, and at the first odd one. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_RELAYS,
      (row) => {
        this.lists.release(this.table.cells[row * STRIDE + ASK_LIST]);
        this.lists.release(this.table.cells[row * STRIDE + ODD_LIST]);
      },
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
        this.oddFirsts = longer(this.oddFirsts, capacity);
        this.oddLasts = longer(this.oddLasts, capacity);
      },
    );
  }

  /** A DHCP message of an exchange (row of `Leases`); `layer` is its header. */
  observe(frame: Frame, layer: number, segment: number, exchange: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const relay = view.getInt32(at + GIADDR);
    if (relay === 0) return;
    const end = frame.ends[layer];
    const type = dhcpMessageType(view, at, end);
    const isQuestion = type === DhcpMessage.Discover || type === DhcpMessage.Request;
    if (!isQuestion && type !== DhcpMessage.Offer && type !== DhcpMessage.Ack) return;
    const row = this.table.add(segment, relay, 0, 0);
    const { cells } = this.table;
    const cell = row * STRIDE;
    if (dhcpSelectsSubnet(view, at, end)) cells[cell + SELECTS] = 1;
    if (isQuestion) this.asks(frame, layer, row, exchange);
    else this.answers(frame, layer, row, exchange);
  }

  private asks(frame: Frame, layer: number, row: number, exchange: number): void {
    const { view } = frame;
    const { cells } = this.table;
    const cell = row * STRIDE;
    const xid = dhcpTransactionId(view, frame.offsets[layer]) | 0;
    // A relay asks all its servers at once.
    if (cells[cell + ASKED] > 0 && cells[cell + XID] === xid && frame.time - this.lasts[row] < SAME_MESSAGE) return;
    if (cells[cell + ASKED]++ === 0) this.firsts[row] = frame.time;
    this.lasts[row] = frame.time;
    cells[cell + XID] = xid;
    const ip = layer - 2;
    if (ip >= 0 && frame.kinds[ip] === Protocol.Ipv4) cells[cell + SERVER] = ipv4Destination(view, frame.offsets[ip]);
    cells[cell + ASK_LIST] = this.note(cells[cell + ASK_LIST], frame, layer);
    this.belongs(cell, exchange);
    const count = cells[cell + ASKED];
    if (cells[cell + ANSWERS] === 0 && count >= ENOUGH && (count === ENOUGH || (count & (count - 1)) === 0))
      this.tell(row);
  }

  private answers(frame: Frame, layer: number, row: number, exchange: number): void {
    const { view } = frame;
    const { cells } = this.table;
    const cell = row * STRIDE;
    const at = frame.offsets[layer];
    const end = frame.ends[layer];
    const isFirst = cells[cell + ANSWERS]++ === 0;
    const lease = view.getInt32(at + YIADDR);
    const option = dhcpWordOption(view, at, end, DhcpOption.SubnetMask);
    const mask = option < 0 ? 0 : option | 0;
    const isOdd = lease !== 0 && isSubnet(mask) && ((lease ^ cells[cell + 1]) & mask) !== 0;
    if (isOdd) {
      if (cells[cell + ODD]++ === 0) this.oddFirsts[row] = frame.time;
      this.oddLasts[row] = frame.time;
      const router = dhcpWordOption(view, at, end, DhcpOption.Router);
      cells[cell + LEASE] = lease;
      cells[cell + MASK] = mask;
      cells[cell + ROUTER] = router < 0 ? 0 : router | 0;
      cells[cell + ODD_LIST] = this.note(cells[cell + ODD_LIST], frame, layer);
      this.belongs(cell, exchange);
    }
    if (isFirst || (isOdd && cells[cell + ODD] === 1)) this.tell(row);
  }

  private belongs(cell: number, exchange: number): void {
    const { cells } = this.table;
    const count = cells[cell + EXCHANGE_COUNT];
    if (count === MAX_EXCHANGES) return;
    for (let i = 0; i < count; i++) if (cells[cell + EXCHANGES + i] === exchange) return;
    cells[cell + EXCHANGES + count] = exchange;
    cells[cell + EXCHANGE_COUNT]++;
  }

  private note(list: number, frame: Frame, layer: number): number {
    const offset = frame.offsets[layer];
    return this.lists.append(list, frame.number, offset - frame.start, frame.ends[layer] - offset);
  }

  get count(): number {
    return this.table.rowCount;
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  /** giaddr: the relay's address on the link of its clients. */
  address(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  /** Discovers and requests in its name, those to several servers at once counted once. */
  asked(row: number): number {
    return this.table.cells[row * STRIDE + ASKED];
  }

  /** Where the latest of them was sent to; 0 for none, or where the capture does not tell. */
  server(row: number): number {
    return this.table.cells[row * STRIDE + SERVER];
  }

  /** Offers and acknowledgments with its address. */
  answered(row: number): number {
    return this.table.cells[row * STRIDE + ANSWERS];
  }

  /** Whether a message named another subnet to lease from. */
  selects(row: number): boolean {
    return this.table.cells[row * STRIDE + SELECTS] !== 0;
  }

  /** Answers whose address is in another subnet than the relay's. */
  odd(row: number): number {
    return this.table.cells[row * STRIDE + ODD];
  }

  /** Address, subnet mask and router (0 for none) of the latest of them. */
  lease(row: number): { address: number; mask: number; router: number } {
    const { cells } = this.table;
    const cell = row * STRIDE;
    return { address: cells[cell + LEASE], mask: cells[cell + MASK], router: cells[cell + ROUTER] };
  }

  /** Rows of `Leases`: the first exchanges that were asked in vain, or answered oddly. */
  exchanges(row: number): number[] {
    const { cells } = this.table;
    const at = row * STRIDE + EXCHANGES;
    return [...cells.subarray(at, at + cells[row * STRIDE + EXCHANGE_COUNT])];
  }

  /** `Frame.time` of the first and last question, and of the odd answers. */
  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  oddFirst(row: number): number {
    return this.oddFirsts[row];
  }

  oddLast(row: number): number {
    return this.oddLasts[row];
  }

  /** The questions, and the odd answers, as evidence. */
  askPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + ASK_LIST]);
  }

  oddPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + ODD_LIST]);
  }
}

/** Whether a subnet mask leaves room for a router and a host: ones, then at least two zeros. */
function isSubnet(mask: number): boolean {
  const hosts = ~mask;
  return mask !== 0 && hosts >= 3 && (hosts & (hosts + 1)) === 0;
}
