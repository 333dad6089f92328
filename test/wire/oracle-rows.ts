import { openCapture } from '../../src/capture/open.js';
import type { Fields } from '../../src/report/frames/describe.js';
import { layerFields } from '../../src/report/frames/fields.js';
import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame } from '../../src/wire/frame.js';

/** One row of an oracle table: column name → what tshark printed, its occurrences joined by commas. */
export type Row = Record<string, string>;

/** The rows of a table with a line of column names. */
export function parseTable(text: string): Row[] {
  const [head, ...lines] = text.replace(/\n$/, '').split('\n');
  const names = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
  });
}

/** What our fields are called by tshark: [protocol, our field] and how it writes the value. */
const COLUMNS: Readonly<
  Record<string, readonly [protocol: string, field: string, write?: (value: unknown) => string]>
> = {
  'eth.src': ['ethernet', 'source'],
  'eth.dst': ['ethernet', 'destination'],
  'arp.opcode': ['arp', 'operation'],
  'arp.src.proto_ipv4': ['arp', 'senderIp'],
  'arp.dst.proto_ipv4': ['arp', 'targetIp'],
  'arp.src.hw_mac': ['arp', 'senderMac'],
  'arp.dst.hw_mac': ['arp', 'targetMac'],
  'ip.src': ['ipv4', 'source'],
  'ip.dst': ['ipv4', 'destination'],
  'ip.ttl': ['ipv4', 'ttl'],
  'ip.proto': ['ipv4', 'protocolNumber'],
  'ipv6.src': ['ipv6', 'source'],
  'ipv6.dst': ['ipv6', 'destination'],
  'udp.srcport': ['udp', 'sourcePort'],
  'udp.dstport': ['udp', 'destinationPort'],
  'tcp.srcport': ['tcp', 'sourcePort'],
  'tcp.dstport': ['tcp', 'destinationPort'],
  'tcp.flags': ['tcp', 'flags', (value) => `0x${Number(value).toString(16).padStart(4, '0')}`],
  'icmp.type': ['icmp', 'type'],
  'icmp.code': ['icmp', 'code'],
  'vxlan.vni': ['vxlan', 'vni'],
  'vxlan.flags': ['vxlan', 'flags', (value) => `0x${Number(value).toString(16).padStart(2, '0')}00`],
  'gre.proto': ['gre', 'protocolType', (value) => `0x${Number(value).toString(16).padStart(4, '0')}`],
  'geneve.vni': ['geneve', 'vni', (value) => `0x${Number(value).toString(16).padStart(6, '0')}`],
};

const PROVIDER_TAG = 0x88a8;

/** One frame in the oracle's columns, as far as we have them. */
function rowOf(frame: Frame): Row {
  const layers = Array.from({ length: frame.layerCount }, (_, i) => layerFields(frame, i));
  const row: Row = {
    'frame.number': String(frame.number),
    'frame.len': String(frame.wireLength),
    'frame.cap_len': String(frame.end - frame.start),
  };
  for (const [column, [protocol, field, write = String]] of Object.entries(COLUMNS)) {
    const of = layers.filter((layer) => layer.protocol === protocol && layer[field] !== undefined);
    row[column] = of.map((layer) => write(layer[field])).join(',');
  }
  const tags = layers.filter(({ protocol, id }) => protocol === 'vlan' && id !== undefined);
  const inner = tags.filter(({ tpid }) => tpid !== PROVIDER_TAG);
  const all = (of: Fields[], field: string) => of.map((layer) => layer[field]).join(',');
  row['ieee8021ad.id'] = all(
    tags.filter(({ tpid }) => tpid === PROVIDER_TAG),
    'id',
  );
  row['vlan.id'] = all(inner, 'id');
  row['vlan.priority'] = all(inner, 'priority');
  row['vlan.dei'] = all(inner, 'dei');
  return row;
}

/** All frames of a capture in the oracle's columns. @throws CaptureError */
export async function rowsOf(path: string, vxlanPorts: readonly number[] = []): Promise<Row[]> {
  const frame = new Frame();
  frame.udpPorts = udpPortTable(vxlanPorts);
  const rows: Row[] = [];
  const source = await openCapture(path);
  await source.run(frame, (each) => {
    decode(each);
    rows.push(rowOf(each));
  });
  return rows;
}

export interface Difference {
  frame: number;
  column: string;
  ours: string;
  theirs: string;
}

/** Where two tables tell different things, in the columns that both have. A frame that one lacks is one difference. */
export function differences(ours: Row[], theirs: Row[]): Difference[] {
  const found: Difference[] = [];
  const byNumber = new Map(ours.map((row) => [row['frame.number'], row]));
  for (const other of theirs) {
    const number = other['frame.number'];
    const mine = byNumber.get(number);
    byNumber.delete(number);
    if (mine === undefined) found.push({ frame: Number(number), column: 'frame', ours: 'missing', theirs: 'there' });
    else found.push(...unequal(mine, other));
  }
  for (const number of byNumber.keys()) {
    found.push({ frame: Number(number), column: 'frame', ours: 'there', theirs: 'missing' });
  }
  return found;
}

function unequal(ours: Row, theirs: Row): Difference[] {
  return Object.entries(theirs)
    .filter(([column, value]) => ours[column] !== undefined && ours[column] !== value)
    .map(([column, value]) => ({ frame: Number(theirs['frame.number']), column, ours: ours[column], theirs: value }));
}
