import { mac, u16 } from './wire.js';

/** sll2_packet_type: who a cooked packet was for. */
export const HOST = 0;
export const BROADCAST = 1;
export const GROUP = 2;
export const OTHER = 3;
export const OUTGOING = 4;

/** pcap file header for LINUX_SLL2, microseconds. */
export const COOKED_HEADER = Buffer.from([
  0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 20, 1, 0, 0,
]);

/** A record of a cooked packet, so many microseconds after 1970. */
export function cookedRecord(micros: number, packet: readonly number[]): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(Math.floor(micros / 1e6), 0);
  head.writeUInt32LE(micros % 1e6, 4);
  head.writeUInt32LE(packet.length, 8);
  head.writeUInt32LE(packet.length, 12);
  return Buffer.concat([head, Buffer.from(packet)]);
}

/** What `tcpdump -i any` writes down. */
export class CookedCapture {
  private readonly records: Buffer[] = [];

  /** The Ethernet frame as it is seen at second `time` at the device with index `device`. */
  frame(time: number, device: number, type: number, ethernet: readonly number[]): this {
    const cooked = [
      ...ethernet.slice(12, 14),
      ...[0, 0, 0, 0, 0, device],
      ...u16(1),
      type,
      6,
      ...ethernet.slice(6, 12),
      0,
      0,
      ...ethernet.slice(14),
    ];
    this.records.push(cookedRecord(Math.round(time * 1e6), cooked));
    return this;
  }

  file(): Buffer {
    return Buffer.concat([COOKED_HEADER, ...this.records]);
  }
}

/** Bytes of an ARP request in an Ethernet frame. */
export function arpRequest(from: string, to: string, spa: readonly number[], tpa: readonly number[]): number[] {
  return [...mac(to), ...mac(from), 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, ...mac(from), ...spa, 0, 0, 0, 0, 0, 0, ...tpa];
}
