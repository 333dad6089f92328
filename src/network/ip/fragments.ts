import type { Frame } from '../../wire/frame.js';
import { longer } from '../rows/columns.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from '../settings.js';

/** Datagrams under way at once, and pairs of hosts that fragment. */
const MAX_DATAGRAMS = 1 << 14;
const MAX_FLOWS = 1 << 12;

const BYTES = 4;
const TOTAL = 5;
const PARTS = 6;
const FLOW = 7;
const STATE = 8;
const LIST = 9;
const STRIDE = 10;

const Part = { First: 1, Judged: 2 } as const;

const WHOLE = 4;
const LOST = 5;
const LOST_FIRST = 6;
const LOST_REST = 7;
const LOST_LIST = 8;
const LATEST = 9;
const WHOLE_LIST = 10;
const FLOW_STRIDE = 11;
/** Datagrams that came whole of which the fragments are kept. */
const KEPT_WHOLE = 8;

/** Datagrams sent in fragments, and per (segment, protocol, source, destination) how many came whole. */
export class Fragments {
  private readonly table: KeyTable;
  private readonly flows: KeyTable;
  private firsts = new Float64Array(0);
  private flowFirsts = new Float64Array(0);
  private flowLasts = new Float64Array(0);

  private readonly fragmentLate: number;

  constructor(
    private readonly lists: FrameLists,
    /** Told after the 1st, 2nd, 4th … datagram of a flow that stayed incomplete. */
    private readonly tell: (flow: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    this.fragmentLate = ns(settings.fragmentLate);
    this.table = new KeyTable(
      STRIDE,
      MAX_DATAGRAMS,
      (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
      },
    );
    this.flows = new KeyTable(
      FLOW_STRIDE,
      MAX_FLOWS,
      (row) => {
        this.lists.release(this.flows.cells[row * FLOW_STRIDE + LOST_LIST]);
        this.lists.release(this.flows.cells[row * FLOW_STRIDE + WHOLE_LIST]);
      },
      (capacity) => {
        this.flowFirsts = longer(this.flowFirsts, capacity);
        this.flowLasts = longer(this.flowLasts, capacity);
      },
    );
  }

  /**
   * A fragment: `length` bytes of payload that belong at `offset` in the datagram; `layer` is its IP header.
   */
  add(
    segment: number,
    protocol: number,
    source: number,
    destination: number,
    identification: number,
    offset: number,
    length: number,
    more: boolean,
    frame: Frame,
    layer: number,
  ): void {
    const { time } = frame;
    const key = (segment << 8) | protocol;
    let row = this.table.find(key, source, destination, identification);
    if (row < 0 || time - this.firsts[row] > this.fragmentLate)
      row = this.begin(row, key, source, destination, identification, time);
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + BYTES] += length;
    cells[at + PARTS]++;
    if (offset === 0) cells[at + STATE] |= Part.First;
    if (!more) cells[at + TOTAL] = offset + length;
    const start = frame.offsets[layer];
    cells[at + LIST] = this.lists.append(
      cells[at + LIST],
      frame.number,
      start - frame.start,
      frame.ends[layer] - start,
    );
    if (this.isWhole(row)) this.settle(row);
  }

  /** Judges what is still incomplete in the segments that `isOfCapture` names, unless it began within the last second. */
  finish(now: number, isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++) {
      const segment = this.table.cells[row * STRIDE] >>> 8;
      if (now - this.firsts[row] > this.fragmentLate && isOfCapture(segment)) this.judge(row);
    }
  }

  get count(): number {
    return this.flows.rowCount;
  }

  find(segment: number, protocol: number, source: number, destination: number): number {
    return this.flows.find((segment << 8) | protocol, source, destination, 0);
  }

  segment(flow: number): number {
    return this.flows.cells[flow * FLOW_STRIDE] >>> 8;
  }

  /** Number of the IP protocol inside. */
  protocol(flow: number): number {
    return this.flows.cells[flow * FLOW_STRIDE] & 0xff;
  }

  source(flow: number): number {
    return this.flows.cells[flow * FLOW_STRIDE + 1];
  }

  destination(flow: number): number {
    return this.flows.cells[flow * FLOW_STRIDE + 2];
  }

  /** Datagrams of which all fragments came. */
  whole(flow: number): number {
    return this.flows.cells[flow * FLOW_STRIDE + WHOLE];
  }

  /** Datagrams of which fragments are missing; `lostFirst` without their first, `lostRest` with nothing but their first. */
  lost(flow: number): number {
    return this.flows.cells[flow * FLOW_STRIDE + LOST];
  }

  lostFirst(flow: number): number {
    return this.flows.cells[flow * FLOW_STRIDE + LOST_FIRST];
  }

  lostRest(flow: number): number {
    return this.flows.cells[flow * FLOW_STRIDE + LOST_REST];
  }

  first(flow: number): number {
    return this.flowFirsts[flow];
  }

  last(flow: number): number {
    return this.flowLasts[flow];
  }

  /** Fragments of incomplete datagrams, with their IP headers. */
  places(flow: number): Place[] {
    return this.lists.read(this.flows.cells[flow * FLOW_STRIDE + LOST_LIST]);
  }

  /** Fragments of the first datagrams that came whole, with their IP headers. */
  wholePlaces(flow: number): Place[] {
    return this.lists.read(this.flows.cells[flow * FLOW_STRIDE + WHOLE_LIST]);
  }

  /** A datagram begins; identifications come round again, so `old` may be a row of an earlier one. */
  private begin(old: number, key: number, source: number, destination: number, id: number, time: number): number {
    if (old >= 0) this.judge(old);
    const flow = this.flows.add(key, source, destination, 0);
    const { cells } = this.flows;
    const latest = cells[flow * FLOW_STRIDE + LATEST] - 1;
    if (latest >= 0 && latest !== old && time - this.firsts[latest] > this.fragmentLate && this.flowOf(latest) === flow)
      this.judge(latest);
    const row = this.table.add(key, source, destination, id);
    const at = row * STRIDE;
    this.lists.release(this.table.cells[at + LIST]);
    this.table.cells.fill(0, at + BYTES, at + STRIDE);
    this.table.cells[at + FLOW] = flow + 1;
    this.firsts[row] = time;
    cells[flow * FLOW_STRIDE + LATEST] = row + 1;
    return row;
  }

  private flowOf(row: number): number {
    return this.table.cells[row * STRIDE + FLOW] - 1;
  }

  private isWhole(row: number): boolean {
    const { cells } = this.table;
    const at = row * STRIDE;
    return (cells[at + STATE] & Part.First) !== 0 && cells[at + TOTAL] > 0 && cells[at + BYTES] >= cells[at + TOTAL];
  }

  private settle(row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    if ((cells[at + STATE] & Part.Judged) !== 0) return;
    cells[at + STATE] |= Part.Judged;
    const flow = this.flowOf(row) * FLOW_STRIDE;
    const { cells: flows } = this.flows;
    if (++flows[flow + WHOLE] > KEPT_WHOLE) return;
    for (const { frame, offset, length } of this.lists.read(cells[at + LIST]))
      flows[flow + WHOLE_LIST] = this.lists.append(flows[flow + WHOLE_LIST], frame, offset, length);
  }

  private judge(row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + FLOW] === 0 || (cells[at + STATE] & Part.Judged) !== 0) return;
    cells[at + STATE] |= Part.Judged;
    const flow = this.flowOf(row);
    const to = flow * FLOW_STRIDE;
    const { cells: flows } = this.flows;
    // The pair of hosts may have been given up for another meanwhile.
    if (flows[to] !== cells[at] || flows[to + 1] !== cells[at + 1] || flows[to + 2] !== cells[at + 2]) return;
    if (flows[to + LOST] === 0) this.flowFirsts[flow] = this.firsts[row];
    this.flowLasts[flow] = this.firsts[row];
    const lost = ++flows[to + LOST];
    if ((cells[at + STATE] & Part.First) === 0) flows[to + LOST_FIRST]++;
    else if (cells[at + PARTS] === 1) flows[to + LOST_REST]++;
    for (const { frame, offset, length } of this.lists.read(cells[at + LIST]))
      flows[to + LOST_LIST] = this.lists.append(flows[to + LOST_LIST], frame, offset, length);
    if ((lost & (lost - 1)) === 0 && this.flows.evicted === 0) this.tell(flow);
  }
}
