import type { Segments } from '../link/segments.js';
import type { Resolutions } from '../neighbors/resolutions.js';

/** Tunnels whose questions are remembered, and questions of one tunnel at most. */
const MAX_TUNNELS = 1024;
const MAX_QUESTIONS = 64;

/** Unanswered resolutions by the tunnel that they were asked in. */
export class TunnelQuestions {
  private readonly byTunnel = new Map<number, number[]>();

  constructor(
    private readonly segments: Segments,
    private readonly resolutions: Resolutions,
  ) {}

  /** Notes an unanswered resolution. Returns the tunnelled segment where it is its 1st, 2nd, 4th, 8th …; else -1. */
  add(resolution: number): number {
    const inner = this.segments.tunnelOf(this.resolutions.segment(resolution));
    if (inner < 0) return -1;
    const rows = this.byTunnel.get(inner);
    if (!rows) {
      if (this.byTunnel.size === MAX_TUNNELS) return -1;
      this.byTunnel.set(inner, [resolution]);
      return inner;
    }
    // A run is told again when it has grown.
    if (rows.includes(resolution)) return (rows.length & (rows.length - 1)) === 0 ? inner : -1;
    if (rows.length === MAX_QUESTIONS) return -1;
    rows.push(resolution);
    return (rows.length & (rows.length - 1)) === 0 ? inner : -1;
  }

  /** Rows of `Resolutions` that stayed unanswered in the segment that a tunnel carries, or in a VLAN of it. */
  in(inner: number): number[] {
    const { segments, resolutions } = this;
    return (this.byTunnel.get(inner) ?? []).filter(
      (row) =>
        (resolutions.run(row) >= 2 || resolutions.recovered(row)) &&
        segments.tunnelOf(resolutions.segment(row)) === inner,
    );
  }
}
