import { ipv4Of, ipv6Of, macOf, OUTSIDE } from './hosts.js';
import { IpProtocol, type Packet } from './packet.js';
import type { Random } from './random.js';

export type FlowKind = 'tcp' | 'udp' | 'ping' | 'tcp6' | 'udp6' | 'ping6';

const KINDS: readonly FlowKind[] = ['tcp', 'udp', 'ping', 'tcp6', 'udp6', 'ping6'];
const HEADERS: Record<FlowKind, number> = { tcp: 66, udp: 42, ping: 42, tcp6: 86, udp6: 62, ping6: 62 };
const PUSH_ACK = 0x18;
const ACK = 0x10;
const NOISE = 65536;

export interface FlowOptions {
  readonly count: number;
  readonly segments: number;
  /** On each segment, the router among them. */
  readonly hosts: number;
  /** Kinds to draw from; one that stands twice is twice as frequent. */
  readonly kinds: readonly FlowKind[];
}

/** Conversations between hosts of one segment, or (a quarter) with the world behind its router; seen from mid-flow. */
export class Flows {
  readonly #random: Random;
  readonly #segments: Uint16Array;
  readonly #clients: Uint16Array;
  readonly #servers: Uint16Array;
  readonly #kinds: Uint8Array;
  readonly #ports: Uint16Array;
  /** Next sequence number of the client and of the server; the replies to a ping count as its requests do. */
  readonly #sent: Uint32Array;
  readonly #noise = new Uint8Array(NOISE + 2048);

  constructor(options: FlowOptions, random: Random) {
    const { count, segments, hosts, kinds } = options;
    this.#random = random;
    this.#segments = Uint16Array.from({ length: count }, () => random.below(segments));
    this.#clients = Uint16Array.from({ length: count }, () => 1 + random.below(hosts - 1));
    this.#servers = this.#clients.map((client) =>
      random.below(4) === 0 ? OUTSIDE + random.below(1000) : (client + 1 + random.below(hosts - 1)) % hosts,
    );
    this.#kinds = Uint8Array.from({ length: count }, () => KINDS.indexOf(kinds[random.below(kinds.length)]));
    this.#ports = Uint16Array.from({ length: count }, () => 32768 + random.below(28232));
    this.#sent = Uint32Array.from({ length: 2 * count }, () => random.next());
    for (let flow = 0; flow < count; flow++) if (this.#isPing(flow)) this.#sent[2 * flow + 1] = this.#sent[2 * flow];
    for (let i = 0; i < this.#noise.length; i++) this.#noise[i] = random.next();
  }

  get count(): number {
    return this.#kinds.length;
  }

  segmentOf(flow: number): number {
    return this.#segments[flow];
  }

  clientOf(flow: number): number {
    return this.#clients[flow];
  }

  serverOf(flow: number): number {
    return this.#servers[flow];
  }

  /** A flow to continue: half of the traffic belongs to a tenth of the flows. */
  pick(): number {
    return this.#random.below(this.#random.below(2) === 0 ? this.count : Math.ceil(this.count / 10));
  }

  /** Makes `packet` the flow's next Ethernet frame of about `length` bytes; `stamp` is the time in microseconds. */
  write(packet: Packet, flow: number, reply: boolean, length: number, stamp: number): void {
    const kind = KINDS[this.#kinds[flow]];
    // An echo reply brings back what the request carried.
    const payload = Math.max(0, (this.#isPing(flow) ? 98 : length) - HEADERS[kind]);
    packet.begin(this.#noise, this.#random.below(NOISE), payload);
    const protocol = this.#upper(packet, flow, reply, payload, stamp, kind);
    const segment = this.#segments[flow];
    const from = reply ? this.#servers[flow] : this.#clients[flow];
    const to = reply ? this.#clients[flow] : this.#servers[flow];
    if (kind.endsWith('6')) packet.ipv6(ipv6Of(segment, from), ipv6Of(segment, to), protocol);
    else packet.ipv4(ipv4Of(segment, from), ipv4Of(segment, to), protocol);
    packet.ethernet(macOf(segment, to), macOf(segment, from), kind.endsWith('6') ? 0x86dd : 0x0800);
  }

  #isPing(flow: number): boolean {
    return KINDS[this.#kinds[flow]].startsWith('ping');
  }

  /** Prepends the header above IP and returns its protocol number. */
  #upper(packet: Packet, flow: number, reply: boolean, payload: number, stamp: number, kind: FlowKind): number {
    const client = this.#ports[flow];
    const server = 30000 + (client % 2768);
    const [from, to] = reply ? [server, client] : [client, server];
    const mine = 2 * flow + (reply ? 1 : 0);
    switch (kind) {
      case 'tcp':
      case 'tcp6':
        packet.tcp(from, to, this.#sent[mine], this.#sent[mine ^ 1], payload > 0 ? PUSH_ACK : ACK, stamp);
        this.#sent[mine] += payload;
        return IpProtocol.Tcp;
      case 'udp':
      case 'udp6':
        packet.udp(from, to);
        return IpProtocol.Udp;
      case 'ping':
        packet.echo(reply ? 0 : 8, client, this.#sent[mine]++);
        return IpProtocol.Icmp;
      case 'ping6':
        packet.echo(reply ? 129 : 128, client, this.#sent[mine]++);
        return IpProtocol.Icmpv6;
    }
  }
}
