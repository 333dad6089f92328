import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import type { Connection } from '../../parts/connections/connection.js';

/**
 * Whether a capture is beside the way of a client's packets and is shown those that a switch floods: no frame for the client is in it, whereas
 * another station, which is not the one that the SYNs go to, speaks and gets its frames. The answers need not pass there.
 */
export function isBystander(
  { bindings, stations, handshakes }: Network,
  { row, segment, clientRow }: Connection,
): boolean {
  const own = bindings
    .of(segment, clientRow)
    .filter((each) => (bindings.claims(each) & (Claim.Own | Claim.Source)) !== 0)
    .map((each) => stations.find(segment, bindings.hi(each), bindings.lo(each)));
  if (own.length === 0 || own.some((each) => each < 0 || stations.wasWrittenTo(each))) return false;
  const target = stations.find(segment, handshakes.hi(row), handshakes.lo(row));
  return stations
    .in(segment)
    .some((each) => each !== target && !own.includes(each) && stations.sent(each) > 0 && stations.wasWrittenTo(each));
}
