import type { Frame } from '../../wire/frame.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { RowIndex, spread } from '../rows/row-index.js';
import { COUNT, LIST, OWN, Sightings } from '../rows/sightings.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from '../settings.js';
import { SAME_REQUEST_NS } from './same-request.js';

const MAX_ANNOUNCEMENTS = 1 << 15;

const ZERO_THA = OWN;
const KERNEL_GAPS = OWN + 1;
const REPLIES = OWN + 2;
const STRIDE = OWN + 4;

/** ARP packets in which a station names its own address as target, by (segment, sha, address). */
export class Announcements extends Sightings {
  private readonly byAddress = new RowIndex(this.table, (cells, at) => spread(cells[at + 3]));
  private readonly announcementSeries: number;
  private readonly kernelGapMin: number;
  private readonly kernelGapMax: number;

  constructor(
    lists: FrameLists,
    private readonly tell: (row: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    super(lists, STRIDE, MAX_ANNOUNCEMENTS);
    this.kernelGapMin = ns(settings.kernelGapMin);
    this.kernelGapMax = ns(settings.kernelGapMax);
    this.announcementSeries = ns(settings.announcementSeries);
  }

  /** `isReply`: the announcement has the form of a reply; `zeroTha`: its target hardware address is 0. */
  announce(
    segment: number,
    hi: number,
    lo: number,
    address: number,
    frame: Frame,
    layer: number,
    isReply: boolean,
    zeroTha: boolean,
  ): void {
    const row = this.table.add(segment, hi, lo, address);
    const { cells } = this.table;
    const at = row * STRIDE;
    const { time } = frame;
    const gap = time - this.last(row);
    const isNew = cells[at + COUNT] === 0;
    if (!isNew && gap < SAME_REQUEST_NS && gap > -SAME_REQUEST_NS) return;
    if (isNew || gap > this.announcementSeries || gap < 0) {
      // A series that was told stays with its frames; a lonely announcement makes room.
      if (cells[at + COUNT] < 2) {
        this.lists.release(cells[at + LIST]);
        cells.fill(0, at + COUNT, at + REPLIES + 1);
      }
    } else if (gap >= this.kernelGapMin && gap <= this.kernelGapMax) cells[at + KERNEL_GAPS]++;
    if (zeroTha) cells[at + ZERO_THA]++;
    if (isReply) cells[at + REPLIES]++;
    if (this.sight(row, frame, layer) === 2) this.tell(row);
  }

  /** Rows of all who announce an address. */
  of(address: number): number[] {
    return [...this.byAddress.rows(spread(address))].filter((row) => this.address(row) === address);
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

  /** Announcements of the series, copies not counted. */
  times(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** Those with a target hardware address of zero, as the kernel and RFC 5227 send them. */
  zeroTha(row: number): number {
    return this.table.cells[row * STRIDE + ZERO_THA];
  }

  /** Gaps between them that are the kernel's retransmit timer. */
  kernelGaps(row: number): number {
    return this.table.cells[row * STRIDE + KERNEL_GAPS];
  }

  /** Those in the form of a reply. */
  replies(row: number): number {
    return this.table.cells[row * STRIDE + REPLIES];
  }
}
