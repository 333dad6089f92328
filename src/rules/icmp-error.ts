import type { Network } from '../network/network.js';
import type { EvidenceRef } from './rule.js';

/** A row of `icmpErrors` in words. */
export interface IcmpError {
  /** The same in every rule, so that causes can name the symptom. */
  readonly key: string;
  readonly segment: number;
  readonly capture: number;
  readonly reporter: string;
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly evidence: EvidenceRef[];
}

export function icmpErrorOf(network: Network, row: number, note: string): IcmpError {
  const { icmpErrors, segments, addresses } = network;
  const segment = icmpErrors.segment(row);
  const capture = segments.captureOf(segment);
  const layer = icmpErrors.isV6(row) ? 'icmpv6' : 'icmp';
  return {
    key: String(row),
    segment,
    capture,
    reporter: addresses.format(icmpErrors.reporter(row)),
    from: addresses.format(icmpErrors.source(row)),
    to: addresses.format(icmpErrors.destination(row)),
    count: icmpErrors.errors(row),
    first: icmpErrors.first(row),
    last: icmpErrors.last(row),
    evidence: icmpErrors.places(row).map((place) => ({ capture, layer, note, ...place })),
  };
}
