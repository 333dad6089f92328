import { describe, expect, it } from 'vitest';
import { Capture, inShort, ip, u16 } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const SOURCE = '10.0.0.1';
const DESTINATION = '10.0.0.2';

/** Sum of the pseudo header of UDP with `length` bytes, folded (RFC 768). */
function partial(length: number): number {
  const words = [...ip(SOURCE), ...ip(DESTINATION), 0, 17, ...u16(length)];
  let sum = 0;
  for (let i = 0; i < words.length; i += 2) sum += words[i] * 256 + words[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

function datagrams(count: number, checksum: (length: number) => number) {
  const capture = new Capture();
  for (let i = 0; i < count; i++) {
    const payload = [...u16(40000), ...u16(9), ...u16(12), ...u16(checksum(12)), 1, 2, 3, i];
    capture.at(i).ipv4({ from: A, to: B, source: SOURCE, destination: DESTINATION, protocol: 17, id: i, payload });
  }
  return capture;
}

describe('capture/offload-checksums', () => {
  it('is certain of three packets that carry the sum of the pseudo header only', async () => {
    const findings = await datagrams(3, partial).findings();
    expect(inShort(findings)).toEqual([['capture/offload-checksums', 'certain', [1, 2, 3]]]);
    expect(findings[0].title).toBe('Checksums are left to the device in all of the first 3 TCP and UDP packets');
    expect(findings[0].severity).toBe('info');
  });

  it('keeps still about two, about no checksum, and about wrong ones', async () => {
    expect(await datagrams(2, partial).findings()).toEqual([]);
    expect(await datagrams(9, () => 0).findings()).toEqual([]);
    expect(await datagrams(9, (length) => partial(length) ^ 1).findings()).toEqual([]);
  });
});
