import { expect, test } from 'vitest';
import { textLine } from '../../../src/report/frames/text.js';
import { Direction } from '../../../src/wire/frame.js';
import { ethernet, frameOf, ipv4, ipv6, udp } from '../../wire/frame-of.js';

/** A line without its number and time. */
function lineOf(hex: string, linkType = 1): string {
  const line = textLine(frameOf(hex, { linkType }));
  expect(line.slice(0, 25)).toBe('    1 00:00:00.000000000 ');
  expect(line.endsWith('\n')).toBe(true);
  return line.slice(25, -1);
}

const MACS = '02:00:00:00:00:01 > 02:00:00:00:00:02';
const request = '0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002';

test('number, time and direction lead the line', () => {
  const frame = frameOf(`${ethernet('0806')}${request}`);
  frame.number = 12345;
  frame.seconds = 1767323045;
  frame.nanoseconds = 678901234;
  frame.direction = Direction.Out;
  expect(textLine(frame)).toBe(
    `12345 03:04:05.678901234 Out ${MACS}, ethertype ARP (0x0806), length 42: Request who-has 10.0.0.2 tell 10.0.0.1\n`,
  );
});

test.each([
  [
    `${ethernet('8100')} 2064 0806 ${request}`,
    `${MACS}, ethertype 802.1Q (0x8100), length 46: vlan 100, p 1, ethertype ARP (0x0806): Request who-has 10.0.0.2 tell 10.0.0.1`,
  ],
  [
    `${ethernet('0806')} 0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002`,
    `${MACS}, ethertype ARP (0x0806), length 42: Reply 10.0.0.1 is-at 02:00:00:00:00:01`,
  ],
  [
    `${ethernet('0806')} 0001 0800 06 04 0001 020000000001 0a000001 ffffffffffff 0a000001`,
    `${MACS}, ethertype ARP (0x0806), length 42: Request who-has 10.0.0.1 (ff:ff:ff:ff:ff:ff) tell 10.0.0.1`,
  ],
  [
    `${ethernet('0800')}${ipv4(17, udp(1000, 53, '0000'))}`,
    `${MACS}, ethertype IPv4 (0x0800), length 44: 10.0.0.1.1000 > 10.0.0.2.53: UDP, length 2`,
  ],
  [
    `${ethernet('0800')}${ipv4(6, '0401 0050 00000001 00000002 5012 ffff 0000 0000 6162')}`,
    `${MACS}, ethertype IPv4 (0x0800), length 56: 10.0.0.1.1025 > 10.0.0.2.80: Flags [S.], seq 1, ack 2, win 65535, length 2`,
  ],
  [
    `${ethernet('0800')}${ipv4(1, '0800 0000 0017 0003 6162')}`,
    `${MACS}, ethertype IPv4 (0x0800), length 44: 10.0.0.1 > 10.0.0.2: ICMP echo request, id 23, seq 3, length 10`,
  ],
  [
    `${ethernet('0800')}${ipv4(1, `0304 0000 0000 0578 ${ipv4(17, udp(1000, 53, ''))}`)}`,
    `${MACS}, ethertype IPv4 (0x0800), length 70: 10.0.0.1 > 10.0.0.2: ICMP unreachable, code 4, mtu 1400, quoting 10.0.0.1.1000 > 10.0.0.2.53: UDP, length 0`,
  ],
  [
    `${ethernet('0800')}${ipv4(17, udp(40000, 4789, `0800000000006400 ${ethernet('0806')}${request}`))}`,
    `${MACS}, ethertype IPv4 (0x0800), length 92: 10.0.0.1.40000 > 10.0.0.2.4789: UDP, length 50: VXLAN, flags 0x08, vni 100: ` +
      `${MACS}, ethertype ARP (0x0806): Request who-has 10.0.0.2 tell 10.0.0.1`,
  ],
  [
    `${ethernet('86dd')}${ipv6(44, '110005a9f88eb466 6868')}`,
    `${MACS}, ethertype IPv6 (0x86dd), length 64: fe80::1 > ff02::2: fragment of 4170101862 at 1448, more follow: data, length 2`,
  ],
  [`${ethernet('0800')} 4500`, `${MACS}, ethertype IPv4 (0x0800), length 16: ipv4 [too-short]`],
  [`${ethernet('0003')} 424203`, `${MACS}, 802.3 of 3 bytes, length 17: LLC, dsap 0x42 ssap 0x42: stp [too-short]`],
])('%s', (hex, words) => {
  // An LLC header with nothing behind announces a BPDU that is not there.
  expect(lineOf(hex)).toBe(words);
});

test('link types that nobody decodes are named', () => {
  expect(lineOf('0000 0800', 127)).toBe('IEEE802_11_RADIOTAP, not decoded, length 4');
});

test('text from the wire shows its escape sequences', () => {
  const name = Buffer.from('sw\u202e1\x1b[2J').toString('hex');
  const tlv = ((5 << 9) | (name.length / 2)).toString(16).padStart(4, '0');
  expect(lineOf(`${ethernet('88cc')} ${tlv} ${name} 0000`)).toContain('systemName sw\\u{202e}1\\x1b[2J');
});
