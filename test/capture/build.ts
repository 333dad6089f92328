/** Files built byte by byte, as the specifications lay them out. */

/** Integers of one byte order, one after the other. */
export class Bytes {
  readonly #parts: Buffer[] = [];
  constructor(readonly littleEndian = true) {}

  u8(...values: number[]): this {
    this.#parts.push(Buffer.from(values));
    return this;
  }

  u16(...values: number[]): this {
    for (const value of values) {
      const part = Buffer.alloc(2);
      if (this.littleEndian) part.writeUInt16LE(value);
      else part.writeUInt16BE(value);
      this.#parts.push(part);
    }
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) {
      const part = Buffer.alloc(4);
      if (this.littleEndian) part.writeUInt32LE(value);
      else part.writeUInt32BE(value);
      this.#parts.push(part);
    }
    return this;
  }

  u64(value: bigint): this {
    const part = Buffer.alloc(8);
    if (this.littleEndian) part.writeBigUInt64LE(value);
    else part.writeBigUInt64BE(value);
    this.#parts.push(part);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(Buffer.from(bytes));
    return this;
  }

  /** Bytes and what it takes to a multiple of four. */
  padded(bytes: Uint8Array): this {
    return this.raw(bytes).raw(Buffer.alloc(-bytes.length & 3));
  }

  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export interface PcapHeader {
  littleEndian?: boolean;
  magic?: number;
  minor?: number;
  snapLength?: number;
  link?: number;
}

/** A pcap file header. */
export function pcapHeader(header: PcapHeader = {}): Buffer {
  return new Bytes(header.littleEndian)
    .u32(header.magic ?? 0xa1b2c3d4)
    .u16(2, header.minor ?? 4)
    .u32(0, 0, header.snapLength ?? 65535, header.link ?? 1)
    .done();
}

/** A pcap record. `fraction` in the unit of the file, `wire` as long as the data if not given. */
export function pcapRecord(
  seconds: number,
  fraction: number,
  data: Uint8Array,
  { wire = data.length, captured = data.length, littleEndian = true } = {},
): Buffer {
  return new Bytes(littleEndian).u32(seconds, fraction, captured, wire).raw(data).done();
}

/** An option: code and value. */
export type Option = readonly [code: number, value: Uint8Array];

/** pcapng blocks of one byte order. */
export class Blocks {
  readonly #parts: Buffer[] = [];
  constructor(readonly littleEndian = true) {}

  bytes(): Bytes {
    return new Bytes(this.littleEndian);
  }

  /** A block around a body, framed truly unless told otherwise. */
  block(
    type: number,
    body: Uint8Array,
    { length = body.length + 12, trailer }: { length?: number; trailer?: number } = {},
  ): this {
    this.#parts.push(
      this.bytes()
        .u32(type, length)
        .raw(body)
        .u32(trailer ?? length)
        .done(),
    );
    return this;
  }

  section(options: readonly Option[] = []): this {
    const body = this.bytes().u32(0x1a2b3c4d).u16(1, 0).u64(0xffffffffffffffffn).raw(this.options(options)).done();
    return this.block(0x0a0d0d0a, body);
  }

  interface(linkType = 1, snapLength = 0, options: readonly Option[] = []): this {
    return this.block(1, this.bytes().u16(linkType, 0).u32(snapLength).raw(this.options(options)).done());
  }

  enhanced(
    stamp: bigint,
    data: Uint8Array,
    { number = 0, wire = data.length, captured = data.length, options = [] as readonly Option[] } = {},
  ): this {
    const body = this.bytes()
      .u32(number, Number(stamp >> 32n), Number(stamp & 0xffffffffn), captured, wire)
      .padded(data)
      .raw(this.options(options));
    return this.block(6, body.done());
  }

  options(options: readonly Option[]): Buffer {
    const bytes = this.bytes();
    for (const [code, value] of options) bytes.u16(code, value.length).padded(value);
    if (options.length > 0) bytes.u16(0, 0);
    return bytes.done();
  }

  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
