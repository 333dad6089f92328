import { ipKey } from '../../../network/context/address.js';
import type { Network } from '../../../network/network.js';
import type { EvidenceRef, RuleId } from '../../rule.js';
import type { Question } from '../question.js';

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

/** "Host unreachable" (RFC 792), and "address unreachable" (RFC 4443 section 3.1). */
const HOST_UNREACHABLE = { type: 3, code: 1 };
const ADDRESS_UNREACHABLE = { type: 1, code: 3 };

/**
 * Errors in which a machine tells others that it cannot reach what it asks for in vain, also by another address of its own,
 * and by the host context under the address that its destination NAT rewrites.
 */
export function saidUnreachable(network: Network, { row, asker, capture }: Question): { rule: RuleId; key: string }[] {
  const { icmpErrors, resolutions, segments, context } = network;
  const found: { rule: RuleId; key: string }[] = [];
  if (icmpErrors.count === 0) return found;
  const tpa = resolutions.tpa(row);
  const rewritten = asker && context?.namespaces.get(asker.namespace)?.firewall?.destinationNat;
  const words = network.addresses.words(tpa);
  const isTarget = rewritten?.some(({ to }) => to && ipKey(to.words) === ipKey(words));
  for (let error = 0; error < icmpErrors.count; error++) {
    const { type, code } = icmpErrors.isV6(error) ? ADDRESS_UNREACHABLE : HOST_UNREACHABLE;
    if (icmpErrors.type(error) !== type || icmpErrors.code(error) !== code) continue;
    if (segments.captureOf(icmpErrors.segment(error)) !== capture) continue;
    const quoted = icmpErrors.destination(error);
    if (quoted === tpa || (isTarget && quoted === icmpErrors.reporter(error)))
      found.push({ rule: 'icmp/unreachable', key: String(error) });
  }
  return found;
}
