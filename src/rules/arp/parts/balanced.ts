import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { isForwarded } from './answers.js';

/**
 * Whether two claimants are one host with a bond in mode balance-alb, as far as packets tell: it asks with the MAC of the bond, and
 * answers each peer with that of the slave that is chosen for this peer. So one of the two does nothing but answer, each question
 * once; it sends packets from the address as their first sender does; and it uses no address that the other does not use.
 */
export function isBalanced(network: Network, a: number, b: number): boolean {
  return isSlave(network, a, b) || isSlave(network, b, a);
}

function isSlave(network: Network, slave: number, bond: number): boolean {
  const { bindings } = network;
  const asks = Claim.Request | Claim.Announcement | Claim.Asked;
  if ((bindings.claims(slave) & (asks | Claim.Reply | Claim.Source)) !== (Claim.Reply | Claim.Source)) return false;
  if ((bindings.claims(bond) & (Claim.Request | Claim.Announcement)) === 0) return false;
  // Who forwards what it draws to itself lowers the TTL, and speaks from an address of its own.
  if (isForwarded(network, slave)) return false;
  const segment = bindings.segment(slave);
  return bindings.ofStation(segment, bindings.hi(slave), bindings.lo(slave)).every((row) => {
    const other = bindings.find(segment, bindings.hi(bond), bindings.lo(bond), bindings.address(row));
    return other >= 0 && (bindings.claims(other) & ~Claim.Asked) !== 0;
  });
}
