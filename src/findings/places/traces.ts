import { macKey } from '../../network/context/address.js';
import type { Network } from '../../network/network.js';
import type { Diagnosis, Trail } from '../../rules/rule.js';
import { KINDS, type Sighting } from './kinds.js';

/** What one other capture of the run shows of what was asked in vain. */
export interface Trace extends Pick<Sighting, 'asked' | 'answered' | 'side'> {
  /** Rows of `segments` in which that is. */
  readonly segments: readonly number[];
  readonly proof: NonNullable<Sighting['proof']>;
}

/** What other captures show of requests in vain. */
export class Traces {
  private readonly neighbors = new Map<string, boolean>();

  constructor(private readonly network: Network) {}

  /** Whether the rows are still those of the diagnosis: a full table may have given them to others. */
  holds({ capture }: Diagnosis, { of, rows }: Trail): boolean {
    return rows.every((row) => this.network.segments.captureOf(KINDS[of].segment(this.network, row)) === capture);
  }

  /** By number, the captures besides the diagnosis' own that show the very same requests. */
  of(diagnosis: Diagnosis, trail: Trail): Map<number, Trace> {
    const found = new Map<number, Trace>();
    for (const row of trail.rows) {
      for (const { segment, asked, answered, side, proof = [] } of KINDS[trail.of].same(this.network, row, diagnosis)) {
        const capture = this.network.segments.captureOf(segment);
        if (capture === diagnosis.capture) continue;
        const before = found.get(capture);
        found.set(capture, {
          asked: asked || (before?.asked ?? false),
          answered: answered || (before?.answered ?? false),
          segments: [...(before?.segments ?? []), segment],
          side: before?.answered ? before.side : side,
          proof: [...(before?.proof ?? []), ...(answered ? proof : [])],
        });
      }
    }
    return found;
  }

  /** Whether a capture, of the same network at the same time, would show the requests and does not. */
  lacks(diagnosis: Diagnosis, trail: Trail, capture: number): boolean {
    const isNear = () => this.shareStation(diagnosis.capture, capture);
    return trail.rows.every((row) => KINDS[trail.of].lacks(this.network, row, capture, diagnosis, isNear));
  }

  private shareStation(one: number, other: number): boolean {
    const key = `${one} ${other}`;
    const known = this.neighbors.get(key) ?? shareStation(this.network, one, other);
    this.neighbors.set(key, known);
    return known;
  }
}

/** Whether two captures show frames of one station. */
function shareStation({ stations, segments }: Network, one: number, other: number): boolean {
  const known = new Set<number>();
  const keyOf = (row: number) => macKey(stations.hi(row), stations.lo(row));
  const isOf = (row: number, capture: number) =>
    stations.sent(row) > 0 && segments.captureOf(stations.segment(row)) === capture;
  for (let row = 0; row < stations.count; row++) if (isOf(row, one)) known.add(keyOf(row));
  for (let row = 0; row < stations.count; row++) if (isOf(row, other) && known.has(keyOf(row))) return true;
  return false;
}
