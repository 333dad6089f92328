import { describe, expect, test } from 'vitest';
import { ethernet, frameOf, ipv4, layersOf, udp } from './frame-of.js';

const arp = '0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002';

describe('a header whose end is missing', () => {
  test('is snapped where the capture cut it, too short where the packet ends', () => {
    const cut = `${ethernet('0806')}${arp}`.replace(/\s+/g, '').slice(0, 60);
    expect(layersOf(frameOf(cut, { wireLength: 42 }))).toBe('ethernet arp!Snapped');
    expect(layersOf(frameOf(cut))).toBe('ethernet arp!TooShort');
  });

  test('is snapped also inside a length that the capture cut', () => {
    // IPv4 says 28 bytes, 24 were captured: the UDP header lies in the cut.
    const packet = `${ethernet('0800')}${ipv4(17, udp(1, 2, ''))}`.replace(/\s+/g, '');
    expect(layersOf(frameOf(packet.slice(0, -8), { wireLength: 60 }))).toBe('ethernet ipv4 udp!Snapped');
  });

  test('is too short where a length narrowed it, though the capture cut the padding', () => {
    // IPv4 says 24 bytes and all of them were captured; only padding is missing.
    const packet = `${ethernet('0800')}${ipv4(17, '0001 0002')}`;
    expect(layersOf(frameOf(packet, { wireLength: 60 }))).toBe('ethernet ipv4 udp!TooShort');
  });

  test('spans what there is, and nothing behind the frame is read', () => {
    const frame = frameOf('020000000002 0200');
    expect(layersOf(frame)).toBe('ethernet!TooShort');
    expect([frame.offsets[0], frame.ends[0], frame.limits[0]]).toEqual([frame.start, frame.end, frame.end]);
  });
});

test('a frame without bytes has its link header, too short', () => {
  expect(layersOf(frameOf(''))).toBe('ethernet!TooShort');
  expect(layersOf(frameOf('', { wireLength: 60 }))).toBe('ethernet!Snapped');
});

test('more headers than fit end as too deep', () => {
  const frame = frameOf(ethernet('8100') + '00018100'.repeat(40));
  expect(frame.layerCount).toBe(32);
  expect(layersOf(frame)).toMatch(/ vlan!TooDeep$/);
});
