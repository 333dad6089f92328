import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CaptureError } from '../../src/capture/source.js';
import { shared } from '../support/shared.js';
import { differences, parseTable, rowsOf } from './oracle-rows.js';

/*
 * Every frame of the public captures against tshark 4.0: all columns that both have, all occurrences. Every
 * difference was looked at; docs/decoding.md explains each reason. A difference that is not listed here fails,
 * and so does one that is listed and no longer there.
 */

type Reason =
  | 'reassembly'
  | 'stops at a bad length'
  | 'quotes partly'
  | 'stops at total length 0'
  | 'stops at damage'
  | 'guesses the version'
  | 'clamps the wire length'
  | 'counts other blocks'
  | 'knows 4789 only'
  | 'counts the byte behind the flags'
  | 'all or nothing in ARP'
  | 'decodes ATM ARP'
  | 'decodes ISL'
  | 'decodes PPP in GRE'
  | 'decodes Cisco metadata'
  | 'decodes NSH';

interface Known {
  /** End of the oracle file's path, which only this file has. */
  file: string;
  reason: Reason;
  frames: number[];
  columns: string[];
}

const frames = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const IP = ['ip.src', 'ip.dst', 'ip.ttl', 'ip.proto'];
const ETHERNET = ['eth.src', 'eth.dst'];
const UDP = ['udp.srcport', 'udp.dstport'];
const TCP = ['tcp.srcport', 'tcp.dstport', 'tcp.flags'];
const ARP = ['arp.opcode', 'arp.src.proto_ipv4', 'arp.dst.proto_ipv4'];
const ICMP = ['icmp.type', 'icmp.code'];

const KNOWN: readonly Known[] = [
  { file: 'Ip4FragmentsForLargeIcmpPacket.pcap.tsv', reason: 'reassembly', frames: frames(1, 10), columns: ICMP },
  { file: 'teardrop.cap.tsv', reason: 'reassembly', frames: [8, 9], columns: UDP },
  { file: 'ipv6-frag.pcap.tsv', reason: 'reassembly', frames: [3, 6], columns: UDP },
  { file: 'ejemplo.pcap.tsv', reason: 'stops at a bad length', frames: [1], columns: ['tcp.flags'] },
  {
    file: 'linux_sll_oversized_addr.pcapng.tsv',
    reason: 'stops at a bad length',
    frames: [95],
    columns: ['tcp.flags'],
  },
  { file: 'YahooFileTransfer.pcap.tsv', reason: 'quotes partly', frames: [29], columns: ['tcp.flags'] },
  {
    file: 'bigtcp-ipv4-vxlan-ipv4.pcap.tsv',
    reason: 'stops at total length 0',
    frames: [1],
    columns: [...ETHERNET, ...IP, ...TCP, 'vxlan.vni'],
  },
  { file: 'timestamps_issue_1.ntar.tsv', reason: 'stops at damage', frames: [412, 413], columns: ['frame'] },
  { file: 'test007.ntar.tsv', reason: 'stops at damage', frames: [1], columns: ['frame'] },
  { file: 'shb-option-too-long.pcapng.tsv', reason: 'stops at damage', frames: [1], columns: ['frame'] },
  { file: 'shb-option-too-long.pcapng.tags.tsv', reason: 'stops at damage', frames: [1], columns: ['frame'] },
  { file: 'truncated.pcap.tsv', reason: 'guesses the version', frames: [5], columns: ['ipv6.src'] },
  { file: '6604968558198784.tsv', reason: 'clamps the wire length', frames: [1], columns: ['frame.len'] },
  { file: 'test202.pcapng.tsv', reason: 'counts other blocks', frames: [1, 7, 10], columns: ['frame'] },
  { file: 'test102.pcapng.tsv', reason: 'counts other blocks', frames: [1, 3, 8], columns: ['frame'] },
  {
    file: 'vxlan_port_8472.pcap.tsv',
    reason: 'knows 4789 only',
    frames: frames(1, 10),
    columns: [...ETHERNET, ...IP, ...ICMP, ...ARP, 'vxlan.vni'],
  },
  {
    file: '04_sll_vlan_ipv4_udp_unsupported.pcap.vxlan.tsv',
    reason: 'counts the byte behind the flags',
    frames: [1],
    columns: ['vxlan.flags'],
  },
  {
    file: 'arp-oobr.pcap.tsv',
    reason: 'all or nothing in ARP',
    frames: [170, 1891, 1925],
    columns: ['arp.src.proto_ipv4'],
  },
  { file: 'arp-oobr.pcap.tsv', reason: 'decodes ATM ARP', frames: [1166], columns: ARP },
  { file: 'DumpFile01.pcap.tsv', reason: 'decodes ISL', frames: [77], columns: ['eth.dst'] },
  { file: 'GrePackets.pcap.tsv', reason: 'decodes PPP in GRE', frames: [6], columns: [...IP, ...UDP] },
  {
    file: 'various_gre.pcap.tsv',
    reason: 'decodes Cisco metadata',
    frames: [11, 16, ...frames(25, 34), 41, 46, 64, 67, 70, 73, 87, 92],
    columns: [...IP, ...ICMP],
  },
  {
    file: 'nsh-over-vxlan-gpe.pcap.tsv',
    reason: 'decodes NSH',
    frames: [1],
    columns: [...IP, ...UDP, 'vxlan.vni'],
  },
  {
    file: 'nsh-over-vxlan-gpe.pcap.vxlan.tsv',
    reason: 'decodes NSH',
    frames: [1],
    columns: ['ip.src', 'ip.dst', ...UDP, 'vxlan.flags', 'vxlan.vni'],
  },
];

/** Nothing to read: other formats, an empty file, a version that never was. */
const NO_CAPTURES = [
  'dummy.pcap.tsv',
  'BitTorrent.Transfer1.cap.tsv',
  'tcpshake.cap.tsv',
  'bench.pcap.tsv',
  'solaris.snoop.tsv',
  'pcap-invalid-version-1.pcap.tsv',
];

/** The port in the one VXLAN capture that has neither 4789 nor 8472, which its oracle was told too. */
const ODD_VXLAN_PORT = 4799;

const base = shared === null ? '' : join(shared, 'captures/public');

function tablesIn(folder: string): string[] {
  if (shared === null) return [];
  const files = readdirSync(join(base, folder), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.tsv')).map((file) => join(folder, file));
}

/** The capture that a table is about. */
function captureOf(table: string): string {
  return join(base, table.replace(/^oracle(-extra)?/, 'files').replace(/(\.tags|\.vxlan)?\.tsv$/, ''));
}

/** What `tcpdump -XX` printed, under the name of a capture: tshark refuses it. */
const PRINTED = 'packetout.pcap.tsv';

describe.skipIf(shared === null)('frames of the public captures equal the oracle', () => {
  const tables = [...tablesIn('oracle'), ...tablesIn('oracle-extra')];

  test.each(tables)('%s', async (table) => {
    const path = captureOf(table);
    if (NO_CAPTURES.some((file) => table.endsWith(`/${file}`))) {
      await expect(rowsOf(path)).rejects.toThrow(CaptureError);
      return;
    }
    if (table.endsWith(`/${PRINTED}`)) {
      const [row, ...rest] = await rowsOf(path);
      expect(rest).toEqual([]);
      expect(row).toMatchObject({ 'eth.src': '00:50:56:5c:70:32', 'ip.dst': '192.168.2.255', 'udp.dstport': '513' });
      return;
    }
    const theirs = parseTable(readFileSync(join(base, table), 'utf8'));
    const found = differences(await rowsOf(path, table.endsWith('.vxlan.tsv') ? [ODD_VXLAN_PORT] : []), theirs);
    const known = KNOWN.filter(({ file }) => table.endsWith(file));
    const isKnown = (frame: number, column: string) =>
      known.some((one) => one.frames.includes(frame) && one.columns.includes(column));
    expect(found.filter(({ frame, column }) => !isKnown(frame, column))).toEqual([]);
    for (const { reason, frames: listed, columns } of known) {
      const seen = found.filter(({ frame, column }) => listed.includes(frame) && columns.includes(column));
      expect([...new Set(seen.map(({ frame }) => frame))], `frames with: ${reason}`).toEqual(listed);
      expect([...new Set(seen.map(({ column }) => column))].sort(), `columns with: ${reason}`).toEqual(
        [...columns].sort(),
      );
    }
  });

  test('every listed difference belongs to one table', () => {
    for (const { file } of KNOWN)
      expect(
        tables.filter((table) => table.endsWith(file)),
        file,
      ).toHaveLength(1);
  });
});
