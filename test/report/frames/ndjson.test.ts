import { expect, test } from 'vitest';
import { ndjsonLine } from '../../../src/report/frames/ndjson.js';
import { Direction } from '../../../src/wire/frame.js';
import { ethernet, frameOf, ipv4, ipv6, udp } from '../../wire/frame-of.js';

type Layer = Record<string, unknown>;

function objectOf(hex: string, linkType = 1, wireLength?: number): { layers: Layer[] } & Record<string, unknown> {
  const line = ndjsonLine(frameOf(hex, { linkType, ...(wireLength === undefined ? {} : { wireLength }) }));
  expect(line).toMatch(/^[^\n]+\n$/);
  return JSON.parse(line);
}

const layersOf = (hex: string, linkType?: number) => objectOf(hex, linkType).layers;

test('the example of the contract', () => {
  const frame = frameOf(`ffffffffffff 2610841790d2 8100 0064 0806
    0001 0800 06 04 0001 2610841790d2 ac105b66 000000000000 ac105b65`);
  frame.seconds = 1767323045;
  frame.nanoseconds = 5;
  frame.direction = Direction.Out;
  expect(JSON.parse(ndjsonLine(frame))).toEqual({
    number: 1,
    time: '2026-01-02T03:04:05.000000005Z',
    interface: 0,
    direction: 'out',
    capturedLength: 46,
    wireLength: 46,
    layers: [
      { protocol: 'ethernet', source: '26:10:84:17:90:d2', destination: 'ff:ff:ff:ff:ff:ff', etherType: 33024 },
      { protocol: 'vlan', id: 100, priority: 0, dei: 0, tpid: 33024, etherType: 2054 },
      {
        protocol: 'arp',
        operation: 1,
        senderMac: '26:10:84:17:90:d2',
        senderIp: '172.16.91.102',
        targetMac: '00:00:00:00:00:00',
        targetIp: '172.16.91.101',
      },
    ],
  });
});

test('an unknown direction is null', () => {
  expect(objectOf(ethernet('9000')).direction).toBeNull();
});

test('cooked headers', () => {
  expect(layersOf('0004 0001 0006 020000000001 0000 0800', 113)[0]).toEqual({
    protocol: 'sll',
    packetType: 4,
    source: '02:00:00:00:00:01',
    etherType: 0x0800,
  });
  expect(layersOf('0806 0000 0000001a 0001 04 06 8e360644acaf 0000', 276)[0]).toEqual({
    protocol: 'sll2',
    packetType: 4,
    interfaceIndex: 26,
    source: '8e:36:06:44:ac:af',
    etherType: 0x0806,
  });
});

test('IPv4, UDP and data', () => {
  expect(layersOf(`${ethernet('0800')}${ipv4(17, udp(1000, 53, '0000'))}`).slice(1)).toEqual([
    {
      protocol: 'ipv4',
      source: '10.0.0.1',
      destination: '10.0.0.2',
      ttl: 64,
      protocolNumber: 17,
      identification: 1,
      dontFragment: false,
      moreFragments: false,
      fragmentOffset: 0,
      totalLength: 30,
    },
    { protocol: 'udp', sourcePort: 1000, destinationPort: 53, length: 10 },
    { protocol: 'data', length: 2 },
  ]);
});

test('IPv6 and neighbor discovery', () => {
  const message = '8700 15fd 00000000 fe800000000000000000000000000003 0101001122334455';
  expect(layersOf(`${ethernet('86dd')}${ipv6(58, message)}`).slice(1)).toEqual([
    { protocol: 'ipv6', source: 'fe80::1', destination: 'ff02::2', hopLimit: 64, nextHeader: 58, payloadLength: 32 },
    { protocol: 'icmpv6', type: 135, code: 0, target: 'fe80::3', sourceLinkLayer: '00:11:22:33:44:55' },
  ]);
});

test('TCP', () => {
  const segment = '0401 0050 00000001 00000002 5012 ffff 0000 0000';
  expect(layersOf(`${ethernet('0800')}${ipv4(6, segment)}`)[2]).toEqual({
    protocol: 'tcp',
    sourcePort: 1025,
    destinationPort: 80,
    flags: 0x12,
    sequence: 1,
    acknowledgment: 2,
    window: 65535,
  });
});

test('VXLAN with and without reserved bits', () => {
  const header = (hex: string) => layersOf(`${ethernet('0800')}${ipv4(17, udp(1, 4789, hex))}`)[3];
  expect(header('0800000000006400')).toEqual({ protocol: 'vxlan', flags: 8, vni: 100 });
  expect(header('8800000700006400')).toEqual({
    protocol: 'vxlan',
    flags: 0x88,
    vni: 100,
    reservedBits: true,
    groupPolicy: 7,
  });
});

test('what an ICMP error quotes is marked', () => {
  const error = `0304 0000 0000 0578 ${ipv4(17, udp(1000, 53, ''))}`;
  const [, , icmp, quoted, port] = layersOf(`${ethernet('0800')}${ipv4(1, error)}`);
  expect(icmp).toEqual({ protocol: 'icmp', type: 3, code: 4, mtu: 1400 });
  expect(quoted).toMatchObject({ protocol: 'ipv4', quoted: true });
  expect(port).toMatchObject({ protocol: 'udp', destinationPort: 53, quoted: true });
});

test('a cut header tells its status and what there is of it', () => {
  const cut = `${ethernet('0800')} 4500 0028 0001 4000 40 06 0000 0a000001 0a`;
  const [, tooShort] = layersOf(cut);
  expect(tooShort).toEqual({
    protocol: 'ipv4',
    totalLength: 40,
    identification: 1,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 64,
    protocolNumber: 6,
    source: '10.0.0.1',
    status: 'too-short',
  });
  expect(objectOf(cut, 1, 60).layers[1].status).toBe('snapped');
});

test('of another version nothing is told', () => {
  expect(layersOf(`${ethernet('0800')} 65${'00'.repeat(30)}`)[1]).toEqual({ protocol: 'ipv4', status: 'bad-version' });
});

test('802.3 has a length', () => {
  expect(layersOf(`${ethernet('0003')} 424203`)[0]).toMatchObject({ protocol: 'ethernet', length: 3 });
});

test('text from the wire stays what it was, and is safe on a terminal', () => {
  const name = Buffer.from('sw\u202e1\x1b[2J').toString('hex');
  const tlv = ((5 << 9) | (name.length / 2)).toString(16).padStart(4, '0');
  const line = ndjsonLine(frameOf(`${ethernet('88cc')} ${tlv} ${name} 0000`));
  expect(JSON.parse(line).layers[1].systemName).toBe('sw\u202e1\x1b[2J');
  expect(line).toMatch(/^[\x20-\x7e]*\n$/);
});
