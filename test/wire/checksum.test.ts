import { describe, expect, test } from 'vitest';
import { Checksum, transportChecksum } from '../../src/wire/checksum.js';
import { Protocol } from '../../src/wire/protocol.js';
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

describe('behind IPv6 extension headers', () => {
  const source = '20010db8000000000000000000000001';
  const target = '20010db8000000000000000000000002';
  const final = '20010db8000000000000000000000003';
  const home = '20010db8000000000000000000000004';
  /** A UDP datagram whose checksum is made for two addresses, behind headers of which each is its number and what follows the next header's. */
  const packet = (headers: readonly (readonly [number, string])[], from = source, to = target) => {
    const numbers = [...headers.map(([number]) => number), 17];
    const all = headers.map(([, rest], i) => numbers[i + 1].toString(16).padStart(2, '0') + rest).join('');
    const datagram = (sum: number) => `0001 0002 0009 ${sum.toString(16).padStart(4, '0')} 61`.replaceAll(' ', '');
    const bytes = Buffer.from(`${from}${to}00000009000000110001000200090000${'6100'}`, 'hex');
    let sum = 0;
    for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    const payload = all + datagram(0xffff - sum);
    const length = (payload.length / 2).toString(16).padStart(4, '0');
    const frame = frameOf(
      `${ethernet('86dd')}60000000${length}${numbers[0].toString(16).padStart(2, '0')}40${source}${target}${payload}`,
    );
    expect(frame.kinds[frame.layerCount - 1]).toBe(Protocol.Data);
    return transportChecksum(frame, frame.layerCount - 2);
  };
  const options = '00010400000000';
  const routing = (type: string, left: string, ...addresses: string[]) =>
    [43, `${(addresses.length * 2).toString(16).padStart(2, '0')}${type}${left}00000000${addresses.join('')}`] as const;

  test.each([
    ['hop-by-hop options', [[0, options]]],
    ['destination options', [[60, options]]],
    [
      'several',
      [
        [0, options],
        [60, options],
        [43, '00040000000000'],
        [60, options],
      ],
    ],
    ['an authentication header', [[51, `010000${'00'.repeat(8)}`]]],
    ['a routing header whose way is over', [routing('00', '00', final, source)]],
    ['an unknown routing header whose way is over', [routing('fd', '00', final)]],
    ['a fragment header of a whole packet', [[44, '00000000000001']]],
  ] as const)('takes the addresses of the header: %s', (_, headers) => {
    expect(packet(headers)).toBe(Checksum.Right);
    expect(packet(headers, source, final)).toBe(Checksum.Wrong);
  });

  test('takes the final destination while segments are left', () => {
    expect(packet([routing('00', '02', home, final)], source, final)).toBe(Checksum.Right);
    expect(packet([routing('02', '01', final)], source, final)).toBe(Checksum.Right);
    expect(packet([routing('04', '01', final, home)], source, final)).toBe(Checksum.Right);
    expect(packet([routing('04', '01', final, home)])).toBe(Checksum.Wrong);
  });

  test('takes the home address for the source', () => {
    const withHome = [[60, `0201020000c910${home}`]] as const;
    // PadN, so that the option begins at 8n + 6 (RFC 6275 section 6.3).
    expect(packet(withHome, home)).toBe(Checksum.Right);
    expect(packet(withHome)).toBe(Checksum.Wrong);
  });

  test.each([
    ['a first fragment', [44, '00000100000001']],
    ['a routing header of another type', routing('03', '01', final)],
    ['more segments left than there are', routing('00', '03', final, home)],
    ['segments left, and none there', [43, '00000100000000']],
  ] as const)('is unknown: %s', (_, header) => {
    expect(packet([header])).toBe(Checksum.Unknown);
    expect(packet([header], source, final)).toBe(Checksum.Unknown);
  });
});
