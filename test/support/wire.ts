import { Readable } from 'node:stream';
import { type AnalyzeOptions, Analyzer } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import type { Analysis, Finding } from '../../src/findings/finding.js';

const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const NOBODY = '00:00:00:00:00:00';

/** How a frame travels: its direction, the VLANs around it, the VNI it is carried in, the interface of the file that shows it (0). */
export interface Way {
  direction?: 'in' | 'out';
  vlan?: number;
  vni?: number;
  /** From the other endpoint of the tunnel. */
  back?: boolean;
  port?: number;
}

interface Recorded {
  time: number;
  bytes: Uint8Array;
  wireLength: number;
  direction: 'in' | 'out' | undefined;
  port: number;
}

/** Frames written down one by one, and what the program says of them as a pcapng stream. */
export class Capture {
  private now = 0;
  private readonly frames: Recorded[] = [];
  /** Written into an interface statistics block, if set. */
  dropped: number | null = null;

  /** The time of the frames that follow, in seconds. */
  at(seconds: number): this {
    this.now = seconds;
    return this;
  }

  raw(bytes: readonly number[], way: Way = {}, wireLength?: number): this {
    const tagged =
      way.vlan === undefined ? bytes : [...bytes.slice(0, 12), 0x81, 0, ...u16(way.vlan), ...bytes.slice(12)];
    const whole = Uint8Array.from(way.vni === undefined ? tagged : inVxlan(tagged, way.vni, way.back));
    this.frames.push({
      time: this.now,
      bytes: whole,
      wireLength: wireLength ?? whole.length,
      direction: way.direction,
      port: way.port ?? 0,
    });
    return this;
  }

  /** Keeps the first `length` bytes of every frame there is by now. */
  cut(length: number): this {
    this.frames.splice(
      0,
      this.frames.length,
      ...this.frames.map((one) => ({ ...one, bytes: one.bytes.slice(0, length) })),
    );
    return this;
  }

  arp(
    {
      op,
      from,
      to = BROADCAST,
      sha = from,
      spa,
      tha = NOBODY,
      tpa,
    }: {
      op: 1 | 2;
      from: string;
      to?: string;
      sha?: string;
      spa: string;
      tha?: string;
      tpa: string;
    },
    way?: Way,
  ): this {
    const packet = [0, 1, 8, 0, 6, 4, 0, op, ...mac(sha), ...ip(spa), ...mac(tha), ...ip(tpa)];
    return this.raw([...mac(to), ...mac(from), 8, 6, ...packet], way);
  }

  /** The announcement of a hypervisor for a guest that arrived: a RARP request in which the guest asks for itself. */
  rarp(guest: string, way?: Way): this {
    const packet = [0, 1, 8, 0, 6, 4, 0, 3, ...mac(guest), 0, 0, 0, 0, ...mac(guest), 0, 0, 0, 0];
    return this.raw([...mac(BROADCAST), ...mac(guest), 0x80, 0x35, ...packet], way);
  }

  /** who-has `tpa` tell `spa`, as broadcast. */
  ask(from: string, spa: string, tpa: string, way?: Way): this {
    return this.arp({ op: 1, from, spa, tpa }, way);
  }

  /** `spa` is-at `from`, to the asker. */
  answer(from: string, spa: string, to: string, tpa: string, way?: Way): this {
    return this.arp({ op: 2, from, to, spa, tha: to, tpa }, way);
  }

  /** Asks `times` times, a kernel's second apart, from the present time on. */
  askAgain(times: number, from: string, spa: string, tpa: string, way?: Way): this {
    for (let i = 0; i < times; i++) this.at(this.now + (i === 0 ? 0 : 1.02)).ask(from, spa, tpa, way);
    return this;
  }

  /** An IPv4 packet of `protocol` with its payload; identification `id`. */
  ipv4(
    {
      from,
      to,
      source,
      destination,
      protocol = 253,
      id = 1,
      payload = [],
    }: {
      from: string;
      to: string;
      source: string;
      destination: string;
      protocol?: number;
      id?: number;
      payload?: readonly number[];
    },
    way?: Way,
  ): this {
    return this.raw([...mac(to), ...mac(from), 8, 0, ...ipv4Bytes(source, destination, protocol, payload, id)], way);
  }

  /** A pcapng file: one section, Ethernet interfaces, nanoseconds, directions where they are given. */
  file(): Buffer {
    const blocks = [
      block(0x0a0d0d0a, [...u32le(0x1a2b3c4d), 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]),
      ...Array.from({ length: 1 + Math.max(0, ...this.frames.map(({ port }) => port)) }, () =>
        block(1, [1, 0, 0, 0, ...u32le(262144), 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]),
      ),
      ...this.frames.map(packetBlock),
    ];
    if (this.dropped !== null)
      blocks.push(
        block(5, [...u32le(0), ...u32le(0), ...u32le(0), 5, 0, 8, 0, ...u32le(this.dropped), ...u32le(0), 0, 0, 0, 0]),
      );
    return Buffer.concat(blocks);
  }

  /** All findings of the program about these frames. */
  async findings(options: AnalyzeOptions = {}): Promise<Finding[]> {
    return findingsOf(this.file(), options);
  }
}

/** All findings of the program about a capture file. */
export async function findingsOf(file: Buffer, options: AnalyzeOptions = {}): Promise<Finding[]> {
  return (await analysisOf(file, options)).findings;
}

/** All that the program says about a capture file. */
export async function analysisOf(file: Buffer, options: AnalyzeOptions = {}): Promise<Analysis> {
  const analyzer = new Analyzer(options);
  await analyzer.read(await openCapture('-', { stdin: Readable.from([file]) }));
  return analyzer.analysis();
}

/** What findings say in short: rule, confidence and the numbers of the proving frames. */
export function inShort(findings: readonly Finding[]): [rule: string, confidence: string, frames: number[]][] {
  return findings.map(({ rule, confidence, evidence }) => [
    rule,
    confidence,
    [...new Set(evidence.map(({ frame }) => frame))].sort((a, b) => a - b),
  ]);
}

function packetBlock({ time, bytes, wireLength, direction, port }: Recorded): Buffer {
  const stamp = 1_700_000_000n * 1_000_000_000n + BigInt(Math.round(time * 1e9));
  const padding = new Array((4 - (bytes.length % 4)) % 4).fill(0);
  const flags = direction === undefined ? [] : [2, 0, 4, 0, ...u32le(direction === 'in' ? 1 : 2), 0, 0, 0, 0];
  const head = [port, Number(stamp >> 32n), Number(stamp & 0xffffffffn), bytes.length, wireLength].flatMap(u32le);
  return block(6, [...head, ...bytes, ...padding, ...flags]);
}

function block(type: number, body: readonly number[]): Buffer {
  const length = u32le(body.length + 12);
  return Buffer.from([...u32le(type), ...length, ...body, ...length]);
}

function inVxlan(inner: readonly number[], vni: number, back = false): number[] {
  const vxlan = [8, 0, 0, 0, vni >> 16, (vni >> 8) & 255, vni & 255, 0, ...inner];
  const udp = [0xc0, 0, ...u16(4789), ...u16(vxlan.length + 8), 0, 0, ...vxlan];
  const one = { mac: '02:00:00:00:0f:01', ip: '10.9.0.1' };
  const two = { mac: '02:00:00:00:0f:02', ip: '10.9.0.2' };
  const [from, to] = back ? [two, one] : [one, two];
  return [...mac(to.mac), ...mac(from.mac), 8, 0, ...ipv4Bytes(from.ip, to.ip, 17, udp, 7)];
}

function ipv4Bytes(
  source: string,
  destination: string,
  protocol: number,
  payload: readonly number[],
  id: number,
): number[] {
  const length = u16(payload.length + 20);
  return [0x45, 0, ...length, ...u16(id), 0, 0, 64, protocol, 0, 0, ...ip(source), ...ip(destination), ...payload];
}

export function mac(text: string): number[] {
  return text.split(':').map((byte) => Number.parseInt(byte, 16));
}

export function ip(text: string): number[] {
  return text.split('.').map(Number);
}

export function u16(value: number): [number, number] {
  return [(value >> 8) & 255, value & 255];
}

function u32le(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}
