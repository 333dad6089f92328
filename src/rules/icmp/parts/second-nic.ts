import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { Direction } from '../../../wire/frame.js';
import type { Ping } from '../../parts/pings/ping.js';

/**
 * Why the replies may leave by another network card of the target than the one where the requests come in (ARP flux: Linux answers
 * ARP at each card for all its addresses, and sends by the one that its route names), null if nothing says so. Asked of a target
 * on this link whose MAC answers ARP and sends no packet from its address.
 */
export function byOtherNic(network: Network, { row, segment, to }: Ping): string | null {
  const { pings, bindings, claims, context, stations } = network;
  const [hi, lo] = [pings.hi(row), pings.lo(row)];
  const address = pings.destination(row);
  const own = hi < 0 ? -1 : bindings.find(segment, hi, lo, address);
  if (own < 0 || (bindings.claims(own) & Claim.Reply) === 0 || (bindings.claims(own) & Claim.Source) !== 0) return null;
  // Two that claim it against each other are a fault of their own.
  if (claims.isContested(segment, address)) return null;
  // Then its routes are known.
  if (context && context.devicesByMac(hi, lo).length > 0) return null;
  const speaks = (other: number) => (bindings.claims(other) & Claim.Own) !== 0;
  if (bindings.of(segment, address).some((other) => other !== own && speaks(other)))
    return `another MAC uses ${to} as well, which may be another card of the target`;
  const others = bindings.ofStation(segment, hi, lo).filter((other) => other !== own && speaks(other));
  if (others.length > 0 && others.every((other) => (bindings.claims(other) & Claim.Source) === 0))
    return `the MAC of ${to} answers ARP for several addresses and sends from none: a second card in one subnet does`;
  const station = stations.find(segment, hi, lo);
  if (station >= 0 && stations.sentOut(station) && pings.went(row, Direction.In) && !pings.went(row, Direction.Out))
    return 'the capture is of the device where the requests enter the target, which may send by another one';
  const pinging = new Set(
    pings
      .sentTo(segment, hi, lo)
      .filter((each) => pings.destination(each) === address)
      .map((each) => claims.holder(segment, pings.source(each)))
      .filter((holder) => holder >= 0)
      .map((holder) => formatMac(bindings.hi(holder), bindings.lo(holder))),
  );
  return pinging.size > 1
    ? `${pinging.size} hosts ping ${to} and none gets a reply here: it looks like this at the port of a target that sends by another card`
    : null;
}
