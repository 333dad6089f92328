import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnalyzeOptions, Analyzer } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import { CaptureError } from '../../src/capture/source.js';
import { parseContext } from '../../src/network/context/parse.js';
import { root } from '../support/fixtures.js';
import { netdiag } from '../support/netdiag.js';

const demo = join(root, 'fixtures/demo/vepa.pcap');
const context = parseContext(JSON.parse(readFileSync(join(root, 'fixtures/demo/context.json'), 'utf8')));
const vantage = { namespace: 'host', interface: 'any' };

async function analysisOf(text: string, options: AnalyzeOptions = {}) {
  const analyzer = new Analyzer(options);
  await analyzer.read(await openCapture('-', { stdin: Readable.from([Buffer.from(text)]) }));
  return analyzer.analysis();
}

async function framesOf(text: string) {
  const { stdout } = await netdiag(['frames', '-', '--format', 'ndjson'], { input: Buffer.from(text) });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

it("tells of the field notes' two lines that nobody is meant to answer", async () => {
  const { stdout, status } = await netdiag(['analyze', 'fixtures/text/field-notes.txt', '--format', 'json']);
  expect(status).toBe(0);
  const { captures, findings } = JSON.parse(stdout);
  expect(captures[0]).toMatchObject({ format: 'text', frames: 2, complete: true });
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({
    rule: 'arp/announcement-repeated',
    severity: 'info',
    subject: { ip: '172.16.91.102', mac: '26:10:84:17:90:d2' },
  });
  // Lines of the text, not packets.
  expect(findings[0].evidence.map(({ frame }: { frame: number }) => frame)).toEqual([3, 4]);
  const text = await netdiag(['analyze', 'fixtures/text/field-notes.txt']);
  expect(text.stdout).toContain('lines 3, 4');
});

const hasTcpdump = spawnSync('tcpdump', ['--version']).status === 0;

describe.skipIf(!hasTcpdump)('text of tcpdump', () => {
  const said = (...flags: string[]) =>
    `As you see:\n\n${spawnSync('tcpdump', [...flags, '-r', demo], { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } }).stdout}\nand so on.\n`;

  it.each(
    [
      ['-en'],
      ['-e'],
      ['-env'],
      ['-tt', '-en'],
      ['-ttt', '-en'],
      ['-tttt', '-envv'],
      ['-nx'],
      ['-enX'],
      ['-enxx'],
      ['-XX', '-en'],
    ].map((flags) => [flags.join(' '), flags] as const),
  )('%s gives what the capture gives', async (_, flags) => {
    const { captures, findings } = await analysisOf(said(...flags), { context, vantage });
    expect(captures[0]).toMatchObject({ frames: 3, directions: 'all' });
    expect(findings.map(({ rule, confidence, subject }) => ({ rule, confidence, subject }))).toEqual([
      {
        rule: 'macvlan/vepa-no-reflection',
        confidence: 'certain',
        subject: { ip: '172.16.91.102', requester: '172.16.91.101', mac: '26:10:84:17:90:d1' },
      },
    ]);
  });

  it('without MACs says that they are made up', async () => {
    const { captures } = await analysisOf(said('-n'));
    expect(captures[0].frames).toBe(3);
    expect(captures[0].problems[0].message).toContain('made up');
  });
});

describe('text without times', () => {
  const dump =
    '0000  ff ff ff ff ff ff 02 00 00 00 00 01 08 06 00 01\n0010  08 00 06 04 00 01 02 00 00 00 00 01 0a 00 00 01\n';
  const rest = '0020  00 00 00 00 00 00 0a 00 00 02\n\n';
  const line = 'ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n';

  it.each([
    ['dumps', `${dump}${rest}`],
    ['lines of tcpdump -t', line],
  ])('takes equal packets for questions, not for a loop, and says what it takes: %s', async (_, packet) => {
    const { captures, findings } = await analysisOf(packet.repeat(20));
    expect(captures[0].frames).toBe(20);
    expect(captures[0].problems.map(({ message }) => message)).toContainEqual(expect.stringContaining('no times'));
    expect(findings.filter(({ confidence }) => confidence !== 'hint').map(({ rule }) => rule)).toEqual([]);
  });
});

describe.skipIf(spawnSync('tshark', ['--version']).status !== 0)('hex dumps of Wireshark', () => {
  it('are the packets byte for byte', async () => {
    const file = 'fixtures/hostile/vxlan.pcap';
    const dump = spawnSync('tshark', ['-r', join(root, file), '-x'], { encoding: 'utf8' }).stdout;
    const { stdout } = await netdiag(['frames', file, '--format', 'ndjson']);
    const whole = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const pasted = await framesOf(dump);
    expect(pasted.map(({ layers }) => layers)).toEqual(whole.map(({ layers }) => layers));
  });
});

describe('lines', () => {
  it('in VLANs, with quoting and without colour', async () => {
    const line =
      '> > 10:00:00.000001 02:00:00:00:00:01 > Broadcast, ethertype 802.1Q (0x8100), length 46: vlan 100, p 0, ethertype ARP (0x0806), Request who-has 10.0.0.2 tell 10.0.0.1, length 28';
    const [{ layers }] = await framesOf(`${line}\n`);
    expect(layers).toMatchObject([
      { protocol: 'ethernet', source: '02:00:00:00:00:01', destination: 'ff:ff:ff:ff:ff:ff' },
      { protocol: 'vlan', id: 100 },
      { protocol: 'arp', operation: 1, senderIp: '10.0.0.1', targetIp: '10.0.0.2' },
    ]);
  });

  it('of IP: echo, TCP, UDP, neighbour discovery', async () => {
    const ether = (type: string, words: string) =>
      `10:00:00.000001 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype ${type}, length 98: ${words}`;
    const frames = await framesOf(
      [
        ether('IPv4 (0x0800)', '10.0.0.1 > 10.0.0.2: ICMP echo request, id 7, seq 3, length 64'),
        ether(
          'IPv4 (0x0800)',
          '10.0.0.1.40000 > 10.0.0.2.80: Flags [S], seq 42, win 64240, options [mss 1460], length 0',
        ),
        ether('IPv4 (0x0800)', '10.0.0.1.53 > 10.0.0.2.40001: UDP, length 12'),
        ether('IPv6 (0x86dd)', 'fe80::1 > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has fe80::2, length 32'),
      ].join('\n'),
    );
    expect(frames.map(({ layers }) => layers[2])).toMatchObject([
      { protocol: 'icmp', type: 8, identifier: 7, sequence: 3 },
      { protocol: 'tcp', sourcePort: 40000, destinationPort: 80, flags: 2, sequence: 42 },
      { protocol: 'udp', sourcePort: 53, destinationPort: 40001 },
      { protocol: 'icmpv6', type: 135, target: 'fe80::2' },
    ]);
    expect(frames[3].layers[1]).toMatchObject({ source: 'fe80::1', destination: 'ff02::1:ff00:2' });
  });
});

it('is no capture where nothing in it is a packet', async () => {
  await expect(analysisOf('Dear all,\nmy network is broken.\n')).rejects.toThrow(CaptureError);
});

it('survives any text', async () => {
  const word = fc.constantFrom(
    'Request who-has ',
    '10.0.0.1',
    'tell ',
    ' > ',
    '02:00:00:00:00:01',
    ', ethertype ',
    '0x0000:  ',
    'ffff ',
    '999.1.1.1',
    'IP ',
    ': ',
    '\n',
    'vlan 1, p 0, ',
    'length 9999999: ',
    '12:00:00.000001 ',
    'fe80::1',
    'In ',
    'Flags [S]',
    '::',
  );
  const text = fc.array(fc.oneof(word, fc.string({ maxLength: 8 })), { maxLength: 40 }).map((words) => words.join(''));
  await fc.assert(
    fc.asyncProperty(text, async (given) => {
      await analysisOf(given).catch((error) => {
        if (!(error instanceof CaptureError)) throw error;
      });
    }),
    { numRuns: 300 },
  );
});

describe('a text that is too long', () => {
  const question = (n: number) =>
    `02:18:48.674000 26:10:84:17:90:d1 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has 10.0.0.${n % 250} tell 10.0.1.1, length 28\n`;

  it('is read in part, and says so', async () => {
    const text = Array.from({ length: 60_000 }, (_, n) => question(n)).join('');
    const { captures, findings } = await analysisOf(text, { select: ['capture/damaged-file'] });
    expect(captures[0].complete).toBe(false);
    expect(captures[0].problems[0].message).toBe('of a text no more than 8 MiB are read');
    expect(captures[0].frames).toBeLessThan(60_000);
    expect(findings[0].summary).toMatch(/ analysed\. The rest was not read: of a text no more than 8 MiB are read\. /);
    expect(findings[0].cause).toBe('Text is meant for what people paste, and this is longer.');
    const whole = await analysisOf(text.slice(0, 8 * 2 ** 20 - 200), { select: ['capture/damaged-file'] });
    expect(whole.captures[0].complete).toBe(true);
  });

  it('is read up to 100,000 packets, and says from which line on it is not', async () => {
    const ping = (n: number) => `IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq ${n % 65536}, length 64\n`;
    const text = Array.from({ length: 100_000 }, (_, n) => ping(n)).join('');
    const whole = await analysisOf(`${text}\nThat is all.\n`, { select: ['capture/damaged-file'] });
    expect(whole.captures[0]).toMatchObject({ frames: 100_000, complete: true });
    expect(whole.findings).toEqual([]);
    const { captures, findings } = await analysisOf(text + ping(0), { select: ['capture/damaged-file'] });
    expect(captures[0]).toMatchObject({ frames: 100_000, complete: false });
    expect(captures[0].problems[0].message).toBe('more than 100000 packets: those from line 100001 on were left out');
    // What else is told of a text is no damage.
    expect(captures[0].problems).toHaveLength(3);
    expect(findings.map(({ count }) => count)).toEqual([1]);
  });

  it('does not overflow where one line has millions of words', async () => {
    for (const line of [`0x0000:  ${'4500 '.repeat(1_500_000)}`, `0000  ${'45 '.repeat(2_500_000)}`])
      await analysisOf(line).catch((error) => expect(error).toBeInstanceOf(CaptureError));
  });
});
