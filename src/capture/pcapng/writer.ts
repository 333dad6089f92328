import { Direction } from '../../wire/frame.js';
import { Block, BYTE_ORDER } from './blocks.js';
import { Option } from './options.js';

/*
 * pcapng, draft-ietf-opsawg-pcapng: section header block (section 4.1), interface description block (4.2), enhanced
 * packet block (4.3), interface statistics block (4.6). Little-endian; times in nanoseconds.
 */

/** Nanoseconds: a negative power of ten. */
const RESOLUTION = 9;
/** An option's length is a 16-bit number. */
const LONGEST_OPTION = 65_535;
const TWO_32 = 0x1_0000_0000;
/** Bytes of a packet block in front of the packet; of the option with its direction and the end of options. */
const PACKET_HEADER = 28;
const DIRECTION_OPTIONS = 12;

export interface SectionToWrite {
  application: string;
  system?: string;
  comments?: readonly string[];
}

export interface InterfaceToWrite {
  name: string | null;
  description?: string | null;
  /** LINKTYPE_ value. */
  linkType: number;
  /** Bytes kept of each packet at most; 0 for no limit. */
  snapLength: number;
}

export interface PacketToWrite {
  /** Position among the interfaces of the section, from 0. */
  interface: number;
  seconds: number;
  nanoseconds: number;
  bytes: Uint8Array;
  /** Length on the wire in bytes. */
  wireLength: number;
  direction: Direction;
  comments?: readonly string[];
}

/** A packet where it lies: `bytes` from `start` to `end`; the rest as in `PacketToWrite`. */
export interface FrameToWrite extends Omit<PacketToWrite, 'comments'> {
  start: number;
  end: number;
}

export function sectionBlock({ application, system, comments = [] }: SectionToWrite): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setUint32(0, BYTE_ORDER, true);
  view.setUint16(4, 1, true);
  // The section's length is not told: -1.
  view.setBigInt64(8, -1n, true);
  return block(Block.Section, body, [
    ...comments.map((each) => text(Option.Comment, each)),
    ...(system === undefined ? [] : [text(Option.SectionSystem, system)]),
    text(Option.SectionApplication, application),
  ]);
}

export function interfaceBlock({ name, description, linkType, snapLength }: InterfaceToWrite): Uint8Array {
  const body = new Uint8Array(8);
  const view = new DataView(body.buffer);
  view.setUint16(0, linkType, true);
  view.setUint32(4, snapLength, true);
  return block(Block.Interface, body, [
    ...(name === null ? [] : [text(Option.InterfaceName, name)]),
    ...(description ? [text(Option.InterfaceDescription, description)] : []),
    option(Option.InterfaceResolution, Uint8Array.of(RESOLUTION)),
  ]);
}

export function packetBlock(packet: PacketToWrite): Uint8Array {
  const { bytes, direction, comments = [] } = packet;
  const body = new Uint8Array(20 + padded(bytes.length));
  const view = new DataView(body.buffer);
  view.setUint32(0, packet.interface, true);
  putTime(view, 4, packet.seconds, packet.nanoseconds);
  view.setUint32(12, bytes.length, true);
  view.setUint32(16, packet.wireLength, true);
  body.set(bytes, 20);
  const flags = Uint8Array.of(flagsOf(direction), 0, 0, 0);
  return block(Block.EnhancedPacket, body, [
    ...comments.map((each) => text(Option.Comment, each)),
    ...(direction === Direction.Unknown ? [] : [option(Option.PacketFlags, flags)]),
  ]);
}

/** What the capturing side lost on an interface until then. */
export function statisticsBlock(number: number, seconds: number, nanoseconds: number, dropped: number): Uint8Array {
  const body = new Uint8Array(12);
  const view = new DataView(body.buffer);
  view.setUint32(0, number, true);
  putTime(view, 4, seconds, nanoseconds);
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, BigInt(dropped), true);
  return block(Block.Statistics, body, [option(Option.StatisticsDropped, count)]);
}

/** Bytes that the block of a packet takes which has no comments. */
export function plainPacketSize(captured: number): number {
  return PACKET_HEADER + padded(captured) + DIRECTION_OPTIONS + 4;
}

/**
 * Puts the block of a packet without comments where it is wanted, allocating nothing. All of it is written, so what
 * was there before does not matter.
 * @param view onto the whole buffer of `bytes`
 * @returns its length in bytes, at most `plainPacketSize` of the captured length
 */
export function putPacket(bytes: Uint8Array, view: DataView, at: number, frame: FrameToWrite): number {
  const { start, end, direction } = frame;
  const captured = end - start;
  const hasDirection = direction !== Direction.Unknown;
  const length = PACKET_HEADER + padded(captured) + (hasDirection ? DIRECTION_OPTIONS : 0) + 4;
  view.setUint32(at, Block.EnhancedPacket, true);
  view.setUint32(at + 4, length, true);
  view.setUint32(at + 8, frame.interface, true);
  putTime(view, at + 12, frame.seconds, frame.nanoseconds);
  view.setUint32(at + 20, captured, true);
  view.setUint32(at + 24, frame.wireLength, true);
  copy(frame.bytes, start, end, bytes, at + PACKET_HEADER);
  let next = at + PACKET_HEADER + captured;
  for (; (next - at) % 4 !== 0; next++) bytes[next] = 0;
  if (hasDirection) {
    view.setUint16(next, Option.PacketFlags, true);
    view.setUint16(next + 2, 4, true);
    view.setUint32(next + 4, flagsOf(direction), true);
    view.setUint32(next + 8, 0, true);
  }
  view.setUint32(at + length - 4, length, true);
  return length;
}

/** A `subarray` would cost more than copying a small packet byte by byte. */
function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > 256) to.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at++] = from[i];
}

/** epb_flags, bits 0 and 1 (section 4.3.1). */
function flagsOf(direction: Direction): number {
  return direction === Direction.In ? 1 : 2;
}

/**
 * Time stamps are 64-bit numbers of nanoseconds, as two halves, the upper first whatever the byte order. A double
 * does not hold them: the seconds are multiplied in halves of 16 bits. Before 1970 they are two's complements.
 */
function putTime(view: DataView, at: number, seconds: number, nanoseconds: number): void {
  const upperSeconds = Math.floor(seconds / 0x10000);
  const upper = upperSeconds * 1e9;
  const upperHigh = Math.floor(upper / 0x10000);
  const lower = (seconds - upperSeconds * 0x10000) * 1e9 + nanoseconds;
  const low = (upper - upperHigh * 0x10000) * 0x10000 + lower;
  const carry = Math.floor(low / TWO_32);
  view.setUint32(at, upperHigh + carry, true);
  view.setUint32(at + 4, low - carry * TWO_32, true);
}

function block(type: number, body: Uint8Array, options: readonly Uint8Array[]): Uint8Array {
  const all = options.length === 0 ? [body] : [body, ...options, new Uint8Array(4)];
  const length = 12 + all.reduce((sum, each) => sum + each.length, 0);
  const out = new Uint8Array(length);
  const view = new DataView(out.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  let at = 8;
  for (const each of all) {
    out.set(each, at);
    at += each.length;
  }
  view.setUint32(at, length, true);
  return out;
}

function text(code: number, value: string): Uint8Array {
  return option(code, new TextEncoder().encode(value).subarray(0, LONGEST_OPTION));
}

function option(code: number, value: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 + padded(value.length));
  const view = new DataView(out.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  out.set(value, 4);
  return out;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
