import { Direction } from '../wire/frame.js';

/*
 * pcapng, draft-ietf-opsawg-pcapng: section header block (section 4.1), interface description block (4.2), enhanced
 * packet block (4.3), interface statistics block (4.6). Little-endian; times in nanoseconds.
 */

const Block = { Section: 0x0a0d0d0a, Interface: 1, Statistics: 5, Packet: 6 } as const;
const Option = {
  Comment: 1,
  SectionHardware: 2,
  SectionSystem: 3,
  SectionApplication: 4,
  InterfaceName: 2,
  InterfaceDescription: 3,
  InterfaceResolution: 9,
  PacketFlags: 2,
  StatisticsDropped: 5,
} as const;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Nanoseconds: a negative power of ten. */
const RESOLUTION = 9;
/** An option's length is a 16-bit number. */
const LONGEST_OPTION = 65_535;

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

export function sectionBlock({ application, system, comments = [] }: SectionToWrite): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
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
  const flags = new Uint8Array(4);
  flags[0] = direction === Direction.In ? 1 : 2;
  return block(Block.Packet, body, [
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

/** Time stamps stand as two halves, the upper first, whatever the byte order. */
function putTime(view: DataView, at: number, seconds: number, nanoseconds: number): void {
  const time = BigInt.asUintN(64, BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
  view.setUint32(at, Number(time >> 32n), true);
  view.setUint32(at + 4, Number(time & 0xffff_ffffn), true);
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
