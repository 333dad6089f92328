import { expect, test } from 'vitest';
import { ipv4At, macAt } from '../../src/wire/address.js';
import { arpOperation, isEthernetIpv4, SHA, SPA, THA, TPA } from '../../src/wire/arp.js';
import { ethernet, frameOf, layersOf } from './frame-of.js';

test('RFC 826 request', () => {
  const frame = frameOf(`ffffffffffff 2610841790d2 0806
    0001 0800 06 04 0001 2610841790d2 ac105b66 000000000000 ac105b65`);
  expect(layersOf(frame)).toBe('ethernet arp');
  const { view } = frame;
  const at = frame.offsets[1];
  expect(arpOperation(view, at)).toBe(1);
  expect(isEthernetIpv4(view, at)).toBe(true);
  expect([macAt(view, at + SHA), macAt(view, at + THA)]).toEqual(['26:10:84:17:90:d2', '00:00:00:00:00:00']);
  expect([ipv4At(view, at + SPA), ipv4At(view, at + TPA)]).toEqual(['172.16.91.102', '172.16.91.101']);
});

test('RARP has the form of ARP (rarp_req_reply.pcapng of libpcap, frame 1)', () => {
  const frame = frameOf(`ffffffffffff 000c29340bde 8035
    0001 0800 06 04 0003 000c29340bde 00000000 000c29340bde 00000000`);
  expect(layersOf(frame)).toBe('ethernet arp');
  expect(arpOperation(frame.view, frame.offsets[1])).toBe(3);
});

test('other address lengths are read to their end and not taken for Ethernet', () => {
  const infiniband = `${ethernet('0806')} 0020 0800 14 04 0001 ${'00'.repeat(48)}`;
  const frame = frameOf(infiniband);
  expect(layersOf(frame)).toBe('ethernet arp');
  expect(isEthernetIpv4(frame.view, frame.offsets[1])).toBe(false);
  expect(layersOf(frameOf(infiniband.slice(0, -2)))).toBe('ethernet arp!TooShort');
  expect(layersOf(frameOf(`${ethernet('0806')} 0001 0800 ff ff 0001`))).toBe('ethernet arp!TooShort');
});
