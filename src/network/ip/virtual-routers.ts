import type { Frame } from '../../wire/frame.js';
import { ipv4Source, ipv4Ttl } from '../../wire/ipv4.js';
import { SOURCE as IPV6_SOURCE, ipv6HopLimit } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import {
  VRRP_ADDRESSES,
  VRRP_PASSWORD,
  VrrpAuthentication,
  vrrpAuthentication,
  vrrpCount,
  vrrpInterval,
  vrrpPriority,
  vrrpRouter,
  vrrpVersion,
} from '../../wire/vrrp.js';
import type { Addresses } from '../addresses.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import { LIST } from '../rows/sightings.js';
import { type NetworkSettings, OWN_SETTINGS } from '../settings.js';
import {
  ADDRESS,
  ADDRESSES,
  AUTHENTICATION,
  BETWEEN,
  COOKED,
  DIGEST,
  DIRECTIONS,
  HI,
  INTERVAL,
  IPV6,
  LO,
  OWN_LIST,
  PASSWORD,
  PRIORITY,
  RIVAL,
  SINCE,
  STRIDE,
  TAKEOVERS,
  TTL,
  VERSION,
  VirtualRouterRows,
} from './virtual-router-rows.js';

const MAX_ROUTERS = 1 << 10;
/** Intervals in which both speak that are more than an election (catalogue D8). */
const ENOUGH = 3;

/** Of them are kept. */
const MAX_OWN = 4;

const GROUP_STRIDE = 6;

/**
 * Who advertises itself as master of a virtual router (VRRP): a row is (segment, id and IP version, source). Ids of IPv4 and
 * IPv6 are apart. Addresses are rows of `Addresses`.
 */
export class VirtualRouters extends VirtualRouterRows {
  /** The latest speaker of each group and 1: 0 once it gave up, and beside it whether it did or not. */
  private readonly groups = new KeyTable(GROUP_STRIDE, MAX_ROUTERS);

  private readonly deadIntervals: number;

  constructor(
    private readonly addresses: Addresses,
    lists: FrameLists,
    /** Told when two routers went on for 3, 4, 8, 16 … intervals though each spoke between the words of the other. */
    private readonly tell: (row: number) => void,
    /** Told when a router becomes master after another one, at another MAC. */
    private readonly tookOver: (row: number, former: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    super(lists, STRIDE, MAX_ROUTERS, OWN_LIST);
    this.deadIntervals = settings.deadIntervals;
  }

  /** An advertisement at `layer`, from (hi, lo); hi is -1 where the capture does not tell. */
  read(frame: Frame, layer: number, segment: number, hi: number, lo: number): void {
    if (layer === 0) return;
    const { view } = frame;
    const kind = frame.kinds[layer - 1];
    const header = frame.offsets[layer - 1];
    if (kind === Protocol.Ipv4) {
      const source = this.addresses.ipv4(ipv4Source(view, header));
      this.observe(frame, layer, segment, false, source, ipv4Ttl(view, header), hi, lo);
    } else if (kind === Protocol.Ipv6) {
      const source = this.addresses.ipv6(view, header + IPV6_SOURCE);
      this.observe(frame, layer, segment, true, source, ipv6HopLimit(view, header), hi, lo);
    }
  }

  private observe(
    frame: Frame,
    layer: number,
    segment: number,
    isIpv6: boolean,
    source: number,
    ttl: number,
    hi: number,
    lo: number,
  ): void {
    const { view, time } = frame;
    const at = frame.offsets[layer];
    const id = vrrpRouter(view, at) | (isIpv6 ? IPV6 : 0);
    const group = this.groups.add(segment, id, 0, 0) * GROUP_STRIDE + 4;
    const priority = vrrpPriority(view, at);
    // It gives up.
    if (priority === 0) {
      this.groups.cells[group] = 0;
      return;
    }
    const row = this.table.add(segment, id, source, 0);
    const { cells } = this.table;
    const cell = row * STRIDE;
    const before = this.last(row);
    const count = this.seen(row, time);
    const isFirst = count === 1;
    if (count <= MAX_OWN) this.list(cell + OWN_LIST, frame, layer);
    this.describe(frame, layer, cell, isIpv6, ttl);
    cells[cell + HI] = hi;
    cells[cell + LO] = lo;
    const other = this.groups.cells[group] - 1;
    this.groups.cells[group] = row + 1;
    const isRival =
      other >= 0 && other !== row && cells[other * STRIDE] === segment && cells[other * STRIDE + 1] === id;
    const goesOn = !isFirst && time - before <= this.patience(row);
    if (!goesOn) {
      this.table.doubles[(cell + SINCE) >> 1] = time;
      const former = this.groups.cells[group + 1] - 1;
      if (former >= 0 && former !== row && this.isOther(former, cell)) this.tookOver(row, former);
    }
    this.groups.cells[group + 1] = row + 1;
    if (isRival && !goesOn) cells[cell + TAKEOVERS]++;
    if (!isRival) {
      const rival = cells[cell + RIVAL] - 1;
      // The other is gone: what follows is another election.
      if (rival >= 0 && time - this.last(rival) > this.patience(rival)) cells[cell + BETWEEN] = 0;
      return;
    }
    if (!goesOn || time - this.last(other) > this.patience(other)) {
      cells[cell + BETWEEN] = 0;
      return;
    }
    cells[cell + RIVAL] = other + 1;
    cells[cell + BETWEEN]++;
    this.list(cell + LIST, frame, layer);
    const both = Math.min(cells[cell + BETWEEN], cells[other * STRIDE + BETWEEN]);
    const isTime = both === ENOUGH || (both > ENOUGH && (both & (both - 1)) === 0);
    if (isTime) this.tell(row);
  }

  /** Nanoseconds of silence after which it is no master any more. */
  patience(row: number): number {
    return this.interval(row) * 1e6 * this.deadIntervals;
  }

  /** Whether a router is one of the group of the row at `cell`, at another MAC. */
  private isOther(router: number, cell: number): boolean {
    const { cells } = this.table;
    const at = router * STRIDE;
    const isOfGroup = cells[at] === cells[cell] && cells[at + 1] === cells[cell + 1];
    const isAtSame = cells[at + HI] === cells[cell + HI] && cells[at + LO] === cells[cell + LO];
    return isOfGroup && !isAtSame && cells[at + HI] >= 0 && cells[cell + HI] >= 0;
  }

  private describe(frame: Frame, layer: number, cell: number, isIpv6: boolean, ttl: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const { cells } = this.table;
    cells[cell + PRIORITY] = vrrpPriority(view, at);
    cells[cell + VERSION] = vrrpVersion(view, at);
    cells[cell + INTERVAL] = vrrpInterval(view, at);
    cells[cell + AUTHENTICATION] = vrrpAuthentication(view, at);
    cells[cell + ADDRESSES] = vrrpCount(view, at);
    cells[cell + TTL] = ttl;
    cells[cell + DIRECTIONS] |= 1 << frame.direction;
    cells[cell + COOKED] = frame.kinds[0] === Protocol.Ethernet ? 0 : 1;
    const end = Math.min(frame.limits[layer], at + VRRP_ADDRESSES + vrrpCount(view, at) * (isIpv6 ? 16 : 4));
    cells[cell + DIGEST] = digestOf(view, at + VRRP_ADDRESSES, end);
    const hasPassword = vrrpAuthentication(view, at) === VrrpAuthentication.Password;
    cells[cell + PASSWORD] = hasPassword ? digestOf(view, end, Math.min(frame.limits[layer], end + VRRP_PASSWORD)) : 0;
    const address = at + VRRP_ADDRESSES;
    const hasAddress = vrrpCount(view, at) > 0 && address + (isIpv6 ? 16 : 4) <= frame.limits[layer];
    if (!hasAddress) cells[cell + ADDRESS] = -1;
    else if (isIpv6) cells[cell + ADDRESS] = this.addresses.ipv6(view, address);
    else cells[cell + ADDRESS] = this.addresses.ipv4(view.getInt32(address));
  }
}

/** All words from `at` to `end` in one number. */
function digestOf(view: DataView, at: number, end: number): number {
  let digest = 0;
  for (let word = at; word + 4 <= end; word += 4) digest = Math.imul(digest ^ view.getInt32(word), 0x85ebca6b);
  return digest;
}
