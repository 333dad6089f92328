import { Attempt } from '../../../network/flows/handshake-columns.js';
import type { Network } from '../../../network/network.js';
import { IpProtocol } from '../../../wire/ip-protocols.js';
import { type Connection, connectionOf } from '../connections/connection.js';

/**
 * Whether an ICMP error about one port leaves other attempts between the same two hosts unexplained: they go to another port,
 * and nobody says a word about them. For rare use: it looks at every attempt.
 */
export function silentOtherwise(network: Network, error: number): boolean {
  const { icmpErrors, handshakes } = network;
  const port = icmpErrors.port(error);
  // Only the latest port of an error is kept: where they differ, any may be refused.
  if (
    icmpErrors.protocol(error) !== IpProtocol.Tcp ||
    port === 0 ||
    icmpErrors.portRun(error) < icmpErrors.errors(error)
  )
    return false;
  const segment = icmpErrors.segment(error);
  for (let row = 0; row < handshakes.count; row++) {
    if (handshakes.segment(row) !== segment || handshakes.serverPort(row) === port) continue;
    if (handshakes.state(row) !== Attempt.Waiting || handshakes.answers(row) > 0) continue;
    const { clientRow, serverRow } = connectionOf(network, row);
    if (clientRow === icmpErrors.source(error) && serverRow === icmpErrors.destination(error)) return true;
  }
  return false;
}

/** Attempts of one pair of hosts that no ICMP error refused. For rare use: it looks at every error. */
export function notRefused({ icmpErrors }: Network, connections: readonly Connection[]): Connection[] {
  const [pair] = connections;
  const refused = new Set<number>();
  for (let row = 0; row < icmpErrors.count; row++)
    if (
      icmpErrors.segment(row) === pair.segment &&
      icmpErrors.protocol(row) === IpProtocol.Tcp &&
      icmpErrors.source(row) === pair.clientRow &&
      icmpErrors.destination(row) === pair.serverRow
    )
      refused.add(icmpErrors.port(row));
  return connections.filter(({ port }) => !refused.has(port));
}
