import type { Frame } from '../../wire/frame.js';
import { NdpOption, ndpOption, ndpOptionBehind, routerLifetime } from '../../wire/icmpv6.js';
import { ipv6HopLimit, SOURCE } from '../../wire/ipv6.js';
import type { Addresses } from '../addresses.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { OWN, Sightings } from '../rows/sightings.js';

const MAX_ROUTERS = 1024;
/** Prefixes of a router that are remembered; further ones are passed over. */
const MAX_PREFIXES = 8;
/** Hosts drop advertisements that were forwarded or have another source (RFC 4861 section 6.1.2). */
const HOP_LIMIT = 255;
/** Offsets in a prefix information option (RFC 4861 section 4.6.2). */
const PREFERRED_LIFETIME = 8;
const PREFIX = 16;
const PREFIX_OPTION_LENGTH = 32;

const HI = OWN;
const LO = OWN + 1;
const LIFETIME = OWN + 2;
const PREFIX_COUNT = OWN + 3;
const PREFIXES = OWN + 4;
const STRIDE = PREFIXES + MAX_PREFIXES;

/** IPv6 routers that advertise themselves (RFC 4861 section 4.2), by (segment, link-local address), with their prefixes. */
export class Routers extends Sightings {
  constructor(
    private readonly addresses: Addresses,
    lists: FrameLists,
    private readonly tell: (row: number) => void,
  ) {
    super(lists, STRIDE, MAX_ROUTERS);
  }

  /** A router advertisement: `layer` is its ICMPv6 header, `ip` the IPv6 header. Told are new routers, prefixes and lifetimes. */
  advertise(frame: Frame, layer: number, ip: number, segment: number, hi: number, lo: number): void {
    const { view } = frame;
    const header = frame.offsets[ip];
    // fe80::/10, RFC 4291 section 2.5.6.
    const isLinkLocal = (view.getUint16(header + SOURCE) & 0xffc0) === 0xfe80;
    if (ipv6HopLimit(view, header) !== HOP_LIMIT || !isLinkLocal) return;
    const at = frame.offsets[layer];
    const end = frame.ends[layer];
    const row = this.table.add(segment, this.addresses.ipv6(view, header + SOURCE), 0, 0);
    const cell = row * STRIDE;
    let isNews = false;
    for (
      let option = ndpOption(view, at, end, NdpOption.Prefix);
      option >= 0;
      option = ndpOptionBehind(view, option, end, NdpOption.Prefix)
    ) {
      if (view.getUint8(option + 1) << 3 !== PREFIX_OPTION_LENGTH) continue;
      // A preferred lifetime of 0 takes a prefix back: nobody makes new addresses of it.
      if (view.getUint32(option + PREFERRED_LIFETIME) === 0) continue;
      if (this.addPrefix(cell, this.addresses.ipv6(view, option + PREFIX))) isNews = true;
    }
    const { cells } = this.table;
    const lifetime = routerLifetime(view, at);
    if (cells[cell + LIFETIME] !== lifetime) isNews = true;
    cells[cell + HI] = hi;
    cells[cell + LO] = lo;
    cells[cell + LIFETIME] = lifetime;
    this.sight(row, frame, layer);
    if (isNews) this.tell(row);
  }

  /** Row of `Addresses`: the router's link-local address. */
  address(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  hi(row: number): number {
    return this.table.cells[row * STRIDE + HI];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + LO];
  }

  /** Seconds for which hosts take it as their default router, as it said last; 0: not at all. */
  lifetime(row: number): number {
    return this.table.cells[row * STRIDE + LIFETIME];
  }

  /** Rows of `Addresses`. */
  prefixes(row: number): number[] {
    const { cells } = this.table;
    const at = row * STRIDE;
    return [...cells.subarray(at + PREFIXES, at + PREFIXES + cells[at + PREFIX_COUNT])];
  }

  private addPrefix(cell: number, prefix: number): boolean {
    const { cells } = this.table;
    const count = cells[cell + PREFIX_COUNT];
    for (let i = 0; i < count; i++) if (cells[cell + PREFIXES + i] === prefix) return false;
    if (count === MAX_PREFIXES) return false;
    cells[cell + PREFIXES + count] = prefix;
    cells[cell + PREFIX_COUNT]++;
    return true;
  }
}
