import type { Frame } from '../../wire/frame.js';
import type { Addresses } from '../addresses.js';
import { IPV4, IPV6, type Moves } from '../link/moves.js';
import type { Claims } from './claims.js';
import type { NeighborHolders } from './neighbor-holders.js';

/** The address of a claim (row of `claims`) was (hi, lo)'s before; the ARP packet at `offset` of frame number `frame` tells of the change. */
export function claimMoved(
  { claims, addresses, moves }: { claims: Claims; addresses: Addresses; moves: Moves },
  claim: number,
  hi: number,
  lo: number,
  frame: number,
  offset: number,
  length: number,
): void {
  const [address] = addresses.words(claims.address(claim));
  const segment = claims.segment(claim);
  const time = claims.last(claim);
  moves.change(segment, IPV4, address, hi, lo, claims.hi(claim), claims.lo(claim), time, frame, offset, length);
}

/** The same by neighbor discovery: `row` is one of `neighborHolders`, the ICMPv6 message is in `layer`. */
export function neighborMoved(
  { neighborHolders, moves }: { neighborHolders: NeighborHolders; moves: Moves },
  row: number,
  hi: number,
  lo: number,
  frame: Frame,
  layer: number,
): void {
  const holders = neighborHolders;
  const offset = frame.offsets[layer];
  moves.change(
    holders.segment(row),
    IPV6,
    holders.address(row),
    hi,
    lo,
    holders.hi(row),
    holders.lo(row),
    frame.time,
    frame.number,
    offset - frame.start,
    frame.ends[layer] - offset,
  );
}
