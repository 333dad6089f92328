import type { CaptureInfo } from '../../wire/capture-info.js';
import { Direction } from '../../wire/frame.js';
import { macBytes, u16 } from './bytes.js';
import { hexLine } from './hex.js';
import { LINKTYPE_ETHERNET, LINKTYPE_SLL2, type TcpdumpLine, tcpdumpLine } from './tcpdump.js';

/** A packet that a text tells of. */
export interface PastedPacket {
  /** Number of the line it begins on, from 1. */
  readonly line: number;
  readonly interface: number;
  readonly linkType: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly direction: Direction;
  readonly bytes: Uint8Array;
  readonly wireLength: number;
}

/** Packets taken from one text at most. */
const MOST_PACKETS = 100_000;
const LINKTYPE_RAW = 101;
/** Nanoseconds taken between packets of a text without times: at one moment, equal ones would be copies of one. */
const UNTIMED_GAP = 200e6;

/**
 * Finds the packets in text: lines of tcpdump, hex dumps, both together. Everything else is passed over. It is whole where no
 * packet had to be left out.
 */
export function pastedPackets(text: string, info: CaptureInfo): { packets: PastedPacket[]; isWhole: boolean } {
  const reader = new PastedReader(info);
  let isWhole = true;
  for (const { line, words } of joinedLines(text)) {
    if (reader.begun >= MOST_PACKETS && reader.isBeginning(words)) {
      isWhole = false;
      info.problems.unshift({
        offset: 0,
        message: `more than ${MOST_PACKETS} packets: those from line ${line} on were left out`,
      });
      break;
    }
    reader.take(line, words);
  }
  reader.end();
  if (reader.madeUp > 0) {
    info.problems.push({
      offset: 0,
      message:
        'the text tells no MAC addresses (tcpdump -e does): those shown as 02:00:… are made up from IP addresses',
    });
  }
  if (reader.isUntimed) {
    const message = `the text tells no times: packets are taken to be ${UNTIMED_GAP / 1e9} s apart`;
    info.problems.push({ offset: 0, message });
  }
  return { packets: reader.packets, isWhole };
}

/** With -v, tcpdump writes the IP header on a line of its own: it and the indented line behind it are one. */
function* joinedLines(text: string): Generator<{ line: number; words: string }> {
  const lines = linesOf(text);
  let number = 0;
  let now = lines.next();
  while (!now.done) {
    const line = ++number;
    let words = now.value;
    now = lines.next();
    const next = now.done ? '' : now.value;
    if (/\((?:tos|class|flowlabel|hlim)\b.*\)\s*$/.test(words.slice(-2000)) && /^\s*(?:>\s*)?\s+\S/.test(next)) {
      words = `${words} ${next.trim()}`;
      number++;
      now = lines.next();
    }
    yield { line, words };
  }
}

/** One after the other: a text of nothing but ends of lines has millions of them. */
function* linesOf(text: string): Generator<string, undefined> {
  for (let from = 0; from <= text.length; ) {
    const found = text.indexOf('\n', from);
    const to = found < 0 ? text.length : found;
    yield text.slice(from, to > from && text[to - 1] === '\r' && found >= 0 ? to - 1 : to);
    from = to + 1;
  }
}

class PastedReader {
  readonly packets: PastedPacket[] = [];
  madeUp = 0;
  readonly #info: CaptureInfo;
  /** The line of tcpdump that a hex dump may follow. */
  #told: { line: number; packet: TcpdumpLine } | null = null;
  #dump: { line: number; bytes: number[] } | null = null;
  #seconds = 0;
  #nanoseconds = 0;
  /** Whether any line told a time. */
  #timed = false;

  constructor(info: CaptureInfo) {
    this.#info = info;
  }

  get isUntimed(): boolean {
    return !this.#timed && this.packets.length > 1;
  }

  /** Packets, with the one that is being read. */
  get begun(): number {
    return this.packets.length + (this.#told === null && this.#dump === null ? 0 : 1);
  }

  /** Whether the line is the first of another packet. */
  isBeginning(words: string): boolean {
    const hex = hexLine(words);
    if (hex === null) return tcpdumpLine(words) !== null;
    return hex.offset === 0 && (this.#told === null || this.#dump !== null);
  }

  take(line: number, words: string): void {
    const hex = hexLine(words);
    if (hex !== null) {
      if (hex.offset === 0) {
        if (this.#dump !== null) this.#finish();
        this.#dump = { line, bytes: [...hex.bytes] };
      } else if (this.#dump?.bytes.length === hex.offset) this.#dump.bytes.push(...hex.bytes);
      return;
    }
    const packet = tcpdumpLine(words);
    if (packet === null) {
      if (words.trim() !== '' && this.#dump !== null) this.#finish();
      return;
    }
    this.#finish();
    this.#told = { line, packet };
  }

  end(): void {
    this.#finish();
  }

  /** A packet is complete when the next begins: a dump may have followed its line. */
  #finish(): void {
    const told = this.#told;
    const dump = this.#dump;
    this.#told = null;
    this.#dump = null;
    if (told !== null || dump !== null) this.#setTime(told?.packet ?? null);
    if (dump !== null && dump.bytes.length >= 14) this.#addDump(told, dump);
    else if (told !== null && told.packet.payload !== null) {
      const { linkType, linkHeader, payload, wireLength, madeUp } = told.packet;
      const type = linkType === LINKTYPE_SLL2 ? [] : u16(payload.etherType);
      if (madeUp) this.madeUp++;
      this.#add(told.line, told.packet, linkType, [...linkHeader, ...type, ...payload.bytes], wireLength);
    }
  }

  #addDump(told: { line: number; packet: TcpdumpLine } | null, dump: { line: number; bytes: number[] }): void {
    const { bytes } = dump;
    const line = told?.line ?? dump.line;
    const type = networkType(bytes);
    if (type === 0) {
      const linkType = told?.packet.linkType === LINKTYPE_SLL2 ? LINKTYPE_SLL2 : LINKTYPE_ETHERNET;
      this.#add(line, told?.packet ?? null, linkType, bytes, 0);
    } else if (told !== null && !told.packet.madeUp) {
      const { linkType, linkHeader } = told.packet;
      const head = linkType === LINKTYPE_SLL2 ? [...u16(type), ...linkHeader.slice(2)] : [...linkHeader, ...u16(type)];
      this.#add(line, told.packet, linkType, [...head, ...bytes], 0);
    } else if (type === 0x0806) {
      const isRequest = bytes[7] === 1;
      const to = isRequest ? macBytes('ff:ff:ff:ff:ff:ff') : bytes.slice(18, 24);
      this.#add(line, told?.packet ?? null, LINKTYPE_ETHERNET, [...to, ...bytes.slice(8, 14), 8, 6, ...bytes], 0);
    } else this.#add(line, told?.packet ?? null, LINKTYPE_RAW, bytes, 0);
  }

  #add(line: number, told: TcpdumpLine | null, linkType: number, bytes: readonly number[], wireLength: number): void {
    // What the text leaves out of a packet is nobody's snap length: only what is there is told.
    const padding =
      linkType === LINKTYPE_ETHERNET && wireLength > bytes.length ? Math.min(wireLength, 60) - bytes.length : 0;
    const whole = Uint8Array.from(padding > 0 ? [...bytes, ...new Array(padding).fill(0)] : bytes);
    this.packets.push({
      line,
      interface: this.#interface(told?.device ?? null, linkType),
      linkType,
      seconds: this.#seconds,
      nanoseconds: this.#nanoseconds,
      direction: told?.direction ?? Direction.Unknown,
      bytes: whole,
      wireLength: whole.length,
    });
  }

  #interface(name: string | null, linkType: number): number {
    const { interfaces } = this.#info;
    const there = interfaces.findIndex((each) => each.name === name && each.linkType === linkType);
    if (there >= 0) return there;
    interfaces.push({ name, description: null, linkType, snapLength: 0, dropped: null });
    return interfaces.length - 1;
  }

  #setTime(told: TcpdumpLine | null): void {
    if (told === null || told.seconds === null) {
      this.#info.untimed++;
      if (!this.#timed && this.packets.length > 0) this.#advance(0, UNTIMED_GAP);
      return;
    }
    const { seconds, nanoseconds, isDelta } = told;
    this.#timed = true;
    if (!isDelta) {
      this.#seconds = seconds;
      this.#nanoseconds = nanoseconds;
      return;
    }
    this.#advance(seconds, nanoseconds);
  }

  #advance(seconds: number, nanoseconds: number): void {
    const sum = this.#nanoseconds + nanoseconds;
    this.#seconds += seconds + Math.floor(sum / 1e9);
    this.#nanoseconds = sum % 1e9;
  }
}

/** What a dump without link header begins with (tcpdump -x): ARP, IPv4 or IPv6 whose length fits; 0 for a link header. */
function networkType(bytes: readonly number[]): number {
  if ([0, 1, 8, 0, 6, 4].every((byte, i) => bytes[i] === byte)) return 0x0806;
  const v4Length = (bytes[2] << 8) | bytes[3];
  if (bytes[0] >= 0x45 && bytes[0] <= 0x4f && v4Length >= 20 && v4Length <= bytes.length + 20) return 0x0800;
  if (bytes[0] >> 4 === 6 && bytes.length >= 40 && ((bytes[4] << 8) | bytes[5]) === bytes.length - 40) return 0x86dd;
  return 0;
}
