import { expect, test } from 'vitest';
import { Checksum, transportChecksum } from '../../src/wire/checksum.js';
import { ethernet, frameOf, ipv4 } from './frame-of.js';

const udpChecksum = (datagram: string) => transportChecksum(frameOf(`${ethernet('0800')}${ipv4(17, datagram)}`), 2);

test('UDP sums up its own length; options may stand behind it (RFC 9868)', () => {
  expect(udpChecksum('0001 0002 0009 8ad6 61')).toBe(Checksum.Right);
  expect(udpChecksum('0001 0002 0009 8ad6 61 010203')).toBe(Checksum.Right);
  expect(udpChecksum('0001 0002 0009 8ad6 62 010203')).toBe(Checksum.Wrong);
  expect(udpChecksum('0001 0002 0009 141d 61 010203')).toBe(Checksum.Unfinished);
});

test('what a length names and the packet does not have leaves the checksum unknown', () => {
  expect(udpChecksum('0001 0002 000a 8ad6 61')).toBe(Checksum.Unknown);
});
