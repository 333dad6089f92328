import { expect, test } from 'vitest';
import { macAt } from '../../src/wire/address.js';
import { Direction } from '../../src/wire/frame.js';
import { linkTypeName } from '../../src/wire/link-types.js';
import { SLL_ADDRESS, SLL2_ADDRESS, sllPacketType } from '../../src/wire/sll.js';
import { vlanId, vlanTpid } from '../../src/wire/vlan.js';
import { frameOf, ipv4, ipv6, layersOf, udp } from './frame-of.js';

const packet4 = ipv4(17, udp(1, 2, '00'));
const packet6 = ipv6(17, udp(1, 2, '00'));

test('link types are named as tcpdump.org lists them', () => {
  expect([1, 0, 101, 12, 113, 276, 228, 127, 147].map(linkTypeName)).toEqual([
    'EN10MB',
    'NULL',
    'RAW',
    'RAW',
    'LINUX_SLL',
    'LINUX_SLL2',
    'IPV4',
    'IEEE802_11_RADIOTAP',
    'LINKTYPE_147',
  ]);
});

test.each([
  [101, packet4, 'ipv4 udp data'],
  [12, packet6, 'ipv6 udp data'],
  [14, packet4, 'ipv4 udp data'],
  [101, 'ff00', 'data'],
  [228, packet4, 'ipv4 udp data'],
  [229, packet6, 'ipv6 udp data'],
  [0, `02000000${packet4}`, 'null ipv4 udp data'],
  [0, `00000002${packet4}`, 'null ipv4 udp data'],
  [0, `1e000000${packet6}`, 'null ipv6 udp data'],
  [108, `00000018${packet6}`, 'loop ipv6 udp data'],
  [0, '00000007 01', 'null data'],
  [0, '0000', 'null!TooShort'],
  [127, '0011223344', 'data'],
])('link type %i', (linkType, hex, layers) => {
  expect(layersOf(frameOf(hex, { linkType }))).toBe(layers);
});

test('LINUX_SLL tells sender and direction', () => {
  // hari.pcap of the Wireshark wiki, frame 1 of its STP frames: 802.2 behind protocol 4.
  const stp = `0002 0001 0006 000e84e3dfd9 932b 0004 aaaa03 00000c010b
    0000 00 00 00 8069000e84e3dfc0 00000000 8069000e84e3dfc0 8019 0000 1400 0200 0f00 00 0000 00020069`;
  const frame = frameOf(stp, { linkType: 113 });
  expect(layersOf(frame)).toBe('sll llc stp');
  expect(sllPacketType(frame.view, frame.offsets[0])).toBe(2);
  expect(macAt(frame.view, frame.offsets[0] + SLL_ADDRESS)).toBe('00:0e:84:e3:df:d9');
  expect(frame.direction).toBe(Direction.In);
});

test('LINUX_SLL2 tells device and direction', () => {
  // linux_dlt_sll2.pcap of zeek's tests, its first ARP frame.
  const arp = `0806 0000 0000001a 0001 04 06 8e360644acaf 0000
    0001 0800 06 04 0001 8e360644acaf c0000201 000000000000 c0000202`;
  const frame = frameOf(arp, { linkType: 276 });
  expect(layersOf(frame)).toBe('sll2 arp');
  expect(macAt(frame.view, frame.offsets[0] + SLL2_ADDRESS)).toBe('8e:36:06:44:ac:af');
  expect([frame.deviceIndex, frame.direction]).toEqual([26, Direction.Out]);
});

test('a tag behind LINUX_SLL2 finds its identifier in front of the cooked header', () => {
  const frame = frameOf('88a8 0000 00000002 0001 00 06 020000000001 0000 0064 0800', { linkType: 276 });
  expect(layersOf(frame)).toBe('sll2 vlan ipv4!TooShort');
  expect([vlanTpid(frame, 1), vlanId(frame.view, frame.offsets[1])]).toEqual([0x88a8, 100]);
});

test('a netlink family is not taken for an EtherType', () => {
  expect(layersOf(frameOf('0004 0338 0000 0000000000000000 0800 45000000', { linkType: 113 }))).toBe('sll data');
});
