import { expect, test } from 'vitest';
import { formatIpv4, formatMac, ipv4At, ipv6At, macAt, parseMac } from '../../src/wire/address.js';
import { bytesOf } from './frame-of.js';

const viewOf = (hex: string) => new DataView(bytesOf(hex).buffer);

test('MACs', () => {
  expect(macAt(viewOf('00 2610841790d2'), 1)).toBe('26:10:84:17:90:d2');
  expect(formatMac(0xffff, -1)).toBe('ff:ff:ff:ff:ff:ff');
  expect(formatMac(0x0200, 0xdeadbeef)).toBe('02:00:de:ad:be:ef');
  expect(parseMac('26:10:84:17:90:D2')).toEqual({ hi: 0x2610, lo: 0x841790d2 | 0 });
  expect(parseMac('2-0-0-0-0-1')).toEqual({ hi: 0x0200, lo: 1 });
  for (const text of ['', '26:10:84:17:90', '26:10:84:17:90:d2:00', '26:10:84:17:90:g2', '261084:17:90:d2']) {
    expect(parseMac(text), text).toBeNull();
  }
});

test('IPv4', () => {
  expect(formatIpv4(-1)).toBe('255.255.255.255');
  expect(formatIpv4(0xac105b66)).toBe('172.16.91.102');
  expect(ipv4At(viewOf('c0a80001'), 0)).toBe('192.168.0.1');
});

test.each([
  // RFC 5952 sections 4 and 5, RFC 4291 section 2.2.
  ['2001 0db8 0000 0000 0001 0000 0000 0001', '2001:db8::1:0:0:1'],
  ['2001 0db8 0000 0001 0001 0001 0001 0001', '2001:db8:0:1:1:1:1:1'],
  ['2001 0000 0000 0001 0000 0000 0000 0001', '2001:0:0:1::1'],
  ['0000 0000 0000 0000 0000 0000 0000 0000', '::'],
  ['0000 0000 0000 0000 0000 0000 0000 0001', '::1'],
  ['fe80 0000 0000 0000 0000 0000 0000 0000', 'fe80::'],
  ['0000 0000 0000 0000 0000 ffff c000 0201', '::ffff:192.0.2.1'],
  ['2001 0db8 aaaa bbbb cccc dddd eeee 0abc', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:abc'],
  ['0000 0001 0002 0003 0004 0005 0006 0007', '0:1:2:3:4:5:6:7'],
])('IPv6 %s', (hex, text) => {
  expect(ipv6At(viewOf(hex), 0)).toBe(text);
});
