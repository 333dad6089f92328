import type { Frame } from '../../wire/frame.js';
import { Icmpv6Type, icmpv6Flags, icmpv6Type, TARGET } from '../../wire/icmpv6.js';
import type { Addresses } from '../addresses.js';
import type { Place } from '../rows/frame-lists.js';
import { KEY_WORDS, KeyTable } from '../rows/key-table.js';

const MAX_NEIGHBORS = 1024;
/** Flag R of a neighbor advertisement (RFC 4861 section 4.4). */
const ROUTER = 0x80;
/** Bytes of an advertisement without options. */
const LENGTH = 24;

const IS_ROUTER = KEY_WORDS;
/** Row of `Addresses` and 1: the address that it advertised, and whether that is link-local. */
const ADDRESS = KEY_WORDS + 1;
const IS_LOCAL = KEY_WORDS + 2;
const OFFSET = KEY_WORDS + 3;
/** Number of its first advertisement, as a double. */
const FRAME = 4;
const STRIDE = KEY_WORDS + 6;
const DOUBLES = STRIDE / 2;

/** Which stations say that they are IPv6 routers, and which say that they are hosts. A row is (segment, MAC). */
export class NeighborRoles {
  private readonly table = new KeyTable(STRIDE, MAX_NEIGHBORS);

  constructor(private readonly addresses: Addresses) {}

  /** Takes an ICMPv6 header in that is no copy; (hi, lo) is the source of the frame. */
  read(frame: Frame, layer: number, segment: number, hi: number, lo: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const type = icmpv6Type(view, at);
    const isAdvertised = type === Icmpv6Type.NeighborAdvertisement;
    if (!isAdvertised && type !== Icmpv6Type.RouterAdvertisement) return;
    const row = this.table.add(segment, hi, lo, 0);
    const { cells, doubles } = this.table;
    const cell = row * STRIDE;
    if (doubles[row * DOUBLES + FRAME] === 0) {
      doubles[row * DOUBLES + FRAME] = frame.number;
      cells[cell + OFFSET] = at - frame.start;
    }
    if (!isAdvertised || (icmpv6Flags(view, at) & ROUTER) !== 0) cells[cell + IS_ROUTER] = 1;
    // An address of its network says more than a link-local one (fe80::/10, RFC 4291 section 2.5.6).
    if (!isAdvertised || (cells[cell + ADDRESS] !== 0 && cells[cell + IS_LOCAL] === 0)) return;
    cells[cell + ADDRESS] = this.addresses.ipv6(view, at + TARGET) + 1;
    cells[cell + IS_LOCAL] = (view.getUint16(at + TARGET) & 0xffc0) === 0xfe80 ? 1 : 0;
  }

  /** Row of a station that said it is a host and never that it is a router, -1 for any other. */
  host(segment: number, hi: number, lo: number): number {
    const row = this.table.find(segment, hi, lo, 0);
    return row >= 0 && this.table.cells[row * STRIDE + IS_ROUTER] === 0 ? row : -1;
  }

  /** Row of `Addresses`: an address that a host advertised. */
  address(row: number): number {
    return this.table.cells[row * STRIDE + ADDRESS] - 1;
  }

  /** Its first advertisement. */
  place(row: number): Place {
    const { cells, doubles } = this.table;
    return { frame: doubles[row * DOUBLES + FRAME], offset: cells[row * STRIDE + OFFSET], length: LENGTH };
  }
}
