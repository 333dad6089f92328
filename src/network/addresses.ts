import { formatIpv4, ipv6At } from '../wire/address.js';
import { KeyTable } from './rows/key-table.js';

/**
 * Tables and rules keep numbers of addresses, and a number that is given to another address makes them speak of that one. So
 * there are as many as captures of backbones have, and where forged ones are more, the first half keeps its numbers.
 */
const MAX_ADDRESSES = 1 << 20;
const KEPT = MAX_ADDRESSES >> 1;
/** All bits of a row's number. With it V8 knows its range, and checks no sum or product of it for overflow. */
const ROW = MAX_ADDRESSES - 1;
/** Third word of an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), the form in which IPv4 is kept. */
const MAPPED = 0xffff;
/** Rows at hand, by hash of their address. */
const NEAR_BITS = 13;

/** IP addresses by number, so that tables can have any address in one word of their keys. */
export class Addresses {
  private readonly table = new KeyTable(4, MAX_ADDRESSES, null, null, 0, KEPT);
  /** The row found last for each hash: its address tells whether it is the right one. */
  private readonly near = new Int32Array(1 << NEAR_BITS);
  private readonly text = new DataView(new ArrayBuffer(16));

  /** Number of an IPv4 address, given as signed integer. */
  ipv4(address: number): number {
    const slot = Math.imul(address, 0x9e3779b1) >>> (32 - NEAR_BITS);
    const row = this.near[slot] & ROW;
    const { cells } = this.table;
    const at = row * 4;
    if (cells[at + 3] === address && cells[at + 2] === MAPPED && cells[at] === 0 && cells[at + 1] === 0) return row;
    return this.fetch(0, 0, MAPPED, address, slot);
  }

  /** Number of the IPv6 address that stands at `at`. */
  ipv6(view: DataView, at: number): number {
    const a = view.getInt32(at);
    const b = view.getInt32(at + 4);
    const c = view.getInt32(at + 8);
    const d = view.getInt32(at + 12);
    const slot = Math.imul(d ^ Math.imul(c ^ b, 0x85ebca6b), 0x9e3779b1) >>> (32 - NEAR_BITS);
    const row = this.near[slot] & ROW;
    const { cells, rowCount } = this.table;
    const i = row * 4;
    if (cells[i + 3] === d && cells[i + 2] === c && cells[i + 1] === b && cells[i] === a && row < rowCount) return row;
    return this.fetch(a, b, c, d, slot);
  }

  /** Number of an address of a host context: one signed word for IPv4, four for IPv6; -1 if no frame has shown it. */
  find(words: readonly number[]): number {
    return words.length === 1
      ? this.table.find(0, 0, MAPPED, words[0])
      : this.table.find(words[0], words[1], words[2], words[3]);
  }

  private fetch(a: number, b: number, c: number, d: number, slot: number): number {
    const row = this.table.add(a, b, c, d);
    this.near[slot] = row;
    return row;
  }

  isIpv4(row: number): boolean {
    const { cells } = this.table;
    return cells[row * 4] === 0 && cells[row * 4 + 1] === 0 && cells[row * 4 + 2] === MAPPED;
  }

  /** Whether it is 0.0.0.0 or ::, which stands for having none (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2). */
  isUnspecified(row: number): boolean {
    const { cells } = this.table;
    const at = row * 4;
    return cells[at] === 0 && cells[at + 1] === 0 && cells[at + 3] === 0 && (cells[at + 2] === 0 || this.isIpv4(row));
  }

  /** The IPv4 address of a row that is one, as signed integer. */
  ipv4Of(row: number): number {
    return this.table.cells[row * 4 + 3];
  }

  /** The address as a host context names it: one signed word for IPv4, four for IPv6. */
  words(row: number): Int32Array {
    return this.table.cells.slice(row * 4 + (this.isIpv4(row) ? 3 : 0), row * 4 + 4);
  }

  format(row: number): string {
    const { cells } = this.table;
    if (this.isIpv4(row)) return formatIpv4(cells[row * 4 + 3]);
    for (let i = 0; i < 4; i++) this.text.setInt32(4 * i, cells[row * 4 + i]);
    return ipv6At(this.text, 0);
  }
}
