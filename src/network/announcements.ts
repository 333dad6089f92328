import type { Frame } from '../wire/frame.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import { SAME_REQUEST_NS } from './resolutions.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from './settings.js';

const MAX_ANNOUNCEMENTS = 1 << 15;

const COUNT = 4;
const LIST = 5;
const ZERO_THA = 6;
const KERNEL_GAPS = 7;
const REPLIES = 8;
/** `Frame.time` of the first and the latest, as doubles. */
const FIRST = 5;
const LAST = 6;
const STRIDE = 14;
const DOUBLES = STRIDE / 2;

/** ARP packets in which a station names its own address as target, by (segment, sha, address). */
export class Announcements {
  private readonly table: KeyTable;

  private readonly announcementSeries: number;
  private readonly kernelGapMin: number;
  private readonly kernelGapMax: number;

  constructor(
    private readonly lists: FrameLists,
    private readonly tell: (row: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    this.kernelGapMin = ns(settings.kernelGapMin);
    this.kernelGapMax = ns(settings.kernelGapMax);
    this.announcementSeries = ns(settings.announcementSeries);
    this.table = new KeyTable(STRIDE, MAX_ANNOUNCEMENTS, (row) =>
      this.lists.release(this.table.cells[row * STRIDE + LIST]),
    );
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
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const { time } = frame;
    const gap = time - doubles[row * DOUBLES + LAST];
    const isNew = cells[at + COUNT] === 0;
    if (!isNew && gap < SAME_REQUEST_NS && gap > -SAME_REQUEST_NS) return;
    if (isNew || gap > this.announcementSeries || gap < 0) {
      // A series that was told stays with its frames; a lonely announcement makes room.
      if (cells[at + COUNT] < 2) {
        this.lists.release(cells[at + LIST]);
        cells.fill(0, at + COUNT, at + REPLIES + 1);
        doubles[row * DOUBLES + FIRST] = time;
      }
    } else if (gap >= this.kernelGapMin && gap <= this.kernelGapMax) cells[at + KERNEL_GAPS]++;
    doubles[row * DOUBLES + LAST] = time;
    cells[at + COUNT]++;
    if (zeroTha) cells[at + ZERO_THA]++;
    if (isReply) cells[at + REPLIES]++;
    cells[at + LIST] = this.lists.appendHeader(cells[at + LIST], frame, layer);
    if (cells[at + COUNT] === 2) this.tell(row);
  }

  get count(): number {
    return this.table.rowCount;
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

  first(row: number): number {
    return this.table.doubles[row * DOUBLES + FIRST];
  }

  last(row: number): number {
    return this.table.doubles[row * DOUBLES + LAST];
  }

  frames(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }
}
