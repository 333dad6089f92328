import type { Confidence } from '../../rules/rule.js';
import type { SegmentRef } from '../segment-ref.js';

/** How a station is attached, as far as it shows: `macvlan vepa`, `ipvlan l2 bridge`, `router`, `vtep`, … */
export interface Mode {
  readonly mode: string;
  readonly confidence: Confidence;
  /** What it is concluded from. */
  readonly because: string;
}

/** A hardware address on a segment and what is known of it. */
export interface StationView {
  readonly segment: SegmentRef;
  readonly mac: string;
  /** Addresses that it claims or sends from, at most `MAX_IPS`. */
  readonly ips: readonly string[];
  /** How many more there are. */
  readonly moreIps: number;
  /** `macvlan1 in ns01`, where the host context shows one such device; safe to print. */
  readonly device: string | null;
  /** Frames from it. */
  readonly frames: number;
  /** `here`: its frames left through the capturing port; `there`: they came in; `both`; null where directions are unknown. */
  readonly side: 'here' | 'there' | 'both' | null;
  readonly modes: readonly Mode[];
}

/** Who is there, on which segment, attached how: `topology` of `analyze --format json`. */
export interface Topology {
  /** Those that sent most come first. */
  readonly stations: readonly StationView[];
  /** Stations that are left out. */
  readonly moreStations: number;
}
