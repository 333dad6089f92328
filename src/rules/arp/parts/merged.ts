import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';

/** Addresses that are looked at, of those that one talks to. */
const MAX_PARTNERS = 16;

/** A contested address: its segment and the two that claim it, as rows of `bindings`. */
export interface Contested {
  readonly a: number;
  readonly b: number;
}

/**
 * Tells of contested addresses whether the capture may hold two networks with the same addresses, put together (catalogue K14): every
 * address that asks for this one, or that it asks for, if anybody has it, is claimed by several as well, by stations of its own; where nobody
 * asks, every other address of the segment. Of two machines with one address on one network the others have one MAC each. Made for many at
 * once: it looks at every question and every claim once.
 */
export function mergedAmong<T extends Contested>(network: Network, contested: readonly T[]): Set<T> {
  if (contested.length === 0) return new Set();
  const { bindings, claims } = network;
  const partners = partnersOf(network, contested);
  const around = allSeveral(network, contested);
  return new Set(
    contested.filter((each) => {
      const segment = bindings.segment(each.a);
      const asked = [...(partners.get(keyOf(network, each.a)) ?? [])].filter(
        (other) => claims.holder(segment, other) >= 0,
      );
      const all = around.get(segment) ?? [];
      return isMerged(
        network,
        each,
        asked.length > 0 ? asked : all.filter((other) => other !== bindings.address(each.a)),
      );
    }),
  );
}

function isMerged({ bindings, claims }: Network, { a, b }: Contested, claimed: readonly number[]): boolean {
  const segment = bindings.segment(a);
  const isClaimedBy = (one: number, other: number) => {
    const row = bindings.find(segment, bindings.hi(one), bindings.lo(one), other);
    return row >= 0 && (bindings.claims(row) & Claim.Own) !== 0;
  };
  return (
    claimed.length > 0 &&
    claimed.every((other) => claims.hadSeveral(segment, other) && ![a, b].some((one) => isClaimedBy(one, other)))
  );
}

/** By segment and address, for those that are contested: the addresses that ask for it, and those that it asks for. */
function partnersOf(network: Network, contested: readonly Contested[]): Map<string, Set<number>> {
  const { resolutions } = network;
  const partners = new Map(contested.map(({ a }) => [keyOf(network, a), new Set<number>()]));
  for (let row = 0; row < resolutions.count; row++) {
    const [segment, spa, tpa] = [resolutions.segment(row), resolutions.spa(row), resolutions.tpa(row)];
    if (spa === tpa) continue;
    note(partners.get(`${segment} ${tpa}`), spa);
    note(partners.get(`${segment} ${spa}`), tpa);
  }
  return partners;
}

/** By segment of contested addresses, all addresses that are claimed there; none where one of them has a single claimant. */
function allSeveral({ bindings, claims }: Network, contested: readonly Contested[]): Map<number, number[]> {
  const all = new Map(contested.map(({ a }) => [bindings.segment(a), [] as number[]]));
  for (let row = 0; row < claims.count; row++) {
    const segment = claims.segment(row);
    const address = claims.address(row);
    const found = all.get(segment);
    if (!found || claims.holder(segment, address) < 0) continue;
    if (!claims.hadSeveral(segment, address)) all.delete(segment);
    else if (found.length < MAX_PARTNERS) found.push(address);
  }
  return all;
}

function note(partners: Set<number> | undefined, address: number): void {
  if (partners && partners.size < MAX_PARTNERS) partners.add(address);
}

function keyOf({ bindings }: Network, row: number): string {
  return `${bindings.segment(row)} ${bindings.address(row)}`;
}
