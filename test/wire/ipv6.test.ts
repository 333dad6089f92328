import { describe, expect, test } from 'vitest';
import { ipv6At } from '../../src/wire/address.js';
import * as v6 from '../../src/wire/ipv6.js';
import * as extension from '../../src/wire/ipv6-extension.js';
import { ethernet, frameOf, ipv6, layersOf, udp } from './frame-of.js';

test('fields of RFC 8200', () => {
  const frame = frameOf(`${ethernet('86dd')}${ipv6(17, udp(1, 2, '00'))}${'00'.repeat(5)}`);
  expect(layersOf(frame)).toBe('ethernet ipv6 udp data');
  const { view } = frame;
  const at = frame.offsets[1];
  expect([v6.ipv6PayloadLength(view, at), v6.ipv6NextHeader(view, at), v6.ipv6HopLimit(view, at)]).toEqual([9, 17, 64]);
  expect([ipv6At(view, at + v6.SOURCE), ipv6At(view, at + v6.DESTINATION)]).toEqual(['fe80::1', 'ff02::2']);
  expect(frame.limits[1]).toBe(frame.end - 5);
});

test('another version', () => {
  expect(layersOf(frameOf(`${ethernet('86dd')} 45${'00'.repeat(39)}`))).toBe('ethernet ipv6!BadVersion');
});

test('no next header', () => {
  expect(layersOf(frameOf(`${ethernet('86dd')}${ipv6(59, '')}`))).toBe('ethernet ipv6');
});

describe('extension headers', () => {
  const hopByHop = (next: string) => `${next} 00 0502 0000 0100`;

  test('each is a layer that knows its number', () => {
    const routing = '3c 00 00 00 00000000';
    const destination = '33 01 0106 000000000000 0104 00000000'; // 16 bytes
    const authentication = '11 04 0000 00000001 00000001 000000000000000000000000';
    const frame = frameOf(
      `${ethernet('86dd')}${ipv6(0, `${hopByHop('2b')}${routing}${destination}${authentication}${udp(1, 2, '')}`)}`,
    );
    expect(layersOf(frame)).toBe(`ethernet ipv6 ${'ipv6-extension '.repeat(4)}udp`);
    expect([2, 3, 4, 5].map((i) => extension.extensionType(frame, i))).toEqual([0, 43, 60, 51]);
    expect([2, 3, 4, 5].map((i) => frame.ends[i] - frame.offsets[i])).toEqual([8, 8, 16, 24]);
  });

  test('only the first fragment shows what is inside', () => {
    // ipv6-frag.pcap of PcapPlusPlus: the fragment headers of one datagram.
    const first = frameOf(`${ethernet('86dd')}${ipv6(44, `11000001f88eb466 ${udp(0x18db, 0x18db, '')}`)}`);
    expect(layersOf(first)).toBe('ethernet ipv6 ipv6-extension udp');
    const at = first.offsets[2];
    expect(extension.isFragmentHeader(first, 2)).toBe(true);
    expect(extension.extensionFragmentOffset(first.view, at)).toBe(0);
    expect(extension.extensionMoreFragments(first.view, at)).toBe(true);
    expect(extension.extensionIdentification(first.view, at)).toBe(0xf88eb466);
    const second = frameOf(`${ethernet('86dd')}${ipv6(44, '110005a9f88eb466 6868686868686868')}`);
    expect(layersOf(second)).toBe('ethernet ipv6 ipv6-extension data');
    expect(extension.extensionFragmentOffset(second.view, second.offsets[2])).toBe(1448);
  });

  test('a payload length of 0 leaves what was captured (jumbograms, BIG TCP)', () => {
    const jumbo = ipv6(0, `11 00 c204 00010000 ${udp(1, 2, '0000')}`).replace(/^(.{8})..../, '$10000');
    const frame = frameOf(`${ethernet('86dd')}${jumbo}`);
    expect(layersOf(frame)).toBe('ethernet ipv6 ipv6-extension udp data');
    expect(frame.limits[1]).toBe(frame.end);
  });

  test('one that ends behind the packet', () => {
    expect(layersOf(frameOf(`${ethernet('86dd')}${ipv6(0, '11 05 0502 0000 0100')}`))).toBe(
      'ethernet ipv6 ipv6-extension!TooShort',
    );
  });
});
