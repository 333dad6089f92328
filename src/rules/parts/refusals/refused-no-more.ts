import { IPV6 } from '../../../network/flows/flow-rows.js';
import type { Network } from '../../../network/network.js';

/**
 * Silence of a router proves little: Linux pays for each refusal twice from one bucket that gains a token a second (`ip_error` in
 * net/ipv4/route.c and `inet_peer_xrlim_allow`), so that of pings each second it refuses the first few and drops the others quietly.
 */
const QUIET_NS = 3e9;

/**
 * Whether what a router refused with ICMP errors (row of `icmpErrors`) is refused no more: a link was down for a while, and the route with
 * it. Of answers, they went on for seconds before the first and after the last error; of requests, one is answered seconds after it; or a
 * connection comes up after it.
 */
export function refusedNoMore(network: Network, row: number): boolean {
  const { icmpErrors, pings, handshakes } = network;
  const [asker, target] = [icmpErrors.destination(row), icmpErrors.source(row)];
  const [segment, first, last] = [icmpErrors.segment(row), icmpErrors.first(row), icmpErrors.last(row)];
  const answered = pings.between(segment, asker, target).filter((ping) => pings.replies(ping) > 0);
  return (
    (answered.some((ping) => pings.first(ping) < first - QUIET_NS) &&
      answered.some((ping) => pings.last(ping) > last + QUIET_NS)) ||
    pings
      .between(segment, target, asker)
      .some((ping) => pings.replies(ping) > 0 && pings.answeredAfter(ping, last + QUIET_NS)) ||
    attempts(network, segment, asker, target).some((attempt) => handshakes.lastEstablished(attempt) > last) ||
    attempts(network, segment, target, asker).some((attempt) => handshakes.lastEstablished(attempt) > last)
  );
}

/** Attempts of a host to connect to another (rows of `Addresses`): rows of `handshakes`. */
export function attempts(network: Network, segment: number, asker: number, target: number): number[] {
  const { handshakes, addresses } = network;
  const isIpv4 = addresses.isIpv4(asker);
  const client = isIpv4 ? addresses.ipv4Of(asker) : asker;
  const server = isIpv4 ? addresses.ipv4Of(target) : target;
  const found: number[] = [];
  for (let row = 0; row < handshakes.count; row++) {
    if (handshakes.segment(row) !== segment || ((handshakes.place(row) & IPV6) === 0) !== isIpv4) continue;
    if (handshakes.client(row) === client && handshakes.server(row) === server) found.push(row);
  }
  return found;
}
