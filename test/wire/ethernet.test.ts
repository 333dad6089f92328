import { describe, expect, test } from 'vitest';
import { macAt } from '../../src/wire/address.js';
import { DESTINATION, etherType, SOURCE } from '../../src/wire/ethernet.js';
import { isSnap, snapOrganization, snapProtocol } from '../../src/wire/llc.js';
import { BRIDGE, ROOT, stpPort, stpRootPathCost, stpType, stpVersion } from '../../src/wire/stp.js';
import { vlanDei, vlanId, vlanPriority, vlanTpid, vlanType } from '../../src/wire/vlan.js';
import { ethernet, frameOf, ipv4, layersOf } from './frame-of.js';

describe('Ethernet', () => {
  test('addresses and type', () => {
    const frame = frameOf('ffffffffffff 2610841790d2 0806');
    const { view, start } = frame;
    expect(macAt(view, start + DESTINATION)).toBe('ff:ff:ff:ff:ff:ff');
    expect(macAt(view, start + SOURCE)).toBe('26:10:84:17:90:d2');
    expect(etherType(view, start)).toBe(0x0806);
  });

  test('an unknown type and the gap between lengths and types are data', () => {
    expect(layersOf(frameOf(`${ethernet('9000')} 0000`))).toBe('ethernet data');
    expect(layersOf(frameOf(`${ethernet('05dd')} 424203`))).toBe('ethernet data');
    expect(layersOf(frameOf(ethernet('9000')))).toBe('ethernet');
  });
});

describe('802.3', () => {
  // 802.1D_spanning_tree.pcap of tcpdump's tests, frame 1; its trailer is the 8 bytes behind the length.
  const bpdu = `0180c2000000 001906eab885 0026 424203
    0000 00 00 00 8001001906eab880 00000000 8001001906eab880 8005 0000 1400 0200 0f00 0000000000000000`;

  test('LLC carries a spanning tree BPDU; the length cuts the padding off', () => {
    const frame = frameOf(bpdu);
    expect(layersOf(frame)).toBe('ethernet llc stp');
    expect(frame.limits[1]).toBe(frame.start + 14 + 0x26);
    const { view } = frame;
    const at = frame.offsets[2];
    expect([stpVersion(view, at), stpType(view, at), stpRootPathCost(view, at), stpPort(view, at)]).toEqual([
      0, 0, 0, 0x8005,
    ]);
    expect([macAt(view, at + ROOT + 2), macAt(view, at + BRIDGE + 2)]).toEqual([
      '00:19:06:ea:b8:80',
      '00:19:06:ea:b8:80',
    ]);
  });

  test('a topology change is four bytes, a configuration 35', () => {
    expect(layersOf(frameOf(`${ethernet('0007')} 424203 0000 00 80`))).toBe('ethernet llc stp');
    expect(layersOf(frameOf(`${ethernet('0007')} 424203 0000 00 00`))).toBe('ethernet llc stp!TooShort');
  });

  test('GARP, and BPDUs of unknown types, are no spanning tree', () => {
    // GVRP: protocol 1, attribute type 1 of 4 bytes, JoinIn VLAN 2.
    expect(layersOf(frameOf(`0180c2000021 020000000001 000c 424203 0001 01 04 02 0002 00 00`))).toBe(
      'ethernet llc data',
    );
    expect(layersOf(frameOf(`${ethernet('0007')} 424203 0000 00 01`))).toBe('ethernet llc data');
  });

  test('SNAP is unnumbered information', () => {
    const frame = frameOf(`${ethernet('0009')} aaaa 0000 000000 0806`);
    expect(layersOf(frame)).toBe('ethernet llc data');
    expect(isSnap(frame.view, frame.offsets[1])).toBe(false);
  });

  test('SNAP carries EtherTypes, and Cisco protocols of which PVST is one', () => {
    const arp = frameOf(`${ethernet('000a')} aaaa03 000000 0806 0001`);
    expect(layersOf(arp)).toBe('ethernet llc arp!TooShort');
    // LLDP_and_CDP.pcap of tcpdump's tests, frame 1, its beginning: CDP.
    const cdp = frameOf('01000ccccccc 0018ba98688f 0176 aaaa03 00000c 2000 02b40bea');
    expect(layersOf(cdp)).toBe('ethernet llc cdp');
    expect(snapOrganization(cdp.view, cdp.offsets[1])).toBe(0x00000c);
    expect(snapProtocol(cdp.view, cdp.offsets[1])).toBe(0x2000);
  });

  test('PVST in a tag (rpvstp-trunk-native-vid5.pcap of tcpdump)', () => {
    const frame = frameOf(`01000ccccccd 001f6d96ec04 8100 e001 0032 aaaa03 00000c 010b
      0000 02 02 0e 8001001f6d96ec00 00000000 8001001f6d96ec00 8004 0000 1400 0200 0f00 00 0000 00020001`);
    expect(layersOf(frame)).toBe('ethernet vlan llc stp');
    const at = frame.offsets[1];
    expect([vlanId(frame.view, at), vlanPriority(frame.view, at), vlanDei(frame.view, at)]).toEqual([1, 7, 0]);
  });

  test('Novell raw IPX has no LLC header; numbered frames have a second control byte', () => {
    expect(layersOf(frameOf(`${ethernet('0004')} ffff 0022`))).toBe('ethernet data');
    const supervisory = frameOf(`${ethernet('0004')} f0f0 0103`);
    expect(layersOf(supervisory)).toBe('ethernet llc');
    expect(supervisory.ends[1] - supervisory.offsets[1]).toBe(4);
  });
});

describe('VLAN', () => {
  test('802.1ad outside 802.1Q (802.1ad_QinQ.pcap of tcpdump, frame 1)', () => {
    const frame = frameOf(`ffffffffffff 0020d25afb3f 88a8 00c8 8100 07d1 0806
      0001 0800 06 04 0001 0020d25afb3f ac154f61 000000000000 ac154f64 0000000000000000000000000000`);
    expect(layersOf(frame)).toBe('ethernet vlan vlan arp');
    expect([1, 2].map((i) => vlanTpid(frame, i))).toEqual([0x88a8, 0x8100]);
    expect([1, 2].map((i) => vlanId(frame.view, frame.offsets[i]))).toEqual([200, 2001]);
    expect(vlanType(frame.view, frame.offsets[2])).toBe(0x0806);
  });

  test.each(['8100', '88a8', '9100', '9200', '9300'])('tag protocol identifier %s', (tpid) => {
    const frame = frameOf(`${ethernet(tpid)} b064 0800 ${ipv4(99, '00')}`);
    expect(layersOf(frame)).toBe('ethernet vlan ipv4 data');
    const at = frame.offsets[1];
    expect([vlanId(frame.view, at), vlanPriority(frame.view, at), vlanDei(frame.view, at)]).toEqual([100, 5, 1]);
  });

  test('a cut tag', () => {
    expect(layersOf(frameOf(`${ethernet('8100')} 0064 08`))).toBe('ethernet vlan!TooShort');
  });
});
