import type { Network } from '../../../network/network.js';
import { KeyTable } from '../../../network/rows/key-table.js';
import { formatIpv4 } from '../../../wire/address.js';
import { sourceMac } from '../../../wire/beneath.js';
import type { Frame } from '../../../wire/frame.js';
import { ipv4Destination, ipv4Source, ipv4Ttl } from '../../../wire/ipv4.js';
import { Protocol } from '../../../wire/protocol.js';
import { ARPHRD_LOOPBACK, sll2ArpHardware } from '../../../wire/sll.js';
import { TcpFlag, tcpAcknowledgment, tcpDestinationPort, tcpSequence, tcpSourcePort } from '../../../wire/tcp.js';
import { headerOf } from '../../parts/evidence.js';
import { segmentAt } from '../../parts/segment.js';
import type { EvidenceRef } from '../../rule.js';

const MAX_ATTEMPTS = 4096;
const MAX_CASES = 256;
const MAX_FRAMES = 32;
/** A SYN that comes sooner after the one before (ns) is the same, seen twice: TCP waits a second (RFC 6298 section 2). */
const SAME_SYN_NS = 0.5e9;
/** In place of a segment: all devices of capture 0, and so on downwards. */
const ALL_DEVICES = -2;
/** Rows: segment, client, its port, sequence number of the SYN | service, frame, offset and length of the first SYN to it. */
const SERVICE = 4;
const FRAME = 5;
const OFFSET = 6;
const LENGTH = 7;
/** Source MAC of that SYN; in rows of all devices of a capture the segment it was seen in. */
const HI = 8;
const LO = 9;
/** TTL of that SYN. */
const TTL = 10;
const STRIDE = 11;

/** A connection attempt whose answer comes from elsewhere, or whose SYN comes back to its sender. */
export interface HairpinCase {
  readonly key: string;
  readonly segment: number;
  readonly capture: number;
  readonly client: number;
  /** Address that the client asked, 0 where that is not in the capture. */
  readonly service: number;
  /** Address that answers, or that the SYN was sent on to. */
  readonly server: number;
  readonly port: number;
  /** Resets of the strange answers, or SYNs that came back. */
  rounds: number;
  isAnswered: boolean;
  /**
   * Where it is seen. `client`: the answer comes from another address than the one asked. `server`: SYNs come by another machine, and
   * the client itself resets the answers. `nat`: SYNs go on to the server and come again.
   */
  seenAt: 'client' | 'server' | 'nat';
  /** How often the SYN came again. */
  again: number;
  /** `Frame.time` when the SYN went on, or came back, last: `-i any` shows it more than once. */
  passedAt: number;
  /** Segment in which the client asked the service: with `-i any` another device's. */
  readonly askedIn: number;
  /** Of all devices of a capture the one attempt. */
  readonly attempt: string;
  readonly first: number;
  last: number;
  readonly frames: EvidenceRef[];
}

/** Watches the handshakes of TCP over IPv4 for what NAT without hairpin makes of them. */
export class HairpinCases {
  private readonly attempts = new KeyTable(STRIDE, MAX_ATTEMPTS);
  private readonly cases = new Map<string, HairpinCase>();

  constructor(private readonly network: Network) {}

  values(): Iterable<HairpinCase> {
    return this.cases.values();
  }

  /** A TCP header in `layer` with SYN, RST or both; `flags` are its SYN, ACK and RST. */
  look(frame: Frame, layer: number, flags: number): void {
    if ((flags & TcpFlag.Rst) !== 0 && this.attempts.rowCount === 0) return;
    if (layer === 0 || frame.kinds[layer - 1] !== Protocol.Ipv4) return;
    // LINUX_SLL shows each frame at several devices, before and after NAT, and does not tell them apart.
    if (frame.kinds[0] !== Protocol.Ethernet && frame.kinds[0] !== Protocol.Sll2) return;
    const source = ipv4Source(frame.view, frame.offsets[layer - 1]);
    const destination = ipv4Destination(frame.view, frame.offsets[layer - 1]);
    // 127.0.0.0/8, and the loopback device, whose MACs are zero: there a host does talk to itself.
    const view = frame.view;
    const at = frame.offsets[0];
    const isEthernet = frame.kinds[0] === Protocol.Ethernet;
    if (source >>> 24 === 127 || (isEthernet && view.getUint16(at + 6) === 0 && view.getInt32(at + 8) === 0)) return;
    if (!isEthernet && source === destination && sll2ArpHardware(view, at) === ARPHRD_LOOPBACK) return;
    if (flags & TcpFlag.Rst) this.reset(frame, layer, source, destination);
    else if (flags & TcpFlag.Ack) this.synAck(frame, layer, source, destination);
    else this.syn(frame, layer, source, destination);
  }

  private syn(frame: Frame, layer: number, source: number, destination: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const segment = segmentAt(this.network, frame, layer);
    const port = tcpSourcePort(view, at);
    const sequence = tcpSequence(view, at) | 0;
    const row = this.attempts.add(segment, source, port, sequence);
    const cell = row * STRIDE;
    if (source !== destination && this.attempts.cells[cell + FRAME] === 0) {
      this.attempts.cells[cell + SERVICE] = destination;
      this.attempts.cells[cell + FRAME] = frame.number;
      this.attempts.cells[cell + OFFSET] = at - frame.start;
      this.attempts.cells[cell + LENGTH] = frame.ends[layer] - at;
      const sender = sourceMac(frame, layer);
      this.attempts.cells[cell + HI] = sender < 0 ? -1 : view.getUint16(sender);
      this.attempts.cells[cell + LO] = sender < 0 ? 0 : view.getInt32(sender + 2);
      this.attempts.cells[cell + TTL] = ipv4Ttl(view, frame.offsets[layer - 1]);
      if (frame.kinds[0] === Protocol.Sll2) this.remember(frame, row);
      return;
    }
    const known = this.cases.get(keyOf(segment, source, port, sequence));
    if (source !== destination) {
      const asked = known?.seenAt === 'server' ? known.server : this.attempts.cells[cell + SERVICE];
      if (destination !== asked) this.passedOn(frame, layer, row, known, port, destination);
      else if (known) {
        known.again++;
        note(known, frame, layer, 'the same SYN again');
      }
      return;
    }
    const askedIn = frame.kinds[0] === Protocol.Sll2 ? this.askedElsewhere(frame, row) : segment;
    const own = known ?? this.open(frame, row, port, source, tcpDestinationPort(view, at), 'client', askedIn);
    if (!own || frame.time - own.passedAt < SAME_SYN_NS) return;
    own.passedAt = frame.time;
    own.rounds++;
    note(own, frame, layer, 'SYN with the same address as source and destination');
  }

  /** A capture of all devices shows what a client asks at its own, and what becomes of that at the bridge. */
  private remember({ capture }: Frame, row: number): void {
    const at = row * STRIDE;
    const [segment, client, port, sequence, service, number, offset, length] = this.attempts.cells.slice(at, at + HI);
    const all = this.attempts.add(ALL_DEVICES - capture, client, port, sequence);
    if (this.attempts.cells[all * STRIDE + FRAME] === 0)
      this.attempts.cells.set([service, number, offset, length, segment], all * STRIDE + SERVICE);
  }

  /** Fills in (row) what the client asked at another device; the segment of that. */
  private askedElsewhere({ capture }: Frame, row: number): number {
    const { cells } = this.attempts;
    const at = row * STRIDE;
    const [segment, client, port, sequence] = cells.subarray(at, at + SERVICE);
    const all = cells[at + FRAME] === 0 ? this.attempts.find(ALL_DEVICES - capture, client, port, sequence) : -1;
    if (all < 0) return segment;
    const from = all * STRIDE;
    cells.set(cells.subarray(from + SERVICE, from + HI), at + SERVICE);
    return cells[from + HI];
  }

  /** The SYN for a published address goes on to the server behind it, with the source that it had. */
  private passedOn(
    frame: Frame,
    layer: number,
    row: number,
    known: HairpinCase | undefined,
    port: number,
    server: number,
  ): void {
    if (this.attempts.cells[row * STRIDE + SERVICE] === 0 || (known && known.server !== server)) return;
    const sent =
      known ?? this.open(frame, row, port, server, tcpDestinationPort(frame.view, frame.offsets[layer]), 'nat');
    if (sent?.seenAt !== 'nat' || frame.time - sent.passedAt < SAME_SYN_NS) return;
    sent.passedAt = frame.time;
    sent.rounds++;
    note(sent, frame, layer, `SYN goes on to ${formatIpv4(server)}, its source as it was`);
  }

  private synAck(frame: Frame, layer: number, source: number, client: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const segment = segmentAt(this.network, frame, layer);
    const port = tcpDestinationPort(view, at);
    const sequence = (tcpAcknowledgment(view, at) - 1) | 0;
    if (frame.kinds[0] === Protocol.Sll2 && this.cases.size > 0) {
      const attempt = keyOf(ALL_DEVICES - frame.capture, client, port, sequence);
      for (const each of this.cases.values())
        if (each.attempt === attempt && source === each.service) each.isAnswered = true;
    }
    const row = this.attempts.find(segment, client, port, sequence);
    if (row < 0) return;
    const known = this.cases.get(keyOf(segment, client, port, sequence));
    if (known?.seenAt === 'server') return;
    const service = this.attempts.cells[row * STRIDE + SERVICE];
    if (source === service || source === client) {
      if (known) known.isAnswered = true;
      // An answer as it should be: whatever else is seen of it is another leg of the same NAT.
      else this.attempts.cells[row * STRIDE + SERVICE] = 0;
      return;
    }
    if (service === 0) return;
    const strange = known ?? this.open(frame, row, port, source, tcpSourcePort(view, at), 'client');
    if (strange?.seenAt === 'nat' && strange.server === source) {
      // Seen on the way between client and server too: from now on its resets count.
      strange.seenAt = 'client';
      strange.rounds = 0;
    }
    if (strange) note(strange, frame, layer, `SYN-ACK from ${formatIpv4(source)}, which was not asked`);
  }

  private reset(frame: Frame, layer: number, client: number, server: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const segment = segmentAt(this.network, frame, layer);
    const port = tcpSourcePort(view, at);
    const sequence = (tcpSequence(view, at) - 1) | 0;
    const known =
      this.cases.get(keyOf(segment, client, port, sequence)) ??
      this.openBehindNat(
        frame,
        layer,
        this.attempts.find(segment, client, port, sequence),
        port,
        server,
        tcpDestinationPort(view, at),
      );
    if (!known || known.server !== server || known.server === client) return;
    known.rounds++;
    note(known, frame, layer, 'RST: the client knows no such connection');
  }

  /**
   * The client resets with its own MAC what was answered to a SYN that another machine handed on, which takes a hop from its
   * TTL: else two machines have one address.
   */
  private openBehindNat(
    frame: Frame,
    layer: number,
    row: number,
    clientPort: number,
    server: number,
    port: number,
  ): HairpinCase | null {
    if (row < 0 || this.attempts.cells[row * STRIDE + FRAME] === 0 || frame.kinds[0] !== Protocol.Ethernet) return null;
    const at = sourceMac(frame, layer);
    const isSame =
      frame.view.getUint16(at) === this.attempts.cells[row * STRIDE + HI] &&
      frame.view.getInt32(at + 2) === this.attempts.cells[row * STRIDE + LO];
    const isHandedOn = ipv4Ttl(frame.view, frame.offsets[layer - 1]) > this.attempts.cells[row * STRIDE + TTL];
    return isSame || !isHandedOn ? null : this.open(frame, row, clientPort, server, port, 'server');
  }

  private open(
    frame: Frame,
    row: number,
    clientPort: number,
    server: number,
    port: number,
    seenAt: HairpinCase['seenAt'],
    askedIn = this.attempts.cells[row * STRIDE],
  ): HairpinCase | null {
    if (this.cases.size === MAX_CASES) return null;
    const { cells } = this.attempts;
    const at = row * STRIDE;
    const [segment, client, , sequence, service, number, offset, length] = cells.subarray(at, at + STRIDE);
    const key = keyOf(segment, client, clientPort, sequence);
    const { capture, time } = frame;
    const note = `SYN to ${formatIpv4(seenAt === 'server' ? server : service)}`;
    const opened: HairpinCase = {
      key,
      segment,
      capture,
      client,
      service: seenAt === 'server' ? 0 : service,
      server,
      port,
      rounds: 0,
      isAnswered: false,
      seenAt,
      again: 0,
      passedAt: Number.NEGATIVE_INFINITY,
      askedIn,
      attempt: keyOf(ALL_DEVICES - capture, client, clientPort, sequence),
      first: time,
      last: time,
      frames: number === 0 ? [] : [{ capture, frame: number >>> 0, layer: 'tcp', offset, length, note }],
    };
    this.cases.set(key, opened);
    return opened;
  }
}

function keyOf(segment: number, client: number, port: number, sequence: number): string {
  return `${segment} ${formatIpv4(client)} ${port} ${sequence >>> 0}`;
}

function note(each: HairpinCase, frame: Frame, layer: number, text: string): void {
  each.last = frame.time;
  if (each.frames.length < MAX_FRAMES) each.frames.push(headerOf(frame, layer, 'tcp', text));
}
