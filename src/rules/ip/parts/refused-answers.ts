import type { Network } from '../../../network/network.js';
import type { Frame } from '../../../wire/frame.js';
import { IcmpType, icmpCode, icmpType } from '../../../wire/icmp.js';
import { Icmpv6Type, icmpv6Code, icmpv6Type } from '../../../wire/icmpv6.js';
import { IpProtocol } from '../../../wire/ip-protocols.js';
import { ipv4Destination, ipv4IsFragment, ipv4Protocol, ipv4Source } from '../../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE, ipv6NextHeader } from '../../../wire/ipv6.js';
import { Protocol } from '../../../wire/protocol.js';
import { udpDestinationPort, udpSourcePort } from '../../../wire/udp.js';
import { segmentAt } from '../../parts/segment.js';
import type { EvidenceRef } from '../../rule.js';

const UDP_HEADER = 8;
const DNS = 53;
/** "Port unreachable" (RFC 792, RFC 4443 section 3.1). */
const PORT = 3;
const PORT6 = 4;
const MAX_WATCHES = 256;
/** Ports of a client, and frames of a case, that are kept. */
const MAX_PORTS = 64;
const MAX_FRAMES = 32;
/** A kernel refuses what no socket takes at once (ns). */
const REFUSED_WITHIN_NS = 1e9;

/** What a client port asked, and the answer from elsewhere that waits to be refused. */
interface Asked {
  /** Row of `Addresses`; -1 if it asked several servers. */
  server: number;
  time: number;
  question: EvidenceRef;
  answerer: number;
  answered: number;
  answer: EvidenceRef | null;
}

/** A client that refused an answer from a port of some server: from then on it is known whom it asks there. */
interface Watch {
  readonly segment: number;
  readonly capture: number;
  /** Row of `Addresses`. */
  readonly client: number;
  /** Of the servers. */
  readonly port: number;
  readonly asked: Map<number, Asked>;
  /** By answerer: its answers that were refused, and the first of them. */
  readonly refused: Map<number, { count: number; first: number; place: EvidenceRef }>;
}

/** Questions to one address whose answers come from another and are refused. */
export interface RefusedAnswers {
  readonly key: string;
  readonly segment: number;
  readonly capture: number;
  /** Rows of `Addresses`. */
  readonly client: number;
  readonly server: number;
  readonly answerer: number;
  readonly port: number;
  /** Questions that are seen with the answer from elsewhere and its refusal. */
  rounds: number;
  /** Refused answers, with those before the first such round. */
  count: number;
  readonly first: number;
  last: number;
  readonly frames: EvidenceRef[];
}

/**
 * Watches UDP of clients that say "port unreachable" to a server. A socket that waits for one address takes nothing from
 * another (udp(7), `connect`), and the kernel refuses that as if nothing listened. Costs nothing before the first refusal.
 */
export class RefusedAnswerCases {
  /** Whether there is anything to watch. */
  isWatching = false;
  private readonly watches = new Map<string, Watch>();
  private readonly ports = new Set<number>();
  private readonly cases = new Map<string, RefusedAnswers>();

  constructor(
    private readonly network: Network,
    /** Seconds from a question to its answer. */
    private readonly patience: number,
    private readonly tell: (each: RefusedAnswers) => void,
    private readonly withdraw: (key: string) => void,
  ) {}

  values(): Iterable<RefusedAnswers> {
    return this.cases.values();
  }

  /** An ICMP or ICMPv6 header in `layer`. */
  error(frame: Frame, layer: number): void {
    const { view, kinds, offsets, ends, limits, statuses, quotedFrom, layerCount } = frame;
    const at = offsets[layer];
    const isV6 = kinds[layer] === Protocol.Icmpv6;
    const isRefusal = isV6
      ? icmpv6Type(view, at) === Icmpv6Type.DestinationUnreachable && icmpv6Code(view, at) === PORT6
      : icmpType(view, at) === IcmpType.DestinationUnreachable && icmpCode(view, at) === PORT;
    if (!isRefusal || layer === 0 || quotedFrom >= layerCount || statuses[quotedFrom] !== 0) return;
    const header = offsets[quotedFrom];
    const udp = ends[quotedFrom];
    if (udp + 4 > limits[quotedFrom] || kinds[quotedFrom] !== (isV6 ? Protocol.Ipv6 : Protocol.Ipv4)) return;
    if ((isV6 ? ipv6NextHeader(view, header) : ipv4Protocol(view, header)) !== IpProtocol.Udp) return;
    const port = view.getUint16(udp);
    // Its messages have numbers, which prove more.
    if (port === DNS && !isV6) return;
    const client = this.destination(frame, quotedFrom);
    // What others refuse, a firewall on the way, says nothing of the client's sockets.
    if (client !== this.source(frame, layer - 1)) return;
    const answerer = this.source(frame, quotedFrom);
    const place = placeOf(frame, layer, isV6 ? 'icmpv6' : 'icmp', 'the answer is refused');
    this.refused(frame, layer, client, answerer, port, view.getUint16(udp + 2), place);
  }

  /** A UDP header in `layer`. */
  datagram(frame: Frame, layer: number): void {
    const { view, offsets } = frame;
    const at = offsets[layer];
    const from = udpSourcePort(view, at);
    const to = udpDestinationPort(view, at);
    const isQuestion = this.ports.has(to);
    if (!isQuestion && !this.ports.has(from)) return;
    const ip = layer - 1;
    const isIpv4 = ip >= 0 && frame.kinds[ip] === Protocol.Ipv4;
    if (!isIpv4 && (ip < 0 || frame.kinds[ip] !== Protocol.Ipv6)) return;
    if (isIpv4 && ipv4IsFragment(view, offsets[ip])) return;
    const segment = segmentAt(this.network, frame, layer);
    const source = this.source(frame, ip);
    const destination = this.destination(frame, ip);
    if (isQuestion) {
      const watch = this.watches.get(keyOf(segment, source, to));
      if (watch) this.question(watch, frame, layer, from, destination);
    }
    const watch = this.watches.get(keyOf(segment, destination, from));
    if (watch) this.answer(watch, frame, layer, to, source);
  }

  private refused(
    frame: Frame,
    layer: number,
    client: number,
    answerer: number,
    port: number,
    clientPort: number,
    place: EvidenceRef,
  ): void {
    const segment = segmentAt(this.network, frame, layer);
    const key = keyOf(segment, client, port);
    let watch = this.watches.get(key);
    if (!watch) {
      if (this.watches.size === MAX_WATCHES) return;
      watch = { segment, capture: frame.capture, client, port, asked: new Map(), refused: new Map() };
      this.watches.set(key, watch);
      this.ports.add(port);
      this.isWatching = true;
    }
    let refusals = watch.refused.get(answerer);
    if (!refusals) {
      if (watch.refused.size === MAX_PORTS) return;
      refusals = { count: 0, first: frame.time, place };
      watch.refused.set(answerer, refusals);
    }
    refusals.count++;
    const asked = watch.asked.get(clientPort);
    if (!asked?.answer || asked.answerer !== answerer || asked.server < 0) return;
    if (frame.time - asked.answered > REFUSED_WITHIN_NS) return;
    const name = `${key} ${asked.server} ${answerer}`;
    let own = this.cases.get(name);
    if (!own) {
      if (this.cases.size === MAX_WATCHES) return;
      const { segment: at, capture } = watch;
      const { first } = refusals;
      own = {
        key: `udp ${at} ${this.text(client)} ${this.text(asked.server)} ${this.text(answerer)} ${port}`,
        segment: at,
        capture,
        client,
        server: asked.server,
        answerer,
        port,
        rounds: 0,
        count: 0,
        first,
        last: frame.time,
        frames: refusals.place === place ? [] : [refusals.place],
      };
      this.cases.set(name, own);
    }
    own.rounds++;
    own.count = refusals.count;
    own.last = frame.time;
    if (own.frames.length < MAX_FRAMES) own.frames.push(asked.question, asked.answer, place);
    asked.answer = null;
    this.tell(own);
  }

  private question(watch: Watch, frame: Frame, layer: number, port: number, server: number): void {
    const asked = watch.asked.get(port);
    // A program that talks with many from one port gets answers, and questions of others, from anywhere, and one that took
    // what came from elsewhere does not mind.
    if (asked && (asked.server !== server || asked.answer)) {
      asked.server = -1;
      return;
    }
    if (!asked && watch.asked.size === MAX_PORTS) watch.asked.delete(watch.asked.keys().next().value as number);
    const question = placeOf(frame, layer, 'udp', `question to ${this.text(server)}`);
    watch.asked.set(port, { server, time: frame.time, question, answerer: -1, answered: 0, answer: null });
  }

  private answer(watch: Watch, frame: Frame, layer: number, port: number, source: number): void {
    const asked = watch.asked.get(port);
    if (!asked || asked.server < 0 || frame.time - asked.time > this.patience * 1e9) return;
    if (source !== asked.server) {
      // One answer to each question.
      if (asked.answerer >= 0) return;
      asked.answerer = source;
      asked.answered = frame.time;
      asked.answer = placeOf(frame, layer, 'udp', `answer from ${this.text(source)}, which was not asked`);
      return;
    }
    // Answered as it should be: what else comes is another leg of the same way, or a stranger.
    asked.server = -1;
    for (const [name, each] of this.cases) {
      if (each.segment !== watch.segment || each.client !== watch.client || each.server !== source) continue;
      if (each.port !== watch.port) continue;
      this.cases.delete(name);
      this.withdraw(each.key);
    }
  }

  private source(frame: Frame, ip: number): number {
    const { view, offsets, kinds } = frame;
    const { addresses } = this.network;
    return kinds[ip] === Protocol.Ipv4
      ? addresses.ipv4(ipv4Source(view, offsets[ip]))
      : addresses.ipv6(view, offsets[ip] + IPV6_SOURCE);
  }

  private destination(frame: Frame, ip: number): number {
    const { view, offsets, kinds } = frame;
    const { addresses } = this.network;
    return kinds[ip] === Protocol.Ipv4
      ? addresses.ipv4(ipv4Destination(view, offsets[ip]))
      : addresses.ipv6(view, offsets[ip] + IPV6_DESTINATION);
  }

  private text(address: number): string {
    return this.network.addresses.format(address);
  }
}

function keyOf(segment: number, client: number, port: number): string {
  return `${segment} ${client} ${port}`;
}

function placeOf(frame: Frame, layer: number, name: string, note: string): EvidenceRef {
  const at = frame.offsets[layer];
  return {
    capture: frame.capture,
    frame: frame.number,
    layer: name,
    offset: at - frame.start,
    length: name === 'udp' ? UDP_HEADER : frame.limits[layer] - at,
    note,
  };
}
