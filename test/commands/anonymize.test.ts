import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.js';
import { anonymized } from '../../src/commands/anonymize/anonymize.js';
import { AddressMap } from '../../src/commands/anonymize/mapping.js';
import { WordMap } from '../../src/commands/anonymize/words.js';
import { evidenceOf } from '../../src/commands/evidence/evidence.js';
import { run } from '../../src/commands/program.js';
import { parseContext } from '../../src/network/context/parse.js';
import { root } from '../support/fixtures.js';
import { fakeIo } from '../support/io.js';
import { netdiag } from '../support/netdiag.js';
import { shared } from '../support/shared.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-anonymize-'));
afterAll(() => rmSync(folder, { recursive: true }));
const KEY = 'a key for tests';

/** What everybody has and may stay: unspecified, loopback, multicast, broadcast, cloud metadata and Calico's gateway, VRRP, Calico's MAC. */
const MEANINGFUL =
  /^(0\.0\.0\.0|127\..*|2[2-5]\d\..*|169\.254\.(169\.254|1\.1)|::1?|ff\w\w:.*|00:00:00:00:00:00|.[13579bdf]:.*|00:00:5e:00:0[12]:.*|ee:ee:.*)$/;
const ADDRESS = /^(\d+(\.\d+){3}|(?=.*:)[0-9a-f:.]{2,})$/i;

interface Told {
  addresses: Set<string>;
  payloads: Buffer[];
}

async function toldBy(file: string, withPayloads: boolean): Promise<Told> {
  const io = fakeIo({ cwd: folder });
  await run(['frames', file, '--format', 'ndjson'], io);
  const { stdout } = io.written;
  const addresses = new Set<string>();
  for (const line of stdout.split('\n').filter((each) => each !== '')) {
    for (const layer of JSON.parse(line).layers) {
      for (const [name, value] of Object.entries(layer)) {
        if (name !== 'protocol' && typeof value === 'string' && ADDRESS.test(value)) addresses.add(value);
      }
    }
  }
  if (!withPayloads) return { addresses, payloads: [] };
  const dump = spawnSync('tshark', ['-r', file, '-T', 'fields', '-e', 'data.data'], { encoding: 'utf8' }).stdout ?? '';
  const payloads = dump
    .split(/[\n,]/)
    .map((hex) => Buffer.from(hex.trim(), 'hex'))
    .filter((bytes) => bytes.length >= 24 && new Set(bytes).size > 4);
  return { addresses, payloads };
}

/** Namespaces whose names are words of our own texts too. */
const PROSE = new Set(['host', 'client', 'server', 'router', 'gateway']);

/** Captures of the lab are many: each so manyth is anonymised, and of those each so manyth is looked at by tshark too. */
const STRIDE = Number(process.env.NETDIAG_ANONYMIZE_STRIDE ?? 8);
const BY_TSHARK = 5;

function captures(): string[] {
  if (shared === null) return [];
  const lab = join(shared, 'captures/lab');
  return readdirSync(lab, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.pcap(ng)?$/.test(name) && statSync(join(lab, name)).size > 24)
    .sort()
    .filter((_, i) => i % STRIDE === 0)
    .map((name) => join(lab, name));
}

describe.each([join(root, 'fixtures/demo/vepa.pcap'), ...captures()].map((file, i) => ({ file, i })))(
  '$file',
  ({ file, i }) => {
    const withTshark = i % BY_TSHARK === 0;
    it('holds nothing of whose network it was, and gives the same findings', async () => {
      const contextFile = join(file, '../context.json');
      const json = existsSync(contextFile) ? JSON.parse(readFileSync(contextFile, 'utf8')) : null;
      const options = { context: json === null ? null : parseContext(json) };
      const before = await analyze([file], options);
      const evidence = await evidenceOf(before, options, json);
      const hidden = await anonymized(evidence, json, options, { key: KEY });
      const kinds = (findings: typeof before.findings) =>
        findings
          .map(({ rule, severity, confidence }) => `${rule} ${severity} ${confidence}`)
          .filter((each) => !each.startsWith('capture/'))
          .sort();
      expect(kinds(hidden.analysis.findings)).toEqual(kinds(before.findings));

      const plainFile = join(folder, 'plain.pcapng');
      const hiddenFile = join(folder, 'hidden.pcapng');
      writeFileSync(plainFile, evidence.bytes);
      writeFileSync(hiddenFile, hidden.bytes);
      const [plain, other] = [await toldBy(plainFile, withTshark), await toldBy(hiddenFile, false)];
      const words = new WordMap(new AddressMap({ key: KEY }));
      const images = new Set([...plain.addresses].map((each) => words.word(each)));
      for (const address of plain.addresses) {
        if (MEANINGFUL.test(address)) expect(words.word(address).slice(0, 4)).toBe(address.slice(0, 4));
        else expect(other.addresses.has(address) && !images.has(address), address).toBe(false);
      }
      // Of each address there is its image and no other.
      expect([...other.addresses].filter((each) => !images.has(each) && !MEANINGFUL.test(each))).toEqual([]);
      for (const payload of plain.payloads) {
        for (let at = 0; at + 16 <= payload.length; at += 16) {
          const part = payload.subarray(at, at + 16);
          if (new Set(part).size > 4) expect(Buffer.from(hidden.bytes).includes(part)).toBe(false);
        }
      }
      const names = new Set<string>();
      for (const [namespace, commands] of Object.entries<Record<string, unknown>>(json?.namespaces ?? {})) {
        names.add(namespace);
        for (const link of (commands['ip -d -j link'] as { ifname: string }[] | null) ?? []) names.add(link.ifname);
      }
      const text = `${Buffer.from(hidden.bytes).toString('latin1')} ${JSON.stringify(hidden.context)}`;
      for (const name of names) {
        if (PROSE.has(name) || name.length < 4) continue;
        expect(new RegExp(`(?<![\\w-])${name.replace(/\W/g, '\\$&')}(?![\\w-])`).test(text), name).toBe(false);
      }
      // With and without leading zeros: of a bridge's own name too.
      for (const mac of JSON.stringify(json ?? {}).match(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g) ?? []) {
        if (MEANINGFUL.test(mac)) continue;
        for (const form of [mac, mac.replaceAll(/(^|:)0/g, '$1')]) expect(text.includes(form), form).toBe(false);
      }
      for (const mac of plain.addresses) {
        if (mac.split(':').length !== 6 || MEANINGFUL.test(mac)) continue;
        expect(Buffer.from(hidden.bytes).includes(Buffer.from(mac.replaceAll(':', ''), 'hex')), mac).toBe(false);
      }
      // Checksums are as right, and as wrong, as before.
      if (withTshark) expect(sums(hiddenFile)).toEqual(sums(plainFile));
    });
  },
);

/** What tshark thinks of the checksums, frame by frame. */
function sums(file: string): string {
  const protocols = ['ip', 'tcp', 'udp', 'icmp', 'icmpv6'];
  const checks = ['ip', 'tcp', 'udp'].flatMap((each) => ['-o', `${each}.check_checksum:TRUE`]);
  const fields = protocols.flatMap((each) => ['-e', `${each}.checksum.status`]);
  const { stdout, stderr } = spawnSync('tshark', ['-r', file, ...checks, '-T', 'fields', ...fields], {
    encoding: 'utf8',
  });
  expect(stderr.replace(/^Running as user.*\n/, '')).toBe('');
  return stdout;
}

describe('the mapping', () => {
  const map = new AddressMap({ key: KEY });
  const common = (a: Uint8Array, b: Uint8Array) => {
    let bits = 0;
    while (bits < a.length * 8 && ((a[bits >> 3] ^ b[bits >> 3]) & (0x80 >> (bits & 7))) === 0) bits++;
    return bits;
  };
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

  const KEPT = [
    [
      [0, 0, 0, 0],
      [0, 0, 0, 1],
    ],
    [
      [169, 254, 169, 254],
      [169, 254, 169, 252],
    ],
    [
      [169, 254, 1, 1],
      [169, 254, 1, 9],
    ],
    [
      [127, 0, 0, 1],
      [126, 0, 0, 1],
    ],
    [
      [224, 0, 0, 18],
      [223, 0, 0, 18],
    ],
  ];

  it('of IPv4 keeps prefixes, and is one to one', () => {
    fc.assert(
      fc.property(bytes(4), bytes(4), fc.integer({ min: 0, max: 4 }), (a, b, same) => {
        b.set(a.subarray(0, same));
        expect(common(map.ipv4(a), map.ipv4(b))).toBe(common(a, b));
      }),
      { numRuns: 2000, examples: KEPT.map(([kept, next]) => [Uint8Array.from(kept), Uint8Array.from(next), 0]) },
    );
  });

  it('of IPv4 keeps addresses that mean something by themselves', () => {
    for (const [kept] of KEPT) expect([...map.ipv4(Uint8Array.from(kept))]).toEqual(kept);
  });

  it('of MACs keeps the manufacturer on request, and group and universal bits always', () => {
    const oui = new AddressMap({ key: KEY, keepOui: true });
    const vmware = Uint8Array.from([0x00, 0x50, 0x56, 0x12, 0x34, 0x56]);
    const local = Uint8Array.from([0x26, 0x10, 0x84, 0x17, 0x90, 0xd2]);
    expect([...oui.mac(vmware).subarray(0, 3)]).toEqual([0x00, 0x50, 0x56]);
    expect([...oui.mac(vmware).subarray(3)]).not.toEqual([0x12, 0x34, 0x56]);
    expect([...map.mac(vmware).subarray(0, 3)]).not.toEqual([0x00, 0x50, 0x56]);
    for (const each of [map.mac(local), oui.mac(local)]) {
      expect(each[0] & 3).toBe(2);
      expect([...each.subarray(1, 3)]).not.toEqual([0x10, 0x84]);
    }
  });

  it('of IPv6 keeps prefixes', () => {
    fc.assert(
      fc.property(bytes(16), bytes(16), fc.integer({ min: 0, max: 16 }), (a, b, same) => {
        a[0] = 0x20;
        b.set(a.subarray(0, Math.max(1, same)));
        expect(common(map.ipv6(a), map.ipv6(b))).toBe(common(a, b));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps a solicited-node group and its MAC together with the address', () => {
    const words = new WordMap(map);
    const address = words.word('2001:db8:1::1234:5678');
    const end = address.split(':').slice(-2).join(':').slice(-7);
    expect(words.word('ff02::1:ff34:5678').slice(-7)).toBe(end);
    expect(words.word('33:33:ff:34:56:78').replaceAll(':', '').slice(-6)).toBe(end.replace(':', ''));
  });

  it('keeps what addresses mean', () => {
    const words = new WordMap(map);
    for (const kept of [
      '0.0.0.0',
      '127.0.0.1',
      '224.0.0.18',
      '255.255.255.255',
      '169.254.169.254',
      '::',
      '::1',
      'ff02::1',
      '00:00:5e:00:01:07',
      'ff:ff:ff:ff:ff:ff',
      '01:80:c2:00:00:00',
    ])
      expect(words.word(kept)).toBe(kept);
    expect(words.word('10.1.2.255')).toMatch(/^10\..*\.255$/);
    expect(words.word('192.168.7.1')).toMatch(/^192\.168\./);
    expect(words.word('fe80::42')).toMatch(/^fe80::/);
    expect(words.text('10.1.2.3/24 dev eth0')).toMatch(/^10\.\d+\.\d+\.\d+\/24 dev eth0$/);
  });

  it('of a bridge maps the MAC in its name, which has no leading zeros', () => {
    const words = new WordMap(map);
    const short = words
      .word('0e:85:8b:bc:02:97')
      .split(':')
      .map((byte) => byte.replace(/^0/, ''))
      .join(':');
    // As iproute2 prints it: `ip -d link show type bridge`.
    expect(words.text('8000.e:85:8b:bc:2:97')).toBe(`8000.${short}`);
    expect(words.text('bridge 8000.e:85:8b:bc:2:97 is root')).toBe(`bridge 8000.${short} is root`);
    expect(words.json({ root_id: '8000.e:85:8b:bc:2:97' })).toEqual({ root_id: `8000.${short}` });
    expect(words.text('1000.0:0:0:0:0:0')).toBe('1000.0:0:0:0:0:0');
  });

  it('leaves nothing of what somebody wrote about devices and rules', () => {
    const words = new WordMap(map);
    const known = {
      ifname: 'eth0',
      ifalias: 'uplink of Example Ltd',
      rule: { comment: 'for Example Ltd', accept: null },
    };
    const text = JSON.stringify(words.json([known]));
    expect(text).not.toContain('Example');
    expect(text).toContain('"accept":null');
    const rules = '-A INPUT -s 10.0.0.7/32 -m comment --comment "for Example\\" Ltd" -j LOG --log-prefix Example:';
    const saved = JSON.stringify(words.json({ 'iptables-legacy-save -c': rules }));
    expect(saved).toMatch(
      /^\{"iptables-legacy-save -c":"-A INPUT -s \S+\/32 -m comment --comment \w+ -j LOG --log-prefix \w+"\}$/,
    );
    expect(saved).not.toMatch(/Example|Ltd|10\.0\.0\.7/);
  });
});

it('maps equally under one key, and otherwise under another', async () => {
  const made = async (...key: string[]) => {
    const file = join(folder, 'e.pcapng');
    const args = ['report', 'fixtures/demo/vepa.pcap', '--anonymize', '--evidence', file, ...key];
    const { status, stdout, stderr } = await netdiag(args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    // A key made at random may give an address that looks like the one it stands for.
    if (key.length > 0) expect(stdout).not.toMatch(/172\.16\.91\.10[12]\b/);
    expect(stdout).not.toContain('vepa.pcap');
    return readFileSync(file).toString('hex');
  };
  expect(await made('--anonymize-key', 'one')).toBe(await made('--anonymize-key', 'one'));
  expect(await made('--anonymize-key', 'two')).not.toBe(await made('--anonymize-key', 'one'));
  expect(await made()).not.toBe(await made());
});
