import { expect, test } from 'vitest';
import { formatIpv4 } from '../../src/wire/address.js';
import * as v4 from '../../src/wire/ipv4.js';
import { ethernet, frameOf, ipv4, layersOf, udp } from './frame-of.js';

/** A header of 20 bytes with the bits at stake, and four bytes of payload. */
function packet({ first = '45', total = '0018', flags = '0000', protocol = '11', options = '' }): string {
  return `${ethernet('0800')} ${first}b9 ${total} 1234 ${flags} 40 ${protocol} 0000 ac105b65 e0000016 ${options} 00010002`;
}

test('fields of RFC 791', () => {
  const frame = frameOf(packet({ flags: '4000', protocol: 'ff' }));
  expect(layersOf(frame)).toBe('ethernet ipv4 data');
  const { view } = frame;
  const at = frame.offsets[1];
  expect(v4.ipv4TotalLength(view, at)).toBe(24);
  expect(v4.ipv4Identification(view, at)).toBe(0x1234);
  expect(v4.ipv4DontFragment(view, at)).toBe(true);
  expect(v4.ipv4MoreFragments(view, at)).toBe(false);
  expect(v4.ipv4FragmentOffset(view, at)).toBe(0);
  expect(v4.ipv4Ttl(view, at)).toBe(64);
  expect(v4.ipv4Protocol(view, at)).toBe(255);
  expect(formatIpv4(v4.ipv4Source(view, at))).toBe('172.16.91.101');
  expect(formatIpv4(v4.ipv4Destination(view, at))).toBe('224.0.0.22');
});

test('the total length cuts Ethernet padding off', () => {
  const frame = frameOf(`${ethernet('0800')}${ipv4(17, udp(1, 2, ''))}${'00'.repeat(18)}`);
  expect(layersOf(frame)).toBe('ethernet ipv4 udp');
  expect(frame.limits[1]).toBe(frame.end - 18);
});

test('a total length of 0 leaves what was captured (BIG TCP, segmentation offload)', () => {
  const frame = frameOf(packet({ total: '0000', protocol: 'ff' }));
  expect(layersOf(frame)).toBe('ethernet ipv4 data');
  expect(frame.limits[1]).toBe(frame.end);
});

test('options belong to the header', () => {
  const frame = frameOf(packet({ first: '46', total: '001c', options: '94040000', protocol: 'ff' }));
  expect(layersOf(frame)).toBe('ethernet ipv4 data');
  expect(v4.ipv4HeaderLength(frame.view, frame.offsets[1])).toBe(24);
  expect(frame.ends[1] - frame.offsets[1]).toBe(24);
});

test('a first fragment shows its transport header, the others are data', () => {
  expect(layersOf(frameOf(packet({ flags: '2000' })))).toBe('ethernet ipv4 udp!TooShort');
  const later = frameOf(packet({ flags: '2003' }));
  expect(layersOf(later)).toBe('ethernet ipv4 data');
  expect(v4.ipv4FragmentOffset(later.view, later.offsets[1])).toBe(24);
  expect(v4.ipv4MoreFragments(later.view, later.offsets[1])).toBe(true);
});

test.each([
  ['another version', { first: '65' }, 'ethernet ipv4!BadVersion'],
  ['a header length below 20', { first: '44' }, 'ethernet ipv4!BadLength'],
  ['a total length below the header length', { total: '0013' }, 'ethernet ipv4!BadLength'],
  ['a header longer than the packet', { first: '4f', total: '0040' }, 'ethernet ipv4!TooShort'],
])('%s', (_, bits, layers) => {
  expect(layersOf(frameOf(packet(bits)))).toBe(layers);
});

test('IP in IP', () => {
  expect(layersOf(frameOf(`${ethernet('0800')}${ipv4(4, ipv4(41, '6000'))}`))).toBe('ethernet ipv4 ipv4 ipv6!TooShort');
});
