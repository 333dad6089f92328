import { ArpOperation, arpOperation, isEthernetIpv4, SPA, TPA } from '../../wire/arp.js';
import type { Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { RowIndex, spread } from '../rows/row-index.js';
import { COUNT, OWN, Sightings } from '../rows/sightings.js';

const MAX_ARRIVALS = 1 << 12;

/** Announcements by RARP among them. */
const RARPS = OWN;
const STRIDE = OWN + 2;

/**
 * Stations that came to another place: what a hypervisor announces by RARP for a guest that arrived, and group-addressed frames
 * that pass the other way than those of their sender did before. By (segment, MAC).
 */
export class Arrivals extends Sightings {
  private readonly byMac = new RowIndex(this.table, (cells, at) => spread(cells[at + 2]));

  constructor(lists: FrameLists) {
    super(lists, STRIDE, MAX_ARRIVALS);
  }

  /** `isRarp`: the frame announces the station, by RARP in `layer`. */
  arrive(segment: number, hi: number, lo: number, frame: Frame, layer: number, isRarp: boolean): void {
    const row = this.table.add(segment, hi, lo, 0);
    if (isRarp) this.table.cells[row * STRIDE + RARPS]++;
    this.sight(row, frame, layer);
  }

  /** The rows of a MAC in whatever segments. */
  of(hi: number, lo: number): number[] {
    const { cells } = this.table;
    return [...this.byMac.rows(spread(lo))].filter(
      (row) => cells[row * STRIDE + 1] === hi && cells[row * STRIDE + 2] === lo,
    );
  }

  hi(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  /** How often it was announced, or seen to come from elsewhere. */
  times(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** How often it was announced by RARP. */
  rarps(row: number): number {
    return this.table.cells[row * STRIDE + RARPS];
  }
}

/** RARP, as hypervisors send it for a guest that arrived, or an ARP announcement, in `layer` or behind VLAN tags there. */
export function announcesItself({ view, kinds, offsets, layerCount }: Frame, layer: number): boolean {
  while (layer < layerCount && kinds[layer] === Protocol.Vlan) layer++;
  if (layer >= layerCount || kinds[layer] !== Protocol.Arp || !isEthernetIpv4(view, offsets[layer])) return false;
  const at = offsets[layer];
  if (arpOperation(view, at) >= ArpOperation.RarpRequest) return true;
  return view.getInt32(at + SPA) === view.getInt32(at + TPA);
}
