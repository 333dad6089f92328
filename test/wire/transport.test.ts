import { expect, test } from 'vitest';
import * as tcp from '../../src/wire/tcp.js';
import * as udpHeader from '../../src/wire/udp.js';
import { ethernet, frameOf, ipv4, layersOf, udp } from './frame-of.js';

const over4 = (protocol: number, payload: string) => `${ethernet('0800')}${ipv4(protocol, payload)}`;

test('UDP', () => {
  const frame = frameOf(over4(17, `${udp(68, 9999, '0000')}ffff`));
  expect(layersOf(frame)).toBe('ethernet ipv4 udp dhcp!TooShort');
  const { view } = frame;
  const at = frame.offsets[2];
  expect([udpHeader.udpSourcePort(view, at), udpHeader.udpDestinationPort(view, at)]).toEqual([68, 9999]);
  expect(udpHeader.udpLength(view, at)).toBe(10);
  expect(frame.limits[2]).toBe(frame.end - 2);
});

test('UDP lengths', () => {
  expect(layersOf(frameOf(over4(17, '0001 0002 0007 0000')))).toBe('ethernet ipv4 udp!BadLength');
  expect(layersOf(frameOf(over4(17, '0001 0002 0000 0000 ff')))).toBe('ethernet ipv4 udp data');
  expect(layersOf(frameOf(over4(17, '0001 0002 ffff 0000 ff')))).toBe('ethernet ipv4 udp data');
});

test('the destination port decides before the source port', () => {
  const vxlan = '0800000000000100';
  expect(layersOf(frameOf(over4(17, udp(68, 4789, vxlan))))).toBe('ethernet ipv4 udp vxlan ethernet!TooShort');
  expect(layersOf(frameOf(over4(17, udp(4789, 40000, vxlan))))).toBe('ethernet ipv4 udp vxlan ethernet!TooShort');
  expect(layersOf(frameOf(over4(17, udp(40000, 4799, vxlan))))).toBe('ethernet ipv4 udp data');
  const told = frameOf(over4(17, udp(40000, 4799, vxlan)), { vxlanPorts: [4799] });
  expect(layersOf(told)).toBe('ethernet ipv4 udp vxlan ethernet!TooShort');
});

test('TCP', () => {
  const frame = frameOf(over4(6, '0401 0050 80000001 fffffffe 6012 ffff 0000 0000 020405b4 6162'));
  expect(layersOf(frame)).toBe('ethernet ipv4 tcp data');
  const { view } = frame;
  const at = frame.offsets[2];
  expect([tcp.tcpSourcePort(view, at), tcp.tcpDestinationPort(view, at)]).toEqual([1025, 80]);
  expect([tcp.tcpSequence(view, at), tcp.tcpAcknowledgment(view, at)]).toEqual([0x80000001, 0xfffffffe]);
  expect([tcp.tcpFlags(view, at), tcp.tcpWindow(view, at)]).toEqual([tcp.TcpFlag.Syn | tcp.TcpFlag.Ack, 65535]);
  expect(frame.ends[2] - at).toBe(24);
});

test.each([
  ['a data offset below 5', '4', 'BadLength'],
  ['a data offset behind the segment', 'f', 'TooShort'],
])('TCP with %s', (_, offset, status) => {
  const segment = `0401 0050 00000001 00000000 ${offset}002 ffff 0000 0000`;
  expect(layersOf(frameOf(over4(6, segment)))).toBe(`ethernet ipv4 tcp!${status}`);
});
