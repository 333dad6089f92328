import { describe, expect, it } from 'vitest';
import type { NetworkEvents } from '../../src/network/events.js';
import { Segments } from '../../src/network/link/segments.js';
import { Resolutions } from '../../src/network/neighbors/resolutions.js';
import { Network } from '../../src/network/network.js';
import { FrameLists, MAX_LISTED } from '../../src/network/rows/frame-lists.js';
import { OWN_SETTINGS } from '../../src/network/settings.js';
import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame } from '../../src/wire/frame.js';

const deaf = new Proxy({}, { get: () => () => {} }) as NetworkEvents;

/** A broadcast ARP request whose sender and target a test changes in place. */
function request(): { frame: Frame; bytes: DataView } {
  const packet = [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2];
  const bytes = Uint8Array.from([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, ...packet]);
  const frame = new Frame();
  frame.udpPorts = udpPortTable();
  frame.useBuffer(bytes);
  frame.end = bytes.length;
  frame.wireLength = bytes.length;
  frame.linkType = 1;
  return { frame, bytes: new DataView(bytes.buffer) };
}

/** An IPv4 packet with a TCP segment of 100 octets, whose source and flags a test changes in place. */
function segment(): { frame: Frame; bytes: DataView } {
  const ip = [0x45, 0, 0, 140, 0, 0, 0x40, 0, 64, 6, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1];
  const tcp = [0x9c, 0x40, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 16, 1, 0xf4, 0, 0, 0, 0];
  const bytes = Uint8Array.from([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, ...ip, ...tcp, ...new Array(100).fill(0)]);
  const frame = new Frame();
  frame.udpPorts = udpPortTable();
  frame.useBuffer(bytes);
  frame.end = bytes.length;
  frame.wireLength = bytes.length;
  frame.linkType = 1;
  return { frame, bytes: new DataView(bytes.buffer) };
}

describe('bounds of the network model', () => {
  it('survives an ARP storm with more senders and targets than any table holds', () => {
    const network = new Network({ context: null, vantage: null, listener: deaf });
    const { frame, bytes } = request();
    for (let i = 0; i < 300_000; i++) {
      frame.number++;
      frame.setTime(1_700_000_000 + Math.floor(i / 1000), (i % 1000) * 1e6);
      bytes.setInt32(8, i);
      bytes.setInt32(24, i);
      bytes.setInt32(28, i ^ 0x0a000000);
      bytes.setInt32(38, i * 7);
      decode(frame);
      network.observe(frame);
    }
    network.endCapture(0);
    expect(network.stations.count).toBe(1 << 17);
    expect(network.stations.evicted).toBe(300_000 - (1 << 17));
    expect(network.resolutions.count).toBe(1 << 16);
    expect(network.resolutions.evicted).toBe(300_000 - (1 << 16));
  });

  it('survives a flood of connections: SYNs, and segments that are sent again', () => {
    const network = new Network({ context: null, vantage: null, listener: deaf });
    const { frame, bytes } = segment();
    for (let i = 0; i < 200_000; i++) {
      frame.number++;
      frame.setTime(1_700_000_000 + Math.floor(i / 1000), (i % 1000) * 1e6);
      bytes.setUint16(18, i);
      bytes.setInt32(26, Math.floor(i / 4));
      // SYN, and then 100 octets three times, the latter two from places that were sent before, the last with window 0.
      bytes.setUint8(47, i % 4 === 0 ? 2 : 16);
      bytes.setInt32(38, i % 4);
      bytes.setUint16(48, i % 4 === 3 ? 0 : 500);
      decode(frame);
      network.observe(frame);
    }
    network.endCapture(0);
    expect(network.flows.count).toBe(1 << 15);
    expect(network.flows.evicted).toBe(50_000 - (1 << 15));
    expect(network.handshakes.count).toBe(1 << 12);
    expect(network.windows.count).toBe(1 << 11);
    expect(network.retransmissions.count).toBe(1 << 11);
  });

  it('takes stamps that jump to the ends of time and back', () => {
    const network = new Network({ context: null, vantage: null, listener: deaf });
    const { frame } = request();
    for (const seconds of [1_700_000_000, 0, 2 ** 32 - 1, 1, 2 ** 32 - 1, 1_700_000_000]) {
      frame.number++;
      frame.setTime(seconds, 999_999_999);
      decode(frame);
      network.observe(frame);
    }
    network.endCapture(0);
    expect(network.resolutions.count).toBe(1);
  });

  it('refuses segments beyond the bound, and counts them', () => {
    const segments = new Segments();
    const base = segments.base(new Frame());
    for (let vni = 0; vni < 100_000; vni++) segments.vni(base, vni);
    expect(segments.count).toBe(1 << 16);
    expect(segments.refused).toBe(100_001 - (1 << 16));
    expect(segments.vni(base, 5)).toBeGreaterThan(0);
    expect(segments.vni(-1, 5)).toBe(-1);
  });

  it('lists so many frames of one thing, and gives entries back', () => {
    const lists = new FrameLists();
    let list = 0;
    for (let i = 1; i <= 1000; i++) list = lists.append(list, i, 14, 28);
    expect(lists.read(list)).toHaveLength(MAX_LISTED);
    expect(lists.read(list)[0]).toEqual({ frame: 1, offset: 14, length: 28 });
    lists.release(list);
    for (let i = 0; i < 1 << 20; i++) lists.release(lists.append(0, i, 0, 0));
    expect(lists.refused).toBe(0);
    for (let i = 0; i < 1 << 18; i++) lists.append(0, i, 0, 0);
    expect(lists.refused).toBeGreaterThan(0);
  });

  it('keeps only so many runs waiting, and tells the rest at the end', () => {
    const told = new Set<number>();
    const lists = new FrameLists();
    const resolutions = new Resolutions(lists, OWN_SETTINGS, {
      unanswered: (row) => told.add(row),
      answered: () => {},
      askedAgain: () => {},
    });
    const { frame } = request();
    for (let round = 0; round < 3; round++) {
      frame.time = round * 1.02e9;
      for (let host = 0; host < 10_000; host++) resolutions.request(resolutions.row(0, 2, host, 1, 2), frame, 0);
    }
    resolutions.ripen(10e9);
    expect(told.size).toBeLessThan(10_000);
    resolutions.finish(() => true);
    expect(told.size).toBe(10_000);
  });
});
