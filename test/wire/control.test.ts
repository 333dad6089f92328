import { describe, expect, test } from 'vitest';
import { formatIpv4, ipv4At, macAt } from '../../src/wire/address.js';
import { CdpTlv, cdpLength, cdpNativeVlan, cdpTlv } from '../../src/wire/cdp.js';
import * as dhcp from '../../src/wire/dhcp.js';
import { dhcpv6HasTransactionId, dhcpv6MessageType, dhcpv6TransactionId } from '../../src/wire/dhcpv6.js';
import { GROUP, igmpType } from '../../src/wire/igmp.js';
import { ACTOR, lacpKey, lacpPort, lacpState, PARTNER, SYSTEM } from '../../src/wire/lacp.js';
import { LldpTlv, lldpLength, lldpPortVlan, lldpTlv } from '../../src/wire/lldp.js';
import { vrrpCount, vrrpPriority, vrrpRouter, vrrpVersion } from '../../src/wire/vrrp.js';
import { ethernet, frameOf, ipv4, ipv6, layersOf, udp } from './frame-of.js';

describe('DHCP', () => {
  const fixed = `02 01 06 00 00000007 c000 0000 00000000 80020661 ac13e607 00000000 90b11c994929
    ${'00'.repeat(10 + 192)}`;
  const message = (rest: string) => frameOf(`${ethernet('0800')}${ipv4(17, udp(67, 68, fixed + rest))}`);

  test('offer (dhcp.pcap of zeek, frame 2, its first options)', () => {
    const frame = message('63825363 350102 3604 80020698 3304 00000384 ff');
    expect(layersOf(frame)).toBe('ethernet ipv4 udp dhcp');
    const { view } = frame;
    const at = frame.offsets[3];
    const end = frame.ends[3];
    expect([dhcp.dhcpOp(view, at), dhcp.dhcpTransactionId(view, at)]).toEqual([2, 7]);
    expect(ipv4At(view, at + dhcp.YIADDR)).toBe('128.2.6.97');
    expect(dhcp.dhcpHasMac(view, at)).toBe(true);
    expect(macAt(view, at + dhcp.CHADDR)).toBe('90:b1:1c:99:49:29');
    expect(dhcp.dhcpMessageType(view, at, end)).toBe(dhcp.DhcpMessage.Offer);
    expect(formatIpv4(dhcp.dhcpWordOption(view, at, end, dhcp.DhcpOption.ServerIdentifier))).toBe('128.2.6.152');
  });

  test.each([
    ['no cookie', '00000000 350102', 0],
    ['no options', '', 0],
    ['padding first', '63825363 0000 350105 ff', 5],
    ['an end before', '63825363 ff 350105', 0],
    ['an empty value', '63825363 3500', 0],
    ['a value behind the end', '63825363 3502 01', 0],
    ['half an option', '63825363 35', 0],
    ['nothing in the fields that option 52 names', '63825363 340103 ff', 0],
    ['an option 52 without a value', '63825363 3400 ff', 0],
  ])('message type with %s', (_, rest, type) => {
    const frame = message(rest);
    expect(layersOf(frame)).toBe('ethernet ipv4 udp dhcp');
    expect(dhcp.dhcpMessageType(frame.view, frame.offsets[3], frame.ends[3])).toBe(type);
  });

  describe('options in several pieces (RFC 3396)', () => {
    const padded = (options: string, bytes: number) => options.padEnd(bytes * 2, '0');
    const read = <T>(
      options: string,
      reader: (view: DataView, at: number, end: number) => T,
      sname = '',
      file = '',
    ) => {
      const fields = `${fixed.slice(0, -384)}${padded(sname, 64)}${padded(file, 128)}`;
      const frame = frameOf(`${ethernet('0800')}${ipv4(17, udp(67, 68, `${fields}63825363${options}`))}`);
      return reader(frame.view, frame.offsets[3], frame.ends[3]);
    };
    const word = (options: string, ...more: string[]) =>
      read(options, (view, at, end) => dhcp.dhcpWordOption(view, at, end, 54), ...more);
    const hash = (options: string, ...more: string[]) =>
      read(options, (view, at, end) => dhcp.dhcpOptionHash(view, at, end, 61), ...more);

    test('are one value', () => {
      expect(word('36040a000001ff')).toBe(0x0a000001);
      expect(word('36020a00 350102 00 36020001 ff')).toBe(0x0a000001);
      expect(word('3600 36010a 3603000001 ff')).toBe(0x0a000001);
      expect(word('3604ff000001 360401020304 ff')).toBe(0xff000001);
      expect(word('36020a00 360100 ff')).toBe(-1);
      expect(word('36020a00 3602 00')).toBe(-1);
      expect(word('ff 36040a000001')).toBe(-1);
      expect(read('3500 350105 ff', dhcp.dhcpMessageType)).toBe(5);
      expect(hash('3d02aabb 3d01cc ff')).toBe(hash('3d03aabbcc ff'));
      expect(hash('3d02aabb ff')).not.toBe(hash('3d03aabbcc ff'));
      expect(hash('3d00 ff')).not.toBe(0);
    });

    test('go on in file, then in sname', () => {
      expect(word('340103 36010a ff', '36020001ff', '360100ff')).toBe(0x0a000001);
      expect(word('340103 ff', '36020001ff', '36020a00ff')).toBe(0x0a000001);
      expect(word('340102 36020a00 ff', '36020001ff', '3602ffffff')).toBe(0x0a000001);
      expect(word('340101 36020a00 ff', '36020001ff', 'ff')).toBe(-1);
    });

    test('hold suboptions that begin in one and end in another', () => {
      const selects = (options: string) => read(options, dhcp.dhcpSelectsSubnet);
      expect(selects('5203 010109 5206 05040a000000 ff')).toBe(true);
      expect(selects('5203 010205 5202 0900 ff')).toBe(false);
      expect(selects('5203 010205 5207 09 05040a000000 ff')).toBe(true);
      expect(selects('5204 01010905 5205 040a000000 ff')).toBe(true);
      expect(selects('5201 05 ff')).toBe(false);
      expect(selects('76040a000000 ff')).toBe(true);
    });

    test('are read in one pass, however many there are', () => {
      const many = '3d00'.repeat(30_000);
      const start = performance.now();
      for (let i = 0; i < 20; i++) expect(hash(`${many}3d01aa ff`)).toBe(hash('3d01aa ff'));
      expect(performance.now() - start).toBeLessThan(2000);
    });
  });

  test('options go on in file, then in sname, where option 52 says so', () => {
    const padded = (options: string, bytes: number) => options.padEnd(bytes * 2, '0');
    const typeWith = (sname: string, file: string, options: string) => {
      const fields = `${fixed.slice(0, -384)}${padded(sname, 64)}${padded(file, 128)}`;
      const frame = frameOf(`${ethernet('0800')}${ipv4(17, udp(67, 68, `${fields}63825363${options}`))}`);
      return dhcp.dhcpMessageType(frame.view, frame.offsets[3], frame.ends[3]);
    };
    expect(typeWith('350105ff', '350102ff', '340101ff')).toBe(2);
    expect(typeWith('350105ff', '350102ff', '340102ff')).toBe(5);
    expect(typeWith('350105ff', '350102ff', '340103ff')).toBe(2);
    expect(typeWith('350105ff', 'ff', '340103ff')).toBe(5);
    expect(typeWith('350105ff', '350102ff', '340103350106ff')).toBe(6);
    expect(typeWith('350105ff', '350102ff', 'ff')).toBe(0);
  });
});

test('DHCPv6', () => {
  const frame = frameOf(`${ethernet('86dd')}${ipv6(17, udp(546, 547, '01 0000ff 00010000'))}`);
  expect(layersOf(frame)).toBe('ethernet ipv6 udp dhcpv6');
  const at = frame.offsets[3];
  expect([dhcpv6MessageType(frame.view, at), dhcpv6TransactionId(frame.view, at)]).toEqual([1, 255]);
  expect(dhcpv6HasTransactionId(frame.view, at)).toBe(true);
});

test('LACP (LACP.pcap of tcpdump, frame 1); other slow protocols are data', () => {
  const frame = frameOf(`0180c2000002 0013c4120f0d 8809 01 01 01 14 8000 0013c4120f00 000d 8000 0016 85 000000
    02 14 8000 000e8316f500 000d 8000 0019 36 000000 0310 8000 ${'00'.repeat(64)}`);
  expect(layersOf(frame)).toBe('ethernet lacp');
  const at = frame.offsets[1];
  const side = (information: number) => [
    macAt(frame.view, information + SYSTEM),
    lacpKey(frame.view, information),
    lacpPort(frame.view, information),
    lacpState(frame.view, information),
  ];
  expect(side(at + ACTOR)).toEqual(['00:13:c4:12:0f:00', 13, 0x16, 0x85]);
  expect(side(at + PARTNER)).toEqual(['00:0e:83:16:f5:00', 13, 0x19, 0x36]);
  expect(layersOf(frameOf(`${ethernet('8809')} 02 01`))).toBe('ethernet data');
  expect(layersOf(frameOf(`${ethernet('8809')} 01 01`))).toBe('ethernet lacp!TooShort');
});

test('LLDP', () => {
  const frame = frameOf(`${ethernet('88cc')} 0207 04 001906eab880 0403 05 6531 0602 0078 0a03 737731 0000`);
  expect(layersOf(frame)).toBe('ethernet lldp');
  const name = lldpTlv(frame.view, frame.offsets[1], frame.ends[1], LldpTlv.SystemName);
  expect(Buffer.from(frame.bytes.subarray(name + 2, name + 2 + lldpLength(frame.view, name))).toString()).toBe('sw1');
  expect(lldpTlv(frame.view, frame.offsets[1], frame.ends[1], LldpTlv.PortDescription)).toBe(-1);
  const endless = frameOf(`${ethernet('88cc')} 0bff 00`);
  expect(lldpTlv(endless.view, endless.offsets[1], endless.ends[1], LldpTlv.SystemName)).toBe(-1);
});

test('Port VLAN ID of LLDP (LLDP_and_CDP.pcap of tcpdump, frame 3, its TLVs of organizations)', () => {
  const vlanOf = (tlvs: string) => {
    const frame = frameOf(`${ethernet('88cc')} 0207 04 001906eab880 0403 05 6531 0602 0078 ${tlvs}`);
    return lldpPortVlan(frame.view, frame.offsets[1], frame.ends[1]);
  };
  expect(vlanOf('fe06 0080c2 01 0001 fe09 00120f 01 036c03 0010 0000')).toBe(1);
  expect(vlanOf('fe09 00120f 01 036c03 0010 fe06 0080c2 01 0ffe 0000')).toBe(4094);
  // None; no such TLV; another subtype; too short; cut.
  expect(vlanOf('fe06 0080c2 01 0000 0000')).toBe(0);
  for (const tlvs of ['0000', 'fe07 0080c2 02 00 0001 0000', 'fe05 0080c2 01 01 0000', 'fe06 0080c2 01 00'])
    expect(vlanOf(tlvs)).toBe(-1);
});

test('CDP (LLDP_and_CDP.pcap of tcpdump, frame 1, some of its TLVs)', () => {
  const head = '01000ccccccc 0018ba98688f';
  const told = (tlvs: string) => {
    const message = `02b40bea ${tlvs}`.replace(/\s+/g, '');
    const length = (message.length / 2 + 8).toString(16).padStart(4, '0');
    const frame = frameOf(`${head} ${length} aaaa03 00000c 2000 ${message}`);
    expect(layersOf(frame)).toBe('ethernet llc cdp');
    const { view } = frame;
    const [at, end] = [frame.offsets[2], frame.ends[2]];
    const texts = [CdpTlv.Device, CdpTlv.Port].map((type) => {
      const value = cdpTlv(view, at, end, type);
      return value < 0 ? null : Buffer.from(frame.bytes.subarray(value, value + cdpLength(view, value - 4))).toString();
    });
    return [...texts, cdpNativeVlan(view, at, end)];
  };
  const device = '0001 0006 5331';
  const port = '0003 0014 4661737445746865726e6574302f3133';
  expect(told(`${device} ${port} 000b 0005 01 000a 0006 0001`)).toEqual(['S1', 'FastEthernet0/13', 1]);
  expect(told('000a 0006 0fff')).toEqual([null, null, 4095]);
  // No TLV; one that is cut; one without a value; a length that cannot be.
  for (const tlvs of ['', '000a 0006 00', '000a 0004', '0001 0003 000a 0006 0001']) expect(told(tlvs)[2]).toBe(-1);
  expect(layersOf(frameOf(`${head} 000b aaaa03 00000c 2000 02b40b`))).toBe('ethernet llc cdp!TooShort');
  expect(layersOf(frameOf(`${head} 000c aaaa03 00000c 2000 00b40bea`))).toBe('ethernet llc cdp!BadVersion');
});

test('IGMP, behind the router alert', () => {
  // lan-healthy, recorded with kernel 6.18: a version 3 report.
  const frame = frameOf(`01005e000016 22ef2139e0c9 0800 46c0002800004000010203fa00000000e0000016 94040000
    2200f993 00000001 04000000 e000006a`);
  expect(layersOf(frame)).toBe('ethernet ipv4 igmp');
  expect(igmpType(frame.view, frame.offsets[2])).toBe(0x22);
  const leave = frameOf(`${ethernet('0800')}${ipv4(2, '1700 0000 e1010101')}`);
  expect(ipv4At(leave.view, leave.offsets[2] + GROUP)).toBe('225.1.1.1');
});

test('VRRP (vrrp.pcap of tcpdump, frames 1, 3 and 6)', () => {
  const told = (hex: string) => {
    const frame = frameOf(hex);
    const at = frame.offsets[2];
    const { view } = frame;
    return [layersOf(frame), vrrpVersion(view, at), vrrpRouter(view, at), vrrpPriority(view, at), vrrpCount(view, at)];
  };
  expect(
    told(`01005e000012 00005e00012a 0800 4500003012340000ff70bebc0a00005be0000012
      212abf03010af11f0a042a010a042a020a042a036162636465666768`),
  ).toEqual(['ethernet ipv4 vrrp', 2, 42, 191, 3]);
  expect(
    told(`01005e000012 00005e00012c 0800 4500002412340000ff70bec80a00005be0000012 312cbf0203e8b3c60a042c640a042cc8`),
  ).toEqual(['ethernet ipv4 vrrp', 3, 44, 191, 2]);
  expect(
    told(`333300000012 00005e00022d 86dd 60000000002870fffe80000000000000d6ca6dfffe66cf60ff020000000000000000000000000012
      312dbf0203e8cfa0fe8000000000000002005efffe00022d200100000000000000000000abcd000a`),
  ).toEqual(['ethernet ipv6 vrrp', 3, 45, 191, 2]);
  expect(layersOf(frameOf(`${ethernet('0800')}${ipv4(112, '412abf03010af11f')}`))).toBe(
    'ethernet ipv4 vrrp!BadVersion',
  );
  // CARP: seven words of counter and digest; seven addresses of VRRP have 8 bytes of authentication behind them.
  const carp = `2133640700010000${'00'.repeat(7)}01${'5a'.repeat(20)}`;
  expect(layersOf(frameOf(`${ethernet('0800')}${ipv4(112, carp)}`))).toBe('ethernet ipv4 data');
  expect(layersOf(frameOf(`${ethernet('0800')}${ipv4(112, carp + '00'.repeat(8))}`))).toBe('ethernet ipv4 vrrp');
});
