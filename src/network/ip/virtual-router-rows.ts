import type { Place } from '../rows/frame-lists.js';
import { COUNT, OWN, Sightings } from '../rows/sightings.js';

export const BETWEEN = OWN;
export const RIVAL = OWN + 1;
export const PRIORITY = OWN + 2;
export const VERSION = OWN + 3;
export const INTERVAL = OWN + 4;
export const AUTHENTICATION = OWN + 5;
export const ADDRESSES = OWN + 6;
export const ADDRESS = OWN + 7;
export const TTL = OWN + 8;
export const DIRECTIONS = OWN + 9;
/** All addresses in one number, to tell whether two are the same. */
export const DIGEST = OWN + 10;
export const COOKED = OWN + 11;
/** How often it became master after another. */
export const TAKEOVERS = OWN + 12;
/** Its first advertisements, whoever else speaks. */
export const OWN_LIST = OWN + 13;
/** Its password in one number, 0 where it gives none. */
export const PASSWORD = OWN + 14;
/** When it became master last, a double. */
export const SINCE = OWN + 16;
/** The MAC that it speaks from; -1 where the capture does not tell. */
export const HI = OWN + 18;
export const LO = OWN + 19;
/** Even, as `Sightings` wants it. */
export const STRIDE = OWN + 20;
/** Beside the id in a key: IPv6. */
export const IPV6 = 1 << 8;

/** What is known of each virtual router's advertisers, and what rules ask of it; `VirtualRouters` writes it. */
export abstract class VirtualRouterRows extends Sightings {
  /** How often a router became master after another, in the segments that `isOfCapture` names. */
  takeovers(isOfCapture: (segment: number) => boolean): number {
    const { cells, rowCount } = this.table;
    let count = 0;
    for (let row = 0; row < rowCount; row++)
      if (isOfCapture(this.segment(row))) count += cells[row * STRIDE + TAKEOVERS];
    return count;
  }

  /** Whether an address (row of `Addresses`) sent advertisements. For rare use: it looks at every row. */
  isSource(address: number): boolean {
    for (let row = 0; row < this.table.rowCount; row++) if (this.source(row) === address) return true;
    return false;
  }

  /** Row of the router that speaks between the words of this one. */
  rival(row: number): number {
    return this.table.cells[row * STRIDE + RIVAL] - 1;
  }

  /** Whether an address (row of `Addresses`) is the first that a virtual router in the segment tells. For rare use: it looks at every row. */
  isVirtual(segment: number, address: number): boolean {
    return this.serving(segment, address).length > 0;
  }

  /** Routers that tell an address (row of `Addresses`) as their first in a segment, under whatever id. For rare use: it looks at every row. */
  serving(segment: number, address: number): number[] {
    const { cells, rowCount } = this.table;
    const found: number[] = [];
    for (let row = 0; row < rowCount; row++)
      if (cells[row * STRIDE] === segment && cells[row * STRIDE + ADDRESS] === address) found.push(row);
    return found;
  }

  /** Its first advertisements as evidence; `places` are those between which another spoke. */
  ownPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + OWN_LIST]);
  }

  /** Advertisements of the router. */
  times(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** `Frame.time` of the advertisement with which it became master last. */
  since(row: number): number {
    return this.table.doubles[(row * STRIDE + SINCE) >> 1];
  }

  /** Virtual router id, 1 to 255. */
  id(row: number): number {
    return this.table.cells[row * STRIDE + 1] & 0xff;
  }

  isIpv6(row: number): boolean {
    return (this.table.cells[row * STRIDE + 1] & IPV6) !== 0;
  }

  source(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  /** Advertisements between which the other spoke. */
  between(row: number): number {
    return this.table.cells[row * STRIDE + BETWEEN];
  }

  priority(row: number): number {
    return this.table.cells[row * STRIDE + PRIORITY];
  }

  version(row: number): number {
    return this.table.cells[row * STRIDE + VERSION];
  }

  /** Time between its advertisements as it tells it, in milliseconds. */
  interval(row: number): number {
    return this.table.cells[row * STRIDE + INTERVAL];
  }

  /** Type of authentication (version 2; 0 in version 3). */
  authentication(row: number): number {
    return this.table.cells[row * STRIDE + AUTHENTICATION];
  }

  /** Equal for routers that give the same password, or none. */
  password(row: number): number {
    return this.table.cells[row * STRIDE + PASSWORD];
  }

  /** How many virtual addresses it tells, and the first of them; -1 where that was cut. */
  addressCount(row: number): number {
    return this.table.cells[row * STRIDE + ADDRESSES];
  }

  firstAddress(row: number): number {
    return this.table.cells[row * STRIDE + ADDRESS];
  }

  /** Equal for routers that tell the same virtual addresses. */
  digest(row: number): number {
    return this.table.cells[row * STRIDE + DIGEST];
  }

  /** Whether it was seen without Ethernet headers, where VLAN tags get lost. */
  isCooked(row: number): boolean {
    return this.table.cells[row * STRIDE + COOKED] !== 0;
  }

  ttl(row: number): number {
    return this.table.cells[row * STRIDE + TTL];
  }

  /** Whether its advertisements were seen going this way (`Direction`). */
  went(row: number, direction: number): boolean {
    return (this.table.cells[row * STRIDE + DIRECTIONS] & (1 << direction)) !== 0;
  }

  hi(row: number): number {
    return this.table.cells[row * STRIDE + HI];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + LO];
  }
}
