import { formatIpv4, ipv6At } from '../wire/address.js';
import { KeyTable } from './key-table.js';

const MAX_ADDRESSES = 1 << 17;
/** Third word of an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), the form in which IPv4 is kept. */
const MAPPED = 0xffff;

/** IP addresses by number, so that tables can have any address in one word of their keys. */
export class Addresses {
  private readonly table = new KeyTable(4, MAX_ADDRESSES);
  private readonly text = new DataView(new ArrayBuffer(16));

  /** Number of an IPv4 address, given as signed integer. */
  ipv4(address: number): number {
    return this.table.add(0, 0, MAPPED, address);
  }

  /** Number of the IPv6 address that stands at `at`. */
  ipv6(view: DataView, at: number): number {
    return this.table.add(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
  }

  isIpv4(row: number): boolean {
    const { cells } = this.table;
    return cells[row * 4] === 0 && cells[row * 4 + 1] === 0 && cells[row * 4 + 2] === MAPPED;
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
