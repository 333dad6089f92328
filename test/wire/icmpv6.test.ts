import { describe, expect, test } from 'vitest';
import { ipv6At, macAt } from '../../src/wire/address.js';
import * as icmpv6 from '../../src/wire/icmpv6.js';
import { ethernet, frameOf, ipv6, layersOf, udp } from './frame-of.js';

const { NdpOption, OPTION_VALUE, TARGET } = icmpv6;
const about = (message: string) => `${ethernet('86dd')}${ipv6(58, message)}`;

test('echo', () => {
  const frame = frameOf(about('8000 0000 0017 0003 6162'));
  expect(layersOf(frame)).toBe('ethernet ipv6 icmpv6 data');
  const { view } = frame;
  const at = frame.offsets[2];
  expect([icmpv6.icmpv6Type(view, at), icmpv6.icmpv6Code(view, at)]).toEqual([128, 0]);
  expect([icmpv6.icmpv6Identifier(view, at), icmpv6.icmpv6Sequence(view, at)]).toEqual([23, 3]);
});

describe('neighbor discovery (icmp6-nd-short-options.pcap of zeek)', () => {
  // Frames 6, 5 and 8.
  const solicitation = '8700 15fd 00000000 fe800000000000000000000000000003 0101001122334455';
  const cutSolicitation = '8700 7daa 00000000 fe80000000000000';
  const redirect =
    '8900 e5b7 00000000 fe800000000000000000000000000003 20010db8000000000000000000000001 0101001122334455';

  test('target and link-layer address', () => {
    const frame = frameOf(about(solicitation));
    expect(layersOf(frame)).toBe('ethernet ipv6 icmpv6');
    const { view } = frame;
    const at = frame.offsets[2];
    expect(icmpv6.hasTarget(icmpv6.icmpv6Type(view, at))).toBe(true);
    expect(ipv6At(view, at + TARGET)).toBe('fe80::3');
    const option = icmpv6.ndpOption(view, at, frame.ends[2], NdpOption.SourceLinkLayer);
    expect(macAt(view, option + OPTION_VALUE)).toBe('00:11:22:33:44:55');
    expect(icmpv6.ndpOption(view, at, frame.ends[2], NdpOption.TargetLinkLayer)).toBe(-1);
  });

  test('flags of an advertisement', () => {
    const frame = frameOf(about('8800 0000 a0000000 fe800000000000000000000000000003 0201001122334455'));
    expect(icmpv6.icmpv6Flags(frame.view, frame.offsets[2])).toBe(0xa0);
    expect(icmpv6.ndpOption(frame.view, frame.offsets[2], frame.ends[2], NdpOption.TargetLinkLayer)).toBe(
      frame.offsets[2] + 24,
    );
  });

  test('a redirect has two addresses', () => {
    const frame = frameOf(about(redirect));
    expect(ipv6At(frame.view, frame.offsets[2] + icmpv6.REDIRECT_DESTINATION)).toBe('2001:db8::1');
    expect(icmpv6.ndpOption(frame.view, frame.offsets[2], frame.ends[2], 1)).toBe(frame.offsets[2] + 40);
  });

  test('a message without its whole target is too short', () => {
    expect(layersOf(frameOf(about(cutSolicitation)))).toBe('ethernet ipv6 icmpv6!TooShort');
  });

  test.each([
    ['of length 0', '0100001122334455'],
    ['that ends behind the message', '0102001122334455'],
  ])('an option %s ends the walk', (_, option) => {
    const frame = frameOf(about(solicitation.slice(0, -16) + option));
    expect(icmpv6.ndpOption(frame.view, frame.offsets[2], frame.ends[2], 1)).toBe(-1);
  });
});

test('packet too big quotes, and names the MTU', () => {
  const frame = frameOf(about(`0200 0000 00000500 ${ipv6(17, udp(1, 2, '00'))}`));
  expect(layersOf(frame)).toBe('ethernet ipv6 icmpv6 "ipv6 "udp "data');
  expect(icmpv6.icmpv6Mtu(frame.view, frame.offsets[2])).toBe(1280);
});

test('a quote ends where RFC 4884 says, before the extensions; packet too big has no length', () => {
  // The quoted packet claims 100 bytes more than are there.
  const quote = ipv6(17, udp(1, 2, '')).replace(/^60000000 ?0008/, '60000000006c');
  const extended = (head: string) => frameOf(about(`${head} ${quote} 2000 dead 0008 0101 00000001`));
  const unreachable = extended('0100 0000 06 000000');
  expect(unreachable.limits[3]).toBe(unreachable.offsets[3] + 48);
  const tooBig = extended('0200 0000 06 000000');
  expect(tooBig.limits[3]).toBe(tooBig.end);
});

test('multicast listener discovery is ICMPv6, behind a router alert', () => {
  const report = '3a00 0502 0000 0100 8f00 0000 0000 0001 04000000 ff020000000000000000000000000016';
  expect(layersOf(frameOf(`${ethernet('86dd')}${ipv6(0, report)}`))).toBe('ethernet ipv6 ipv6-extension icmpv6');
});
