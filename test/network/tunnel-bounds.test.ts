import { describe, expect, it } from 'vitest';
import type { NetworkEvents } from '../../src/network/events.js';
import { Network } from '../../src/network/network.js';
import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame } from '../../src/wire/frame.js';
import { A, B, ipv4, ONE, TWO, underlayMac, unicast, vxlanPacket } from '../support/tunnel.js';
import { mac } from '../support/wire.js';

const deaf = new Proxy({}, { get: () => () => {} }) as NetworkEvents;
const IP = 14;
const LINK = [...mac(underlayMac(TWO)), ...mac(underlayMac(ONE)), 8, 0];

/** Takes a packet through `times` times, changed in place before each. */
function storm(packet: readonly number[], times: number, change: (bytes: DataView, i: number) => void): Network {
  const network = new Network({ context: null, vantage: null, listener: deaf });
  const array = Uint8Array.from([...LINK, ...packet]);
  const bytes = new DataView(array.buffer);
  const frame = new Frame();
  frame.udpPorts = udpPortTable();
  frame.useBuffer(array);
  frame.end = array.length;
  frame.wireLength = array.length;
  frame.linkType = 1;
  for (let i = 0; i < times; i++) {
    frame.number++;
    frame.setTime(1_700_000_000 + Math.floor(i / 1000), (i % 1000) * 1e6);
    change(bytes, i);
    decode(frame);
    network.observe(frame);
  }
  network.endCapture(0);
  return network;
}

describe('bounds of the tables about tunnels and sizes', () => {
  it('survives more tunnels and stations than the tables hold, and finds each way among them', () => {
    const inner = IP + 20 + 8 + 8;
    const network = storm(vxlanPacket(unicast(A, B)), 100_000, (bytes, i) => {
      bytes.setInt32(IP + 12, i);
      bytes.setInt32(inner + 2, i);
      bytes.setInt32(inner + 8, ~i);
    });
    const { tunnels, tunnelStations } = network;
    expect(tunnels.count).toBe(1 << 12);
    expect(tunnelStations.count).toBe(1 << 16);
    for (const i of [99_999, 98_000]) {
      const row = tunnels.find(0, 4789, network.addresses.ipv4(i), network.addresses.ipv4(0x0a010102), 5);
      expect([tunnels.frames(row), tunnels.unicastFrames(row)]).toEqual([1, 1]);
      expect(tunnels.between(0, tunnels.source(row), tunnels.destination(row))).toEqual([row]);
    }
    const { addresses } = network;
    expect(tunnels.between(0, addresses.ipv4(90_000), addresses.ipv4(0x0a010102))).toEqual([]);
  });

  it('counts a tunnel that comes again after it was given up from the start', () => {
    const network = storm(vxlanPacket(unicast(A, B)), 5001, (bytes, i) => bytes.setInt32(IP + 12, i % 5000));
    const { tunnels, addresses } = network;
    const again = tunnels.find(0, 4789, addresses.ipv4(0), addresses.ipv4(0x0a010102), 5);
    expect(tunnels.frames(again)).toBe(1);
    expect(tunnels.source(again)).toBe(addresses.ipv4(0));
  });

  it('counts a tunnel by the frame, at hand or not', () => {
    const network = storm(vxlanPacket(unicast(A, B)), 3000, (bytes, i) => bytes.setInt32(IP + 12, i % 3));
    const { tunnels } = network;
    expect([0, 1, 2].map((row) => tunnels.frames(row))).toEqual([1000, 1000, 1000]);
  });

  it('counts a tunnel over IPv6 by the frame, and tells addresses apart by every word', () => {
    const udp = vxlanPacket(unicast(A, B)).slice(20);
    const header = [0x60, 0, 0, 0, 0, udp.length, 17, 64, ...new Array(32).fill(0)];
    const words = [8, 12, 16, 20, 24, 28, 32, 36];
    const { tunnels } = storm([...header, ...udp], 900, (bytes, i) => {
      bytes.setUint16(12, 0x86dd);
      for (const word of words) bytes.setUint32(IP + word, 0x20010db8);
      if (i % 9 < 8) bytes.setUint32(IP + words[i % 9], 1);
    });
    expect(Array.from({ length: tunnels.count }, (_, row) => tunnels.frames(row))).toEqual(new Array(9).fill(100));
  });

  it('knows the tunnels between two ends, both ways, by VNI', () => {
    const vni = IP + 20 + 8 + 4;
    const [one, two] = [0x0a010101, 0x0a010102];
    const { tunnels, addresses } = storm(vxlanPacket(unicast(A, B)), 40, (bytes, i) => {
      bytes.setInt32(IP + 12, i % 2 === 0 ? one : two);
      bytes.setInt32(IP + 16, i % 2 === 0 ? two : one);
      bytes.setUint32(vni, (i >> 2) << 8);
    });
    const all = Array.from({ length: 20 }, (_, row) => row);
    expect(tunnels.between(0, addresses.ipv4(one), addresses.ipv4(two))).toEqual(all);
    expect(tunnels.between(0, addresses.ipv4(two), addresses.ipv4(one))).toEqual(all);
    expect(tunnels.between(1, addresses.ipv4(one), addresses.ipv4(two))).toEqual([]);
    expect(tunnels.between(0, addresses.ipv4(one), addresses.ipv4(one))).toEqual([]);
  });

  it('looks at the latest tunnels between two ends alone where they share thousands of VNIs', () => {
    const vni = IP + 20 + 8 + 4;
    const { tunnels, addresses } = storm(vxlanPacket(unicast(A, B)), 10_000, (bytes, i) =>
      bytes.setUint32(vni, i << 8),
    );
    const [one, two] = [addresses.ipv4(0x0a010101), addresses.ipv4(0x0a010102)];
    const between = tunnels.between(0, one, two);
    expect(between.map((row) => tunnels.vni(row)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 64 }, (_, i) => 9936 + i),
    );
    expect(tunnels.vni(tunnels.find(0, 4789, one, two, 7000))).toBe(7000);
    expect(tunnels.find(0, 4789, one, two, 5000)).toBe(-1);
  });

  it('survives more fragmented datagrams than the table holds', () => {
    const packet = ipv4(ONE, TWO, 17, new Array(64).fill(1), { fragment: 0x2000 });
    const network = storm(packet, 100_000, (bytes, i) => {
      bytes.setInt32(IP + 12, i);
      bytes.setUint16(IP + 4, i);
    });
    expect(network.fragments.count).toBe(1 << 12);
  });

  it('survives more pings than the table holds', () => {
    const packet = ipv4(ONE, TWO, 1, [8, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3, 4]);
    const network = storm(packet, 50_000, (bytes, i) => bytes.setInt32(IP + 16, i));
    expect(network.echoes.count).toBe(1 << 13);
    expect(network.echoes.evicted).toBe(50_000 - (1 << 13));
  });

  it('survives more errors about sizes, and about tunnels, than the tables hold', () => {
    const quoted = vxlanPacket(unicast(A, B));
    const packet = ipv4('10.1.1.254', ONE, 1, [3, 4, 0, 0, 0, 0, 5, 120, ...quoted]);
    const network = storm(packet, 20_000, (bytes, i) => bytes.setInt32(IP + 20 + 8 + 16, i));
    expect(network.pathMtus.count).toBe(1 << 11);
    expect(network.tunnelErrors.count).toBe(512);
  });
});
