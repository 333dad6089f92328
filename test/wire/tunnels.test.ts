import { describe, expect, test } from 'vitest';
import { geneveProtocolType, geneveVni } from '../../src/wire/geneve.js';
import { greHasKey, greKey, greProtocolType } from '../../src/wire/gre.js';
import * as vxlan from '../../src/wire/vxlan.js';
import { ethernet, frameOf, ipv4, layersOf, udp } from './frame-of.js';

const arp = '0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002';
const innerArp = `${ethernet('0806')}${arp}`;

describe('VXLAN', () => {
  const inVxlan = (header: string, inner: string) => `${ethernet('0800')}${ipv4(17, udp(40000, 4789, header + inner))}`;

  test('vxlan.pcap of tcpdump, frame 2', () => {
    const frame = frameOf(`36dc851eb340 00163e0871cf 0800 4500004eb80240003e116e48c0a8ca01c0a8cb01 a6d612b5003a0000
      0800000000006400 ffffffffffff 003088010002 0806 0001080006040001003088010002c0a8cb05000000000000c0a8cb03`);
    expect(layersOf(frame)).toBe('ethernet ipv4 udp vxlan ethernet arp');
    const { view } = frame;
    const at = frame.offsets[3];
    expect([vxlan.vxlanVni(view, at), vxlan.vxlanFlags(view, at)]).toEqual([100, 8]);
    expect(vxlan.vxlanHasReserved(view, at)).toBe(false);
    expect(vxlan.vxlanGroupPolicy(view, at)).toBe(-1);
  });

  test.each([
    ['reserved bits', '0c00000000006401', { reserved: true, policy: -1 }],
    ['the last byte', '0800000000006401', { reserved: true, policy: -1 }],
    ['no I flag', '0000000000006400', { reserved: false, policy: -1 }],
    ['a group policy', '880001f400006400', { reserved: true, policy: 500 }],
  ])('with %s is decoded all the same', (_, header, told) => {
    const frame = frameOf(inVxlan(header, innerArp));
    expect(layersOf(frame)).toBe('ethernet ipv4 udp vxlan ethernet arp');
    const { view } = frame;
    const at = frame.offsets[3];
    expect({
      reserved: vxlan.vxlanHasReserved(view, at),
      policy: vxlan.vxlanGroupPolicy(view, at),
    }).toEqual(told);
  });

  test('is followed four deep', () => {
    let packet = innerArp;
    for (let i = 0; i < 5; i++) packet = inVxlan('0800000000000100', packet);
    expect(layersOf(frameOf(packet))).toBe(`${'ethernet ipv4 udp vxlan '.repeat(4)}ethernet ipv4 udp vxlan!TooDeep`);
  });

  test('a cut header', () => {
    expect(layersOf(frameOf(inVxlan('080000', '')))).toBe('ethernet ipv4 udp vxlan!TooShort');
  });
});

describe('GRE', () => {
  const inGre = (payload: string) => `${ethernet('0800')}${ipv4(47, payload)}`;

  test('Ethernet inside, with key', () => {
    const frame = frameOf(inGre(`2000 6558 0000002a ${innerArp}`));
    expect(layersOf(frame)).toBe('ethernet ipv4 gre ethernet arp');
    const at = frame.offsets[2];
    expect([greProtocolType(frame.view, at), greHasKey(frame.view, at), greKey(frame.view, at)]).toEqual([
      0x6558,
      true,
      42,
    ]);
  });

  test('checksum, key and sequence stand in this order', () => {
    const frame = frameOf(inGre(`b000 0800 abcd0000 00000007 00000001 ${ipv4(99, '00')}`));
    expect(layersOf(frame)).toBe('ethernet ipv4 gre ipv4 data');
    expect(greKey(frame.view, frame.offsets[2])).toBe(7);
  });

  test('PPTP (GrePackets.pcap of PcapPlusPlus, frame 1) has an acknowledgment', () => {
    const frame = frameOf(`000ded7b48f4 00904b1fa4f7 0800 4500002c067c0000802fad97c0a80241c0a802fe
      3081880b 00080006 00000022 00000011 ff0380fd06040004`);
    expect(layersOf(frame)).toBe('ethernet ipv4 gre data');
    expect(frame.ends[2] - frame.offsets[2]).toBe(16);
  });

  test('a keepalive carries the answer, which carries nothing', () => {
    expect(layersOf(frameOf(inGre(`0000 0800 ${ipv4(47, '0000 0000')}`)))).toBe('ethernet ipv4 gre ipv4 gre');
  });

  test('ERSPAN carries Ethernet: type I without a header, type II and III with one', () => {
    expect(layersOf(frameOf(inGre(`0000 88be ${innerArp}`)))).toBe('ethernet ipv4 gre ethernet arp');
    expect(layersOf(frameOf(inGre(`1000 88be 00000001 1000000700000000 ${innerArp}`)))).toBe(
      'ethernet ipv4 gre erspan ethernet arp',
    );
    const type3 = '1000 22eb 00000001 200000070000000000000001';
    expect(layersOf(frameOf(inGre(`${type3} 0000000000000000 ${innerArp}`)))).toBe(
      'ethernet ipv4 gre erspan ethernet arp',
    );
    const ip = ipv4(17, udp(1, 2, ''));
    expect(layersOf(frameOf(inGre(`1000 22eb 00000001 200000070000000000000800 ${ip}`)))).toBe(
      'ethernet ipv4 gre erspan ipv4 udp',
    );
    expect(layersOf(frameOf(inGre(`1000 22eb 00000001 200000070000000000000400 ${ip}`)))).toBe(
      'ethernet ipv4 gre erspan data',
    );
    expect(layersOf(frameOf(inGre(`${type3} 00000000`)))).toBe('ethernet ipv4 gre erspan!TooShort');
    expect(layersOf(frameOf(inGre('1000 88be 00000001 3000000700000000')))).toBe('ethernet ipv4 gre erspan!BadVersion');
    expect(layersOf(frameOf(inGre('1000 88be 00000001 10000007')))).toBe('ethernet ipv4 gre erspan!TooShort');
  });

  test('source routes are data; other versions are not read', () => {
    expect(layersOf(frameOf(inGre('4000 0800 00000000 45')))).toBe('ethernet ipv4 gre data');
    expect(layersOf(frameOf(inGre('0002 0800')))).toBe('ethernet ipv4 gre!BadVersion');
    expect(layersOf(frameOf(inGre('b000 0800 abcd0000 0000')))).toBe('ethernet ipv4 gre!TooShort');
  });
});

describe('Geneve', () => {
  const inGeneve = (payload: string) => `${ethernet('0800')}${ipv4(17, udp(40000, 6081, payload))}`;

  test('geneve.pcap of tcpdump, frame 1: options, then Ethernet', () => {
    const frame = frameOf(inGeneve(`0240655800000a00 0000800100 00000c ${innerArp}`));
    expect(layersOf(frame)).toBe('ethernet ipv4 udp geneve ethernet arp');
    const at = frame.offsets[3];
    expect([geneveVni(frame.view, at), geneveProtocolType(frame.view, at)]).toEqual([10, 0x6558]);
  });

  test('another version, and options behind the end', () => {
    expect(layersOf(frameOf(inGeneve('4000655800000a00')))).toBe('ethernet ipv4 udp geneve!BadVersion');
    expect(layersOf(frameOf(inGeneve('0300655800000a00')))).toBe('ethernet ipv4 udp geneve!TooShort');
  });
});

describe('MPLS and PPPoE', () => {
  test('the bottom label tells IP by its version', () => {
    const frame = frameOf(`${ethernet('8847')} 00010040 000201ff ${ipv4(99, '00')}`);
    expect(layersOf(frame)).toBe('ethernet mpls mpls ipv4 data');
    expect(layersOf(frameOf(`${ethernet('8847')} 000201ff 00000000`))).toBe('ethernet mpls data');
  });

  test('a session carries IP, its length cuts padding off', () => {
    const inner = ipv4(99, '00');
    const frame = frameOf(`${ethernet('8864')} 11 00 0007 0017 0021 ${inner} 0000`);
    expect(layersOf(frame)).toBe('ethernet pppoe ipv4 data');
    expect(frame.limits[1]).toBe(frame.end - 2);
    expect(layersOf(frameOf(`${ethernet('8863')} 11 09 0000 0004 01010000`))).toBe('ethernet pppoe');
    expect(layersOf(frameOf(`${ethernet('8864')} 21 00 0007 0017 0021`))).toBe('ethernet pppoe!BadVersion');
    expect(layersOf(frameOf(`${ethernet('8864')} 11 00 0007 0001 0021`))).toBe('ethernet pppoe!TooShort');
  });
});
