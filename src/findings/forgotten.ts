import type { Network } from '../network/network.js';

/** What showed trouble and was forgotten, for there was more of it than the tables hold: how often, by what it is. */
export type Forgotten = Partial<Record<'pings' | 'connections' | 'dhcpClients', number>>;

/** Undefined if nothing was: what is missing in a report then is not missing for lack of room. */
export function forgottenBy({ pings, handshakes, leases }: Network): Forgotten | undefined {
  const counts = { pings: pings.missed, connections: handshakes.missed, dhcpClients: leases.missed };
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length > 0 ? Object.fromEntries(some) : undefined;
}
