import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { type Answer, isOwn } from './answers.js';
import { mainAddress } from './claimants.js';

/** An answer for an address that the MAC of its holder answers for as well, and speaks from. */
export interface Beside {
  readonly answer: Answer;
  readonly holder: string;
}

/**
 * Answers of one station for addresses each of which has a holder of its own, that answers the same question and uses the address,
 * while the station itself uses none of them; `doubles` are the rows of `bindings` that answered one request both.
 */
export function besideHolders(
  network: Network,
  group: readonly Answer[],
  doubles: Iterable<readonly [number, number]>,
): Beside[] {
  const { bindings } = network;
  const found: Beside[] = [];
  for (const [a, b] of doubles) {
    const answer = group.find(({ row }) => row === a || row === b);
    if (!answer) continue;
    const rival = answer.row === a ? b : a;
    // Who has another address besides may hold this one for a service, as other nodes do.
    if (!isOwn(network, rival) || mainAddress(network, rival, answer.row) >= 0) continue;
    found.push({ answer, holder: formatMac(bindings.hi(rival), bindings.lo(rival)) });
  }
  return found;
}
