/** The last second of the year 9999: what lies behind is no time that anybody captured, and no date in ISO 8601. */
const LAST_SECOND = 253_402_300_799;

/** Powers of ten up to a billion, the greatest divisor for which the arithmetic of `set` is exact. */
const FINEST_EXACT = 9;

/**
 * Turns the 64-bit time stamps of one pcapng interface into seconds and nanoseconds (if_tsresol and
 * if_tsoffset, draft-ietf-opsawg-pcapng section 4.2). Exact for every resolution; a stamp finer than a
 * nanosecond is cut down, and a time before 1970 or after 9999 becomes the nearest one in between.
 */
export class Clock {
  seconds = 0;
  nanoseconds = 0;
  /** Units in a second, and nanoseconds in a unit, where `set` can do without BigInt; else 0. */
  readonly #units: number;
  readonly #scale: number;
  readonly #bigUnits: bigint;
  readonly #offset: number;
  /** The high half met last, which stays for seconds to minutes: its seconds, and the units left over. */
  #high = -1;
  #begin = 0;
  #rest = 0;

  /**
   * @param resolution if_tsresol: units in a second as a power of ten, or of two with the highest bit set
   * @param offset if_tsoffset: seconds to add
   */
  constructor(resolution: number, offset: bigint) {
    const exponent = resolution & 0x7f;
    this.#bigUnits = (resolution & 0x80 ? 2n : 10n) ** BigInt(exponent);
    const exact = resolution <= FINEST_EXACT;
    this.#units = exact ? 10 ** exponent : 0;
    this.#scale = exact ? 10 ** (FINEST_EXACT - exponent) : 0;
    this.#offset = Number(offset);
  }

  /** Sets `seconds` and `nanoseconds` from the two halves of a stamp. */
  set(high: number, low: number): void {
    const units = this.#units;
    if (units === 0) this.#setBig(high, low);
    else {
      if (high !== this.#high) this.#divideHigh(high);
      const rest = this.#rest + low;
      const seconds = Math.floor(rest / units);
      this.seconds = this.#begin + seconds;
      this.nanoseconds = (rest - seconds * units) * this.#scale;
    }
    if (this.seconds < 0 || this.seconds > LAST_SECOND) this.#clamp();
  }

  /** Long division in base 2^16, the high half as one digit: no step exceeds 10^9 · 2^16 < 2^53. */
  #divideHigh(high: number): void {
    const units = this.#units;
    const top = Math.floor(high / units);
    const upper = (high - top * units) * 0x10000;
    const middle = Math.floor(upper / units);
    const lower = (upper - middle * units) * 0x10000;
    const bottom = Math.floor(lower / units);
    this.#high = high;
    this.#begin = top * 0x100000000 + middle * 0x10000 + bottom + this.#offset;
    this.#rest = lower - bottom * units;
  }

  #setBig(high: number, low: number): void {
    const stamp = (BigInt(high) << 32n) | BigInt(low);
    this.seconds = Number(stamp / this.#bigUnits) + this.#offset;
    this.nanoseconds = Number(((stamp % this.#bigUnits) * 1_000_000_000n) / this.#bigUnits);
  }

  #clamp(): void {
    this.nanoseconds = this.seconds < 0 ? 0 : 999_999_999;
    this.seconds = this.seconds < 0 ? 0 : LAST_SECOND;
  }
}
