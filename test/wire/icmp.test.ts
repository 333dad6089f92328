import { describe, expect, test } from 'vitest';
import { ipv4At } from '../../src/wire/address.js';
import { MAX_LAYERS } from '../../src/wire/frame.js';
import * as icmp from '../../src/wire/icmp.js';
import { udpDestinationPort } from '../../src/wire/udp.js';
import { ethernet, frameOf, ipv4, layersOf, udp } from './frame-of.js';

test('echo', () => {
  const frame = frameOf(`${ethernet('0800')}${ipv4(1, '0800 0000 0017 0003 6162')}`);
  expect(layersOf(frame)).toBe('ethernet ipv4 icmp data');
  const { view } = frame;
  const at = frame.offsets[2];
  expect([icmp.icmpType(view, at), icmp.icmpCode(view, at)]).toEqual([8, 0]);
  expect([icmp.icmpIdentifier(view, at), icmp.icmpSequence(view, at)]).toEqual([23, 3]);
  expect(frame.quotedFrom).toBe(MAX_LAYERS);
});

describe('errors', () => {
  const about = (message: string, quote: string) => `${ethernet('0800')}${ipv4(1, message + quote)}`;

  test('quote the packet that they are about', () => {
    const frame = frameOf(about('0304 0000 0000 0578', ipv4(17, udp(1000, 53, '00'))));
    expect(layersOf(frame)).toBe('ethernet ipv4 icmp "ipv4 "udp "data');
    expect(frame.quotedFrom).toBe(3);
    expect(icmp.isFragmentationNeeded(3, 4)).toBe(true);
    expect(icmp.icmpMtu(frame.view, frame.offsets[2])).toBe(1400);
    expect(udpDestinationPort(frame.view, frame.offsets[4])).toBe(53);
  });

  test('may quote eight bytes of TCP, which is no fault', () => {
    const quote = ipv4(6, '0401 0050 00000001 00000000 5002 0000 0000 0000').slice(0, 56);
    expect(layersOf(frameOf(about('0b00 0000 00000000', quote)))).toBe('ethernet ipv4 icmp "ipv4 "tcp!TooShort');
  });

  test('may quote a tunnel and what is in it', () => {
    const inner = `${ethernet('0806')} 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002`;
    const frame = frameOf(about('0303 0000 00000000', ipv4(17, udp(40000, 8472, `0800000000006400 ${inner}`))));
    expect(layersOf(frame)).toBe('ethernet ipv4 icmp "ipv4 "udp "vxlan "ethernet "arp');
  });

  test('of which the outermost counts', () => {
    const frame = frameOf(about('0300 0000 00000000', ipv4(1, `0300 0000 00000000 ${ipv4(17, udp(1, 2, ''))}`)));
    expect(layersOf(frame)).toBe('ethernet ipv4 icmp "ipv4 "icmp "ipv4 "udp');
  });

  test('end their quote where RFC 4884 says, before the extensions', () => {
    const frame = frameOf(about('0b00 0000 00 07 0000', `${ipv4(17, udp(1, 2, ''))} 2000 dead 0008 0101 00000001`));
    expect(frame.limits[4]).toBe(frame.offsets[3] + 28);
  });

  test('name the gateway of a redirect', () => {
    const frame = frameOf(about('0501 0000 0a0000fe', ipv4(17, udp(1, 2, ''))));
    expect(ipv4At(frame.view, frame.offsets[2] + icmp.GATEWAY)).toBe('10.0.0.254');
  });
});

test('a message below eight bytes', () => {
  expect(layersOf(frameOf(`${ethernet('0800')}${ipv4(1, '0800 0000')}`))).toBe('ethernet ipv4 icmp!TooShort');
});
