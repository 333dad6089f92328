import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame, Status } from '../../src/wire/frame.js';
import { protocolName } from '../../src/wire/protocol.js';

/** Bytes written as hexadecimal digits, with white space wherever it helps. */
export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replace(/\s+/g, ''), 'hex'));
}

interface Circumstances {
  linkType?: number;
  /** Length on the wire where it is not that of the bytes. */
  wireLength?: number;
  vxlanPorts?: number[];
}

/** A decoded frame. It lies between other bytes, as in a reader's buffer: nothing may look at them. */
export function frameOf(hex: string, { linkType = 1, wireLength, vxlanPorts = [] }: Circumstances = {}): Frame {
  const bytes = bytesOf(hex);
  const frame = new Frame();
  const buffer = new Uint8Array(bytes.length + 64).fill(0xee);
  buffer.set(bytes, 32);
  frame.useBuffer(buffer);
  frame.start = 32;
  frame.end = 32 + bytes.length;
  frame.wireLength = wireLength ?? bytes.length;
  frame.linkType = linkType;
  frame.number = 1;
  frame.udpPorts = udpPortTable(vxlanPorts);
  decode(frame);
  return frame;
}

const STATUS = Object.fromEntries(Object.entries(Status).map(([name, value]) => [value, name]));

/** Names of the layers, outermost first: `ethernet arp`, with `!TooShort` behind what could not be read, `"` before quotes. */
export function layersOf(frame: Frame): string {
  return Array.from({ length: frame.layerCount }, (_, i) => {
    const name = protocolName(frame.kinds[i]);
    const status = frame.statuses[i] === Status.Ok ? '' : `!${STATUS[frame.statuses[i]]}`;
    return `${i >= frame.quotedFrom ? '"' : ''}${name}${status}`;
  }).join(' ');
}

/** An Ethernet header of unicast addresses with an EtherType given as four digits. */
export function ethernet(type: string): string {
  return `020000000002 020000000001 ${type}`;
}

/** An IPv4 header from 10.0.0.1 to 10.0.0.2 with payload. */
export function ipv4(protocol: number, payload: string): string {
  const bytes = bytesOf(payload);
  const header = bytesOf('4500 0000 0001 0000 40 00 0000 0a000001 0a000002');
  const view = new DataView(header.buffer);
  view.setUint16(2, 20 + bytes.length);
  view.setUint8(9, protocol);
  return Buffer.concat([header, bytes]).toString('hex');
}

/** A UDP datagram. */
export function udp(source: number, destination: number, payload: string): string {
  const bytes = bytesOf(payload);
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint16(0, source);
  view.setUint16(2, destination);
  view.setUint16(4, 8 + bytes.length);
  return Buffer.concat([header, bytes]).toString('hex');
}

/** An IPv6 header from fe80::1 to ff02::2 with payload. */
export function ipv6(nextHeader: number, payload: string): string {
  const bytes = bytesOf(payload);
  const header = bytesOf(
    '6000 0000 0000 00 40 fe80 0000 0000 0000 0000 0000 0000 0001 ff02 0000 0000 0000 0000 0000 0000 0002',
  );
  const view = new DataView(header.buffer);
  view.setUint16(4, bytes.length);
  view.setUint8(6, nextHeader);
  return Buffer.concat([header, bytes]).toString('hex');
}
