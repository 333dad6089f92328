import type { Network } from '../../../network/network.js';
import { IpProtocol } from '../../../wire/ip-protocols.js';
import { clientOf } from '../../dhcp/parts/client.js';
import type { RuleId } from '../../rule.js';

const BOOTPS = 67;

/**
 * Findings about DHCP clients behind a relay whose questions, or the answers to them, are what an ICMP error is about (row of
 * `icmpErrors`): they go between the server and giaddr, both at port 67 (RFC 1542 section 4.1). Of clients that got an offer and asked
 * on, or none; empty where it is about anything else.
 */
export function refusedDhcp(network: Network, row: number): { rule: RuleId; key: string }[] {
  const { icmpErrors, relays, leases, addresses } = network;
  const port = icmpErrors.port(row);
  if (icmpErrors.isV6(row) || icmpErrors.protocol(row) !== IpProtocol.Udp || (port !== BOOTPS && port !== 0)) return [];
  const keys = new Set<string>();
  for (let relay = 0; relay < relays.count; relay++) {
    if (relays.segment(relay) !== icmpErrors.segment(row)) continue;
    const giaddr = addresses.ipv4(relays.address(relay));
    const isBack = icmpErrors.destination(row) === giaddr;
    const isThere =
      icmpErrors.destination(row) === addresses.ipv4(relays.server(relay)) && relays.answered(relay) === 0;
    if (!isBack && !isThere) continue;
    for (const exchange of relays.exchanges(relay)) {
      const client = leases.clientOf(exchange);
      if (leases.lease(exchange) === 0 && leases.discovers(client) > 0) keys.add(clientOf(network, client).key);
    }
  }
  return [...keys].flatMap((key) => [
    { rule: 'dhcp/no-offer' as const, key },
    { rule: 'dhcp/offer-ignored' as const, key },
  ]);
}
