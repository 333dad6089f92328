import { IPV6 } from '../../../network/flows/flow-rows.js';
import type { Network } from '../../../network/network.js';
import { Direction } from '../../../wire/frame.js';
import type { EvidenceRef } from '../../rule.js';
import { INITIAL_HOPS } from '../ttl.js';

/** Attempts of one pair of hosts that a finding goes into at most, and pairs that a rule remembers. */
const MAX_ATTEMPTS = 8;
const MAX_PAIRS = 1024;
/** Findings about one host: more are a scan, a flood, or a program that looks for peers, and further ones add nothing. */
const MAX_OF_HOST = 8;
/** Ports that a text names. */
const MAX_PORTS = 5;

/** An attempt to open a TCP connection, in words. */
export interface Connection {
  /** The same in every rule, so that causes can name the symptom: segment, client and server as text. */
  readonly key: string;
  /** Row of `handshakes`, and what tells that it still holds this attempt. */
  readonly row: number;
  readonly sequence: number;
  readonly segment: number;
  readonly capture: number;
  /** Addresses as text, and as rows of `Addresses`. */
  readonly client: string;
  readonly server: string;
  readonly clientRow: number;
  readonly serverRow: number;
  /** Of the server. */
  readonly port: number;
}

export function connectionOf(network: Network, row: number): Connection {
  const { handshakes, addresses, segments } = network;
  const isIpv6 = (handshakes.place(row) & IPV6) !== 0;
  const clientRow = isIpv6 ? handshakes.client(row) : addresses.ipv4(handshakes.client(row));
  const serverRow = isIpv6 ? handshakes.server(row) : addresses.ipv4(handshakes.server(row));
  const client = addresses.format(clientRow);
  const server = addresses.format(serverRow);
  const segment = handshakes.segment(row);
  return {
    key: pairKey(segment, client, server),
    row,
    sequence: handshakes.sequence(row),
    segment,
    capture: segments.captureOf(segment),
    client,
    server,
    clientRow,
    serverRow,
    port: handshakes.serverPort(row),
  };
}

/** Key of the findings `tcp/syn-unanswered`, `tcp/synack-repeated` and `tcp/refused` about two hosts. */
export function pairKey(segment: number, client: string, server: string): string {
  return `${segment} ${client} ${server}`;
}

/** The findings about connections that do not come up between two hosts, either way, as symptoms of a cause. */
export function stuckConnections(segment: number, a: string, b: string) {
  const keys = [pairKey(segment, a, b), pairKey(segment, b, a)];
  return keys.flatMap(
    (key) =>
      [
        { rule: 'tcp/syn-unanswered', key },
        { rule: 'tcp/synack-repeated', key },
      ] as const,
  );
}

/** As `stuckConnections`, of all attempts to connect to an address (row of `Addresses`). For rare use: it looks at every attempt. */
export function stuckConnectionsOf(network: Network, segment: number, server: number) {
  const { handshakes, addresses } = network;
  const keys = new Set<string>();
  for (let row = 0; row < handshakes.count; row++) {
    if (handshakes.segment(row) !== segment || (handshakes.place(row) & IPV6) !== 0) continue;
    if (addresses.ipv4(handshakes.server(row)) === server) keys.add(connectionOf(network, row).key);
  }
  return [...keys].map((key) => ({ rule: 'tcp/syn-unanswered', key }) as const);
}

/** As `stuckConnections`, of all attempts of one family or of both whose latest SYN went to one MAC. For rare use: it looks at every attempt. */
export function stuckConnectionsAt(
  network: Network,
  segment: number,
  hi: number,
  lo: number,
  family: 4 | 6 | null = null,
) {
  const { handshakes } = network;
  const keys = new Set<string>();
  for (let row = 0; row < handshakes.count; row++) {
    if (handshakes.segment(row) !== segment || handshakes.hi(row) !== hi || handshakes.lo(row) !== lo) continue;
    const isIpv6 = (handshakes.place(row) & IPV6) !== 0;
    if (family !== null && isIpv6 !== (family === 6)) continue;
    keys.add(connectionOf(network, row).key);
    // Before it went into the tunnel the same attempt is told at the device it came from.
    const leg = handshakes.firstLeg(row);
    if (leg >= 0) keys.add(connectionOf(network, leg).key);
  }
  return [...keys].map((key) => ({ rule: 'tcp/syn-unanswered', key }) as const);
}

/** Attempts with one fate, by pair of hosts. */
export class Pairs {
  private readonly pairs = new Map<string, Map<number, Connection>>();
  private readonly hosts = new Map<string, Set<string>>();

  constructor(private readonly network: Network) {}

  /**
   * Adds an attempt and returns those of its pair; none if it is not to be spoken of: its client or its server has too
   * many already.
   */
  add(connection: Connection): Connection[] {
    const { key, row } = connection;
    let attempts = this.pairs.get(key);
    if (!attempts) {
      if (this.pairs.size === MAX_PAIRS) return [];
      const client = this.about(connection, 'client');
      const server = this.about(connection, 'server');
      if (client.size === MAX_OF_HOST || server.size === MAX_OF_HOST) return [];
      client.add(key);
      server.add(key);
      attempts = new Map();
      this.pairs.set(key, attempts);
    }
    if (attempts.has(row) || attempts.size < MAX_ATTEMPTS) attempts.set(row, connection);
    return this.current(attempts);
  }

  /** How many findings there are about the client of an attempt. */
  ofClient(connection: Connection): number {
    return this.about(connection, 'client').size;
  }

  /** The attempts of each pair of a capture. */
  of(capture: number): Connection[][] {
    return [...this.pairs.values()]
      .map((attempts) => this.current(attempts))
      .filter(([connection]) => connection?.capture === capture);
  }

  /** Takes an attempt out, if it is in; returns those that are left, null if it was not in. */
  drop({ key, row }: Connection): Connection[] | null {
    const attempts = this.pairs.get(key);
    return attempts?.delete(row) ? this.current(attempts) : null;
  }

  private about(connection: Connection, role: 'client' | 'server'): Set<string> {
    const name = `${connection.segment} ${role} ${connection[role]}`;
    const keys = this.hosts.get(name) ?? new Set();
    if (this.hosts.size < 2 * MAX_PAIRS) this.hosts.set(name, keys);
    return keys;
  }

  /** Those whose rows were not given to others. */
  private current(attempts: Map<number, Connection>): Connection[] {
    const { handshakes } = this.network;
    return [...attempts.values()].filter(
      ({ row, sequence, port }) => handshakes.sequence(row) === sequence && handshakes.serverPort(row) === port,
    );
  }
}

/** `port 80`, `ports 80, 443 and 3 more`. */
export function portsOf(connections: readonly Connection[]): string {
  const ports = [...new Set(connections.map(({ port }) => port))].sort((a, b) => a - b);
  if (ports.length === 1) return `port ${ports[0]}`;
  const named = ports.slice(0, MAX_PORTS).join(', ');
  return ports.length > MAX_PORTS ? `ports ${named} and ${ports.length - MAX_PORTS} more` : `ports ${named}`;
}

export function synFrames(network: Network, connections: readonly Connection[], note: string): EvidenceRef[] {
  return connections.flatMap(({ row, capture }) =>
    network.handshakes.synPlaces(row).map((place) => ({ capture, layer: 'tcp', note, ...place })),
  );
}

export function answerFrames(network: Network, connections: readonly Connection[], note: string): EvidenceRef[] {
  return connections.flatMap(({ row, capture }) =>
    network.handshakes.answerPlaces(row).map((place) => ({ capture, layer: 'tcp', note, ...place })),
  );
}

/** Whether the client took the capture, as far as directions or the host context tell, and frames come in. */
export function isAtClient(network: Network, connection: Connection): boolean {
  const { handshakes, segments, vantage, context, addresses } = network;
  const { row, segment, clientRow } = connection;
  if (vantage && context?.devicesByIp(addresses.words(clientRow)).includes(vantage)) return true;
  if (!handshakes.synsWent(row, Direction.Out) || !segments.sawInbound(segment)) return false;
  return (
    !isRouted(network, segment, clientRow) &&
    !legs(network, connection).some((leg) => handshakes.synsWent(leg, Direction.In))
  );
}

/** Whether the server took the capture. */
export function isAtServer(network: Network, connection: Connection): boolean {
  const { handshakes, segments, vantage, context, addresses } = network;
  const { row, segment, serverRow } = connection;
  if (vantage && context?.devicesByIp(addresses.words(serverRow)).includes(vantage)) return true;
  if (!handshakes.answersWent(row, Direction.Out) || !segments.sawInbound(segment)) return false;
  return (
    !isRouted(network, segment, serverRow) &&
    !legs(network, connection).some((leg) => handshakes.answersWent(leg, Direction.In))
  );
}

/** Rows of the same attempt, the addresses and ports as they are, at other ports of the capture: what passes a switch or a router goes out too. */
export function legs({ handshakes, segments }: Network, { row, capture }: Connection): number[] {
  const found: number[] = [];
  for (let other = 0; other < handshakes.count; other++) {
    const isLeg =
      other !== row &&
      handshakes.client(other) === handshakes.client(row) &&
      handshakes.server(other) === handshakes.server(row) &&
      handshakes.clientPort(other) === handshakes.clientPort(row) &&
      handshakes.serverPort(other) === handshakes.serverPort(row) &&
      segments.captureOf(handshakes.segment(other)) === capture;
    if (isLeg) found.push(other);
  }
  return found;
}

/** Whether packets from an address passed a router before they came here. */
function isRouted({ bindings }: Network, segment: number, address: number): boolean {
  return bindings
    .of(segment, address)
    .some((row) => bindings.ttl(row) !== 0 && !INITIAL_HOPS.includes(bindings.ttl(row)));
}

/** Filter of tcpdump that lets through what a client and a port have to do with each other, on each machine that they pass. */
export function watchFilter(client: string, port: number): string {
  return `tcp port ${port} and host ${client}`;
}
