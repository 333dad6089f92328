import { HOST, type Host, PEER, packet } from './icmp.js';
import { ipv4 } from './tunnel.js';
import { type Capture, mac, u16, type Way } from './wire.js';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
const PSH = 8;
export const ACK = 16;

export interface Segment {
  sport?: number;
  dport?: number;
  seq?: number;
  ack?: number;
  window?: number;
  /** Bytes of payload. */
  length?: number;
  /** Identification and TTL of the IPv4 header. */
  id?: number;
  ttl?: number;
  options?: readonly number[];
  way?: Way | undefined;
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

/** TCP header, options and payload. */
function tcpBytes(flags: number, segment: Segment = {}): number[] {
  const { sport = 40000, dport = 80, seq = 1000, ack = 0, window = 500, length = 0, options = [] } = segment;
  const head = [...u16(sport), ...u16(dport), ...u32(seq), ...u32(ack), (5 + options.length / 4) << 4, flags];
  return [...head, ...u16(window), 0, 0, 0, 0, ...options, ...new Array(length).fill(0x78)];
}

/** One segment over IPv4, from HOST to PEER if not told otherwise. */
export function tcp(capture: Capture, from: Host, to: Host, flags: number, segment: Segment = {}): Capture {
  const { id = 1, ttl = 64, way } = segment;
  const whole = ipv4(from.ip, to.ip, 6, tcpBytes(flags, segment), { id, fragment: 0x4000 });
  whole[8] = ttl;
  return packet(capture, from, to, whole, way);
}

/** One segment over IPv6; addresses are fd00::1 and so on, by the last byte of the IPv4 ones. */
export function tcp6(capture: Capture, from: Host, to: Host, flags: number, segment: Segment = {}): Capture {
  const bytes = tcpBytes(flags, segment);
  const address = ({ ip }: Host) => [0xfd, ...new Array(14).fill(0), Number(ip.split('.')[3])];
  const head = [0x60, 0, 0, 0, ...u16(bytes.length), 6, 64, ...address(from), ...address(to)];
  return capture.raw([...mac(to.mac), ...mac(from.mac), 0x86, 0xdd, ...head, ...bytes], segment.way);
}

/** The same SYN `times` times, a second apart, from `at` on. */
export function syns(capture: Capture, times: number, segment: Segment = {}, at = 1, from = HOST, to = PEER): Capture {
  for (let i = 0; i < times; i++) tcp(capture.at(at + i), from, to, SYN, { id: 1 + i, ...segment });
  return capture;
}

/** A SYN-ACK of PEER for the SYN of HOST above. */
export function synAck(capture: Capture, segment: Segment = {}, from = PEER, to = HOST): Capture {
  const { sport = 40000, dport = 80, ...rest } = segment;
  return tcp(capture, from, to, SYN | ACK, { seq: 5000, ack: 1001, ...rest, sport: dport, dport: sport });
}

/** SYN, SYN-ACK and ACK between HOST and PEER. */
export function handshake(capture: Capture, segment: Segment = {}): Capture {
  tcp(capture, HOST, PEER, SYN, segment);
  synAck(capture, segment);
  return tcp(capture, HOST, PEER, ACK, { ...segment, seq: 1001, ack: 5001 });
}

/** Data of PEER, port 80, to HOST: `sequence` counts from its first octet. */
export function data(capture: Capture, sequence: number, length: number, segment: Segment = {}): Capture {
  const { sport = 40000, dport = 80, ...rest } = segment;
  const all = { ack: 1001, ...rest, seq: 5001 + sequence, length, sport: dport, dport: sport };
  return tcp(capture, PEER, HOST, ACK | PSH, all);
}

/** HOST acknowledges that many octets of it, and blocks beyond. */
export function acknowledge(
  capture: Capture,
  count: number,
  { blocks = [], ...segment }: Segment & { blocks?: readonly (readonly [number, number])[] } = {},
): Capture {
  const options =
    blocks.length === 0 ? [] : [1, 1, 5, 2 + 8 * blocks.length, ...blocks.flat().flatMap((edge) => u32(5001 + edge))];
  return tcp(capture, HOST, PEER, ACK, { seq: 1001, ack: 5001 + count, options, ...segment });
}
