import { KeyTable } from '../rows/key-table.js';
import { RowIndex, spread } from '../rows/row-index.js';

const MAX_BINDINGS = 1 << 17;
const MAX_OWNERS = 1 << 16;
/** Addresses of a station that are kept at hand, the first that it claimed. */
const OWNED = 4;
const OWNED_COUNT = 4;
const OWNED_FIRST = 5;
const OWNER_STRIDE = OWNED_FIRST + OWNED;

/** What a station has to do with an address; bits of `Bindings.claims`. */
export const Claim = {
  /** Sender address of an ARP request, source of a neighbor solicitation. */
  Request: 1,
  /** Sender address of an ARP reply, target of a neighbor advertisement. */
  Reply: 2,
  /** ARP with spa = tpa, unsolicited neighbor advertisement. */
  Announcement: 4,
  /** Source of an IP packet; a router's MAC carries others' addresses too. */
  Source: 8,
  /** No claim but its contrary: the station asked who has the address. */
  Asked: 16,
  /** The first three: forms in which a station says itself that an address is its own. */
  Own: 1 | 2 | 4,
} as const;

const FLAGS = 4;
const SOURCED = 5;
const DELIVERED = 6;
const BEFORE = 7;
const TTL = 8;
const STRIDE = 9;

/** Which station used which address: MAC and IP together, per segment. */
export class Bindings {
  private readonly table = new KeyTable(STRIDE, MAX_BINDINGS);
  /** The first addresses that each station claimed. */
  private readonly owners = new KeyTable(OWNER_STRIDE, MAX_OWNERS);
  private readonly byAddress = new RowIndex(this.table, (cells, at) => spread(cells[at + 3]));
  private readonly byStation = new RowIndex(this.table, (cells, at) => spread(cells[at + 2]));

  get count(): number {
    return this.table.rowCount;
  }

  /** Notes that a station claims an address. `address` is a row of `Addresses`. */
  claim(segment: number, hi: number, lo: number, address: number, claim: number): number {
    const row = this.table.add(segment, hi, lo, address);
    const at = row * STRIDE + FLAGS;
    if ((claim & Claim.Own) !== 0 && (this.table.cells[at] & Claim.Own) === 0) this.addOwned(segment, hi, lo, address);
    this.table.cells[at] |= claim;
    return row;
  }

  /** Notes that a station asks for an address that it claimed or used itself: it has it no more, or answered for another. */
  ask(segment: number, hi: number, lo: number, address: number): void {
    const row = this.table.find(segment, hi, lo, address);
    if (row >= 0) this.table.cells[row * STRIDE + FLAGS] |= Claim.Asked;
  }

  /** Bindings of the station's other addresses, as far as they are kept at hand: the first few that it claimed. */
  others(row: number): number[] {
    const [segment, hi, lo] = [this.segment(row), this.hi(row), this.lo(row)];
    return this.kept(segment, hi, lo)
      .map((address) => this.table.find(segment, hi, lo, address))
      .filter((each) => each >= 0 && each !== row);
  }

  /** Notes an IP packet from a station with this source address, with its TTL or hop limit; all of them are counted once an address is contested. */
  source(segment: number, hi: number, lo: number, address: number, ttl: number): void {
    const row = this.table.add(segment, hi, lo, address);
    if (this.table.cells[row * STRIDE + TTL] === 0) this.table.cells[row * STRIDE + TTL] = ttl;
    this.table.cells[row * STRIDE + FLAGS] |= Claim.Source;
    this.table.cells[row * STRIDE + SOURCED]++;
  }

  /** Counts an IP packet for this address that was sent to a station, if the two are known together. */
  deliver(segment: number, hi: number, lo: number, address: number): void {
    const row = this.table.find(segment, hi, lo, address);
    if (row >= 0) this.table.cells[row * STRIDE + DELIVERED]++;
  }

  /** Bindings of an address, whoever uses it, in whatever segments. */
  ofAddress(address: number): number[] {
    return [...this.byAddress.rows(spread(address))].filter((row) => this.address(row) === address);
  }

  /** Bindings of an address in a segment, whoever uses it. */
  of(segment: number, address: number): number[] {
    return this.ofAddress(address).filter((row) => this.segment(row) === segment);
  }

  /** TTL or hop limit of the first IP packet that the station sent from the address, 0 if there was none. */
  ttl(row: number): number {
    return this.table.cells[row * STRIDE + TTL];
  }

  find(segment: number, hi: number, lo: number, address: number): number {
    return this.table.find(segment, hi, lo, address);
  }

  /** Rows of `Addresses` that a station said are its own, by ARP or neighbor discovery. */
  own(segment: number, hi: number, lo: number): number[] {
    const kept = this.kept(segment, hi, lo);
    if (kept.length < OWNED && this.owners.evicted === 0) return kept;
    return this.ofStation(segment, hi, lo)
      .filter((row) => (this.claims(row) & Claim.Own) !== 0)
      .map((row) => this.address(row));
  }

  /** All bindings of a station. */
  ofStation(segment: number, hi: number, lo: number): number[] {
    return [...this.byStation.rows(spread(lo))].filter(
      (row) => this.lo(row) === lo && this.hi(row) === hi && this.segment(row) === segment,
    );
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  hi(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  address(row: number): number {
    return this.table.cells[row * STRIDE + 3];
  }

  /** Bits of `Claim`. */
  claims(row: number): number {
    return this.table.cells[row * STRIDE + FLAGS];
  }

  /** From now on `deliver` counts, and `sourcedSince` counts from here. */
  contest(row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + BEFORE] === 0) cells[at + BEFORE] = cells[at + SOURCED] + 1;
  }

  /** IP packets that the station sent from the address since it was contested. */
  sourcedSince(row: number): number {
    const { cells } = this.table;
    const before = cells[row * STRIDE + BEFORE];
    return before === 0 ? 0 : cells[row * STRIDE + SOURCED] - (before - 1);
  }

  /** IP packets for the address that were sent to the station, since the address was contested. */
  delivered(row: number): number {
    return this.table.cells[row * STRIDE + DELIVERED];
  }

  /** The first addresses that a station claimed. */
  private kept(segment: number, hi: number, lo: number): number[] {
    const owner = this.owners.find(segment, hi, lo, 0);
    if (owner < 0) return [];
    const { cells } = this.owners;
    const at = owner * OWNER_STRIDE;
    return [...cells.subarray(at + OWNED_FIRST, at + OWNED_FIRST + cells[at + OWNED_COUNT])];
  }

  private addOwned(segment: number, hi: number, lo: number, address: number): void {
    const at = this.owners.add(segment, hi, lo, 0) * OWNER_STRIDE;
    const { cells } = this.owners;
    const count = cells[at + OWNED_COUNT];
    if (count === OWNED) return;
    // A binding that was given up for others comes anew.
    for (let i = 0; i < count; i++) if (cells[at + OWNED_FIRST + i] === address) return;
    cells[at + OWNED_FIRST + count] = address;
    cells[at + OWNED_COUNT]++;
  }
}

/** As `Bindings.claim`, at once where `likely` is the row and the claim was noted before. */
export function claimAgain(
  bindings: Bindings,
  likely: number,
  segment: number,
  hi: number,
  lo: number,
  address: number,
  claim: number,
): number {
  const isSame =
    bindings.address(likely) === address &&
    bindings.lo(likely) === lo &&
    bindings.hi(likely) === hi &&
    bindings.segment(likely) === segment;
  if (isSame && (bindings.claims(likely) & claim) !== 0) return likely;
  return bindings.claim(segment, hi, lo, address, claim);
}
