import { describe, expect, it } from 'vitest';
import { Capture, findingsOf, inShort, ip, mac, u16 } from '../../support/wire.js';

/** A pcap file with one LINUX_SLL2 packet, from eth0 (device 2), incoming. */
function cooked(protocol: number, packet: readonly number[]): Buffer {
  const header = [...u16(protocol), 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, ...mac('02:00:00:00:00:01'), 0, 0];
  const file = Buffer.alloc(40 + header.length + packet.length);
  file.writeUInt32LE(0xa1b2c3d4, 0);
  file.writeUInt16LE(2, 4);
  file.writeUInt16LE(4, 6);
  file.writeUInt32LE(262144, 16);
  file.writeUInt32LE(276, 20);
  file.writeUInt32LE(1_700_000_000, 24);
  file.writeUInt32LE(header.length + packet.length, 32);
  file.writeUInt32LE(header.length + packet.length, 36);
  file.set([...header, ...packet], 40);
  return file;
}
const addresses = [...ip('10.0.0.1'), ...ip('10.0.0.2')];

describe('capture/cooked', () => {
  it('notes IP packets with a cooked header', async () => {
    const packet = [0x45, 0, 0, 20, 0, 1, 0, 0, 64, 253, 0, 0, ...addresses];
    expect(inShort(await findingsOf(cooked(0x0800, packet)))).toEqual([['capture/cooked', 'certain', []]]);
  });

  it('keeps still about ARP alone, whose own addresses tell enough', async () => {
    const packet = [
      0,
      1,
      8,
      0,
      6,
      4,
      0,
      1,
      ...mac('02:00:00:00:00:01'),
      ...ip('10.0.0.1'),
      0,
      0,
      0,
      0,
      0,
      0,
      ...ip('10.0.0.2'),
    ];
    expect(await findingsOf(cooked(0x0806, packet))).toEqual([]);
  });

  it('keeps still about Ethernet', async () => {
    const packet = { from: '02:00:00:00:00:01', to: '02:00:00:00:00:02', source: '10.0.0.1', destination: '10.0.0.2' };
    expect(await new Capture().ipv4(packet).findings()).toEqual([]);
  });
});
