import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfProgram, type Instruction } from '../../src/capture/filter/bpf.js';
import { checkFilter, filtered } from '../../src/capture/filter/filtered.js';
import { FilterError, libpcap } from '../../src/capture/filter/libpcap.js';
import { openCapture } from '../../src/capture/open.js';
import { Frame } from '../../src/wire/frame.js';
import { root } from '../support/fixtures.js';

const EXPRESSIONS = [
  'arp',
  'arp or icmp',
  'not arp',
  'ip and udp port 4789',
  'host 10.9.0.1 or net 172.16.0.0/12',
  'src host 10.9.0.1 and not dst port 53',
  'udp[8:4] & 0x08000000 != 0',
  'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0',
  'icmp[icmptype] = icmp-unreach',
  'ip6 and icmp6',
  'ip6 protochain 58',
  'greater 100',
  'less 60',
  'portrange 1-1024',
  'ip[2:2] - ((ip[0] & 0xf) << 2) > 40',
  'ip[8] * 2 / 3 > 20 and ip[1] % 4 = 0',
];
/** With an Ethernet header only. */
const ETHERNET = [
  'ether broadcast',
  'ether multicast',
  'vlan',
  'vlan 100 and arp',
  'vlan and vlan',
  'ether proto 0x8100',
];

/** Fixtures of several link types, among them VLANs, VXLAN and frames cut short. */
const captures = readdirSync(join(root, 'fixtures/rules'), { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.pcap(ng)?$/.test(path))
  .sort()
  .filter((_, i) => i % 4 === 0)
  .map((path) => join(root, 'fixtures/rules', path));

async function numbersOf(path: string, expression: string): Promise<number[]> {
  const numbers: number[] = [];
  await filtered(await openCapture(path), expression).run(new Frame(), ({ number }) => numbers.push(number));
  return numbers;
}

/** libpcap's own machine: `u_int bpf_filter(const struct bpf_insn *, const u_char *, u_int wirelen, u_int buflen)`. */
const bpfFilter = createRequire(import.meta.url)('koffi')
  .load('libpcap.so.0.8')
  .func('uint32_t bpf_filter(void *program, void *packet, uint32_t wire, uint32_t captured)');

function theirs(instructions: readonly Instruction[], packet: Uint8Array, wireLength: number): boolean {
  const program = new DataView(new ArrayBuffer(8 * instructions.length));
  instructions.forEach(({ code, jt, jf, k }, i) => {
    program.setUint16(8 * i, code, true);
    program.setUint8(8 * i + 2, jt);
    program.setUint8(8 * i + 3, jf);
    program.setUint32(8 * i + 4, k, true);
  });
  // koffi takes an empty array for NULL.
  const bytes = packet.length === 0 ? new Uint8Array(1) : packet;
  return bpfFilter(new Uint8Array(program.buffer), bytes, wireLength, packet.length) !== 0;
}

function ours(program: BpfProgram, packet: Uint8Array, wireLength: number): boolean {
  // Somewhere in a buffer, with bytes around it that must not be looked at.
  const buffer = new Uint8Array(packet.length + 20).fill(0xff);
  buffer.set(packet, 7);
  return program.matches(new DataView(buffer.buffer), 7, 7 + packet.length, wireLength);
}

describe('filters on files', () => {
  it('let the frames through that tcpdump lets through', async () => {
    expect(captures.length).toBeGreaterThan(20);
    let matched = 0;
    for (const [i, path] of captures.entries()) {
      const expression = [...EXPRESSIONS, ...ETHERNET][i % (EXPRESSIONS.length + ETHERNET.length)];
      const { status, stdout, stderr } = spawnSync('tcpdump', ['-nn', '-#', '-t', '-r', path, expression], {
        encoding: 'utf8',
      });
      // It ends so at a damaged file too, and has printed what is in front of the damage.
      if (status !== 0 && !stderr.includes('pcap_loop:')) {
        await expect(numbersOf(path, expression)).rejects.toThrow(FilterError);
        continue;
      }
      const count = stdout.split('\n').filter((line) => /^ *\d+ {2}\S/.test(line)).length;
      const numbers = await numbersOf(path, expression);
      expect([path, expression, numbers.length]).toEqual([path, expression, count]);
      matched += count;
    }
    expect(matched).toBeGreaterThan(50);
  }, 60_000);

  it('decide as the machine of libpcap does, on frames whole, cut and changed', async () => {
    const frames: { linkType: number; packet: Uint8Array; wireLength: number }[] = [];
    for (const path of captures) {
      await (await openCapture(path)).run(new Frame(), (frame) => {
        if (frames.length < 600 && frame.number % 5 === 1)
          frames.push({ ...frame, packet: frame.bytes.slice(frame.start, frame.end) });
      });
    }
    for (const linkType of new Set(frames.map((frame) => frame.linkType))) {
      for (const expression of linkType === 1 ? [...EXPRESSIONS, ...ETHERNET] : EXPRESSIONS) {
        const instructions = libpcap(expression).compile(linkType, expression);
        const program = new BpfProgram(instructions);
        for (const { packet, wireLength } of frames.filter((frame) => frame.linkType === linkType)) {
          for (let cut = packet.length; cut >= 0; cut = cut > 60 ? cut - 50 : cut - 7) {
            const part = packet.slice(0, cut);
            if (cut > 13) part[(cut * 7) % cut] ^= cut;
            expect(ours(program, part, wireLength)).toBe(theirs(instructions, part, wireLength));
          }
        }
      }
    }
  }, 60_000);

  it('know nothing of the packet before', () => {
    // Loads the first byte into memory if there is one, and answers what is in memory.
    const program = new BpfProgram([
      { code: 0x80, jt: 0, jf: 0, k: 0 },
      { code: 0x15, jt: 2, jf: 0, k: 0 },
      { code: 0x30, jt: 0, jf: 0, k: 0 },
      { code: 0x02, jt: 0, jf: 0, k: 3 },
      { code: 0x60, jt: 0, jf: 0, k: 3 },
      { code: 0x16, jt: 0, jf: 0, k: 0 },
    ]);
    const view = new DataView(Uint8Array.of(5).buffer);
    expect([program.matches(view, 0, 1, 1), program.matches(view, 0, 0, 0)]).toEqual([true, false]);
  });

  it('are refused where they ask for what only the kernel knows', () => {
    for (const expression of ['inbound', 'arp and not outbound', 'ifindex 3'])
      expect(() => libpcap(expression).compile(1, expression)).toThrow(FilterError);
    expect(libpcap('inbound').compile(113, 'inbound')).not.toEqual([]);
    expect(libpcap('ip broadcast').compile(1, 'ip broadcast')).not.toEqual([]);
  });

  const codes = fc.integer({ min: 0, max: 0xff });
  const numbers = fc.oneof(
    fc.nat(40),
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.constantFrom(0, 31, 32, 0xffff_ffff),
  );
  const instruction = fc.record({ code: codes, jt: fc.nat(6), jf: fc.nat(6), k: numbers });

  it('refuse or run any program, to its end, and as libpcap does', () => {
    /** The memory of libpcap's machine begins with what was there before: it is filled first. */
    const fill = Array.from({ length: 16 }, (_, k) => ({ code: 0x02, jt: 0, jf: 0, k }));
    const end = [0x06, 0x16].map((code) => ({ code, jt: 0, jf: 0, k: 1 }));
    let ran = 0;
    fc.assert(
      fc.property(
        fc.array(instruction, { maxLength: 12 }),
        fc.constantFrom(...end),
        fc.uint8Array({ maxLength: 50 }),
        fc.nat(100),
        (body, last, packet, wireLength) => {
          // Each alone most often is no instruction: those are left out of one half of the programs.
          const known = body.filter((each) => isAccepted([each, ...Array.from({ length: 8 }, () => last)]));
          for (const instructions of [body, known].map((each) => [...fill, ...each, last])) {
            // Both might go round for ever, but ours does not.
            const loops = instructions.some(({ code, k }) => code === 0x05 && k > 0x7fff_ffff);
            if (loops || !isAccepted(instructions)) continue;
            ran++;
            const result = ours(new BpfProgram(instructions), packet, wireLength);
            expect(result).toBe(theirs(instructions, packet, wireLength));
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(ran).toBeGreaterThan(1000);
  });

  it.each([
    ['nothing', []],
    [
      'a jump out of the program',
      [
        { code: 0x15, jt: 1, jf: 0, k: 0 },
        { code: 0x06, jt: 0, jf: 0, k: 1 },
      ],
    ],
    [
      'a jump to before the program',
      [
        { code: 0x05, jt: 0, jf: 0, k: 0xffff_fff0 },
        { code: 0x06, jt: 0, jf: 0, k: 1 },
      ],
    ],
    ['no return', [{ code: 0x00, jt: 0, jf: 0, k: 1 }]],
    [
      'memory that is not there',
      [
        { code: 0x60, jt: 0, jf: 0, k: 16 },
        { code: 0x06, jt: 0, jf: 0, k: 1 },
      ],
    ],
    [
      'division by 0',
      [
        { code: 0x34, jt: 0, jf: 0, k: 0 },
        { code: 0x06, jt: 0, jf: 0, k: 1 },
      ],
    ],
  ])('refuse %s', (_, instructions) => {
    expect(() => new BpfProgram(instructions)).toThrow(RangeError);
  });

  it('end a program that goes round', () => {
    const round = [
      { code: 0x05, jt: 0, jf: 0, k: 0xffff_ffff },
      { code: 0x06, jt: 0, jf: 0, k: 1 },
    ];
    expect(ours(new BpfProgram(round), new Uint8Array(60), 60)).toBe(false);
  });

  it('say with the words of libpcap what is wrong with an expression', () => {
    expect(() => checkFilter('arp and')).toThrow(/syntax error/);
    expect(() => checkFilter('inbound or arp')).not.toThrow();
  });

  it('are refused where libpcap would compile them for hours, and not repeated in full', () => {
    const hosts = Array.from({ length: 1000 }, (_, n) => `host 10.0.${n >> 8}.${n & 255}`).join(' or ');
    expect(() => checkFilter(hosts)).toThrow(/so long that libpcap/);
    const ports = Array.from({ length: 700 }, (_, n) => `port ${n + 1}`).join(' or ');
    expect(() => checkFilter(ports)).toThrow(/so long that libpcap/);
    expect(() => checkFilter(hosts.slice(0, hosts.indexOf(' or host 10.0.0.150')))).not.toThrow();
    expect(new FilterError(hosts, 'too long').input.length).toBeLessThan(250);
  });
});

function isAccepted(instructions: readonly Instruction[]): boolean {
  try {
    new BpfProgram(instructions);
    return true;
  } catch {
    return false;
  }
}
