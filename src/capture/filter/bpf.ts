/*
 * Classic BPF, the machine that libpcap compiles filters for (McCanne and Jacobson 1993; kernel:
 * Documentation/networking/filter.rst, libpcap: bpf_filter.c). An accumulator, an index register, 16 words of memory.
 * Jumps lead forwards, but for `protochain`, which libpcap compiles to a loop over headers.
 */

/** One instruction (struct bpf_insn, struct sock_filter). */
export interface Instruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

const Code = {
  LoadWord: 0x20,
  LoadHalf: 0x28,
  LoadByte: 0x30,
  LoadWordAt: 0x40,
  LoadHalfAt: 0x48,
  LoadByteAt: 0x50,
  LoadConstant: 0x00,
  LoadMemory: 0x60,
  LoadLength: 0x80,
  IndexConstant: 0x01,
  IndexMemory: 0x61,
  IndexLength: 0x81,
  IndexHeaderLength: 0xb1,
  Store: 0x02,
  StoreIndex: 0x03,
  Jump: 0x05,
  ReturnConstant: 0x06,
  ReturnAccumulator: 0x16,
  ToIndex: 0x07,
  FromIndex: 0x87,
} as const;
/** Conditional jumps and arithmetic: the operation, with `X` added if it takes the index register for `k`. */
const JumpIf = { Equal: 0x15, Greater: 0x25, AtLeast: 0x35, AnyBit: 0x45 } as const;
const Arithmetic = {
  Add: 0x04,
  Subtract: 0x14,
  Multiply: 0x24,
  Divide: 0x34,
  Or: 0x44,
  And: 0x54,
  ShiftLeft: 0x64,
  ShiftRight: 0x74,
  Negate: 0x84,
  Modulo: 0x94,
  ExclusiveOr: 0xa4,
} as const;
const X = 0x08;
const CODES: ReadonlySet<number> = new Set([
  ...Object.values(Code),
  ...[...Object.values(JumpIf), ...Object.values(Arithmetic)].flatMap((code) =>
    code === Arithmetic.Negate ? [code] : [code, code | X],
  ),
]);
const JUMPS: ReadonlySet<number> = new Set(Object.values(JumpIf).flatMap((code) => [code, code | X]));
const MEMORY: ReadonlySet<number> = new Set([Code.LoadMemory, Code.IndexMemory, Code.Store, Code.StoreIndex]);
const SHIFTS: ReadonlySet<number> = new Set([Arithmetic.ShiftLeft, Arithmetic.ShiftRight]);
const MEMORY_WORDS = 16;
/** BPF_MAXINSNS. */
const MAX_LENGTH = 4096;
/** Jumps backwards in one run at most: headers that `protochain` follows. */
const MAX_LOOPS = 256;

/** A program that can be run on packets as often as wanted; running it allocates nothing. */
export class BpfProgram {
  readonly #codes: Uint8Array;
  readonly #ks: Uint32Array;
  readonly #jts: Uint8Array;
  readonly #jfs: Uint8Array;
  readonly #memory = new Uint32Array(MEMORY_WORDS);
  readonly #remembers: boolean;

  /** @throws RangeError for what is no program: unknown instructions, jumps that lead out of it, no return at its end */
  constructor(instructions: readonly Instruction[]) {
    validate(instructions);
    this.#codes = Uint8Array.from(instructions, ({ code }) => code);
    this.#ks = Uint32Array.from(instructions, ({ k }) => k);
    this.#remembers = instructions.some(({ code }) => MEMORY.has(code));
    this.#jts = Uint8Array.from(instructions, ({ jt }) => jt);
    this.#jfs = Uint8Array.from(instructions, ({ jf }) => jf);
  }

  /**
   * Whether the program lets a packet through. Whoever reads behind its captured bytes or divides by 0 lets nothing
   * through, as in libpcap; nor does who loops for too long.
   * @param view of the buffer in which the packet lies from `start` to `end`
   * @param wireLength its length on the wire, which `len` and `greater` mean
   */
  matches(view: DataView, start: number, end: number, wireLength: number): boolean {
    const codes = this.#codes;
    const ks = this.#ks;
    const memory = this.#memory;
    const captured = end - start;
    // What libpcap makes of `geneve or …` reads what it did not write: the packet before must not decide.
    if (this.#remembers) memory.fill(0);
    let a = 0;
    let x = 0;
    let loops = 0;
    for (let pc = 0; ; pc++) {
      const k = ks[pc];
      const code = codes[pc];
      switch (code) {
        case Code.LoadHalf:
          if (k + 2 > captured) return false;
          a = view.getUint16(start + k);
          break;
        case JumpIf.Equal:
          pc += a === k ? this.#jts[pc] : this.#jfs[pc];
          break;
        case Code.LoadByte:
          if (k + 1 > captured) return false;
          a = view.getUint8(start + k);
          break;
        case Code.LoadWord:
          if (k + 4 > captured) return false;
          a = view.getUint32(start + k);
          break;
        case Code.ReturnConstant:
          return k !== 0;
        case Code.ReturnAccumulator:
          return a !== 0;
        case JumpIf.AnyBit:
          pc += (a & k) !== 0 ? this.#jts[pc] : this.#jfs[pc];
          break;
        case JumpIf.Greater:
          pc += a > k ? this.#jts[pc] : this.#jfs[pc];
          break;
        case JumpIf.AtLeast:
          pc += a >= k ? this.#jts[pc] : this.#jfs[pc];
          break;
        case JumpIf.Equal | X:
          pc += a === x ? this.#jts[pc] : this.#jfs[pc];
          break;
        case JumpIf.AnyBit | X:
          pc += (a & x) !== 0 ? this.#jts[pc] : this.#jfs[pc];
          break;
        case JumpIf.Greater | X:
          pc += a > x ? this.#jts[pc] : this.#jfs[pc];
          break;
        case JumpIf.AtLeast | X:
          pc += a >= x ? this.#jts[pc] : this.#jfs[pc];
          break;
        case Code.Jump:
          if ((k | 0) < 0 && ++loops > MAX_LOOPS) return false;
          pc += k | 0;
          break;
        case Code.LoadByteAt:
          if (x + k + 1 > captured) return false;
          a = view.getUint8(start + x + k);
          break;
        case Code.LoadHalfAt:
          if (x + k + 2 > captured) return false;
          a = view.getUint16(start + x + k);
          break;
        case Code.LoadWordAt:
          if (x + k + 4 > captured) return false;
          a = view.getUint32(start + x + k);
          break;
        case Code.IndexHeaderLength:
          if (k + 1 > captured) return false;
          x = 4 * (view.getUint8(start + k) & 0xf);
          break;
        case Code.LoadConstant:
          a = k;
          break;
        case Code.LoadMemory:
          a = memory[k];
          break;
        case Code.LoadLength:
          a = wireLength;
          break;
        case Code.IndexConstant:
          x = k;
          break;
        case Code.IndexMemory:
          x = memory[k];
          break;
        case Code.IndexLength:
          x = wireLength;
          break;
        case Code.Store:
          memory[k] = a;
          break;
        case Code.StoreIndex:
          memory[k] = x;
          break;
        case Code.ToIndex:
          x = a;
          break;
        case Code.FromIndex:
          a = x;
          break;
        default: {
          const operand = (code & X) === 0 ? k : x;
          if (operand === 0 && divides(code)) return false;
          a = calculated(code & ~X, a, operand);
        }
      }
    }
  }
}

function divides(code: number): boolean {
  return (code & ~X) === Arithmetic.Divide || (code & ~X) === Arithmetic.Modulo;
}

/** All numbers are 32 bits without a sign. Shifting by 32 and more leaves nothing. */
function calculated(code: number, a: number, operand: number): number {
  switch (code) {
    case Arithmetic.Add:
      return (a + operand) >>> 0;
    case Arithmetic.Subtract:
      return (a - operand) >>> 0;
    case Arithmetic.Multiply:
      return Math.imul(a, operand) >>> 0;
    case Arithmetic.Divide:
      return Math.floor(a / operand);
    case Arithmetic.Modulo:
      return a % operand;
    case Arithmetic.And:
      return (a & operand) >>> 0;
    case Arithmetic.Or:
      return (a | operand) >>> 0;
    case Arithmetic.ExclusiveOr:
      return (a ^ operand) >>> 0;
    case Arithmetic.ShiftLeft:
      return operand < 32 ? (a << operand) >>> 0 : 0;
    case Arithmetic.ShiftRight:
      return operand < 32 ? a >>> operand : 0;
    default:
      return -a >>> 0;
  }
}

/** Instructions that one may pass over, backwards if negative; 0 for one that is no jump. */
function longestJump({ code, jt, jf, k }: Instruction): number {
  if (code === Code.Jump) return k | 0;
  return JUMPS.has(code) ? Math.max(jt, jf) : 0;
}

/** What libpcap compiles is always valid; nothing else may be run (kernel: `bpf_check_classic` in net/core/filter.c). */
function validate(instructions: readonly Instruction[]): void {
  const { length } = instructions;
  if (length === 0 || length > MAX_LENGTH) throw new RangeError(`${length} instructions`);
  for (const [pc, { code, jt, jf, k }] of instructions.entries()) {
    const target = pc + 1 + longestJump({ code, jt, jf, k });
    const isValid =
      CODES.has(code) &&
      (target === pc + 1 || (target >= 0 && target < length)) &&
      !(MEMORY.has(code) && k >= MEMORY_WORDS) &&
      !(SHIFTS.has(code) && k >= 32) &&
      !((code & X) === 0 && divides(code) && k === 0);
    if (!isValid) throw new RangeError(`instruction ${pc}: code ${code}, k ${k}`);
  }
  const last = instructions[length - 1].code;
  if (last !== Code.ReturnConstant && last !== Code.ReturnAccumulator) throw new RangeError('no return at its end');
}
