import { createRequire } from 'node:module';
import { CaptureError } from '../source.js';
import type { Instruction } from './bpf.js';

/**
 * What netdiag needs of libpcap (pcap(3PCAP)): the compiler of its filter expressions. Loaded, through koffi, only for a
 * filter; the library is there wherever tcpdump is.
 */
export interface Libpcap {
  /**
   * Compiles for a device as it is, or (null) for bare Ethernet: on Linux the tag of a VLAN frame is not among its
   * bytes, and only a handle of the device compiles `vlan` to what the kernel can test.
   * @returns struct bpf_program, which SO_ATTACH_FILTER takes as it is; valid until the process ends
   * @throws FilterError with libpcap's own words
   */
  compileFor(device: string | null, expression: string, snapLength: number): Uint8Array;
  /**
   * Compiles for packets of a link type (LINKTYPE_ value) as they lie in files.
   * @throws FilterError with libpcap's own words, also for what this link type does not have
   */
  compile(linkType: number, expression: string): Instruction[];
}

/** Characters of an expression that an error repeats. */
const SHOWN = 200;
/**
 * Instructions that the optimizer of libpcap is given at most: it takes seconds for these and hours for ten times as many, in which
 * no signal gets through. Of expressions of more characters libpcap makes no program at all without running out of stack.
 */
const MOST_INSTRUCTIONS = 16_000;
const LONGEST = 8192;

/** The expression is wrong, or the library that compiles it is missing. */
export class FilterError extends CaptureError {
  constructor(expression: string, message: string, advice = 'see pcap-filter(7) for the language') {
    const shown = expression.length > SHOWN ? `${expression.slice(0, SHOWN)}…` : expression;
    super(`--filter "${shown}"`, message, advice);
  }
}

const NAMES = ['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so'];
const ERROR_LENGTH = 256;
const DLT_EN10MB = 1;
const LINKTYPE_RAW = 101;
const DLT_RAW = 12;
/** Bytes that a filter may look at, of whatever link type. */
const ALL = 262_144;
/** Bytes of struct bpf_insn: u16 code, u8 jt, u8 jf, u32 k. */
const INSTRUCTION = 8;
const NETMASK_UNKNOWN = 0xffffffff;
/** What tcpdump takes for files: `ip broadcast` is 255.255.255.255 then. */
const NETMASK_OF_FILES = 0;
/** Offsets from here on are no bytes of the packet but what the kernel knows of it (SKF_AD_OFF in linux/filter.h). */
const KERNEL_DATA = 0xfffff000;
/** Class and mode of the instructions that load from an absolute offset (BPF_LD | BPF_ABS). */
const LOAD_ABSOLUTE = 0x20;

let loaded: Libpcap | null = null;

/** @throws FilterError where it is not installed; the expression is named in it */
export function libpcap(expression: string): Libpcap {
  loaded ??= load(expression);
  return loaded;
}

function load(expression: string): Libpcap {
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
  const library = find(koffi, expression);
  const create = library.func('void *pcap_create(const char *device, void *error)');
  const openDead = library.func('void *pcap_open_dead(int linktype, int snaplen)');
  const setSnapLength = library.func('int pcap_set_snaplen(void *handle, int snaplen)');
  const activate = library.func('int pcap_activate(void *handle)');
  const compile = library.func(
    'int pcap_compile(void *handle, void *program, const char *expression, int optimize, uint32_t netmask)',
  );
  const lastError = library.func('const char *pcap_geterr(void *handle)');
  const close = library.func('void pcap_close(void *handle)');
  const freeCode = library.func('void pcap_freecode(void *program)');

  /** struct bpf_program: u32 count, padding, pointer. */
  const compiledBy = (handle: unknown, expression: string, netmask: number, optimize: number): Uint8Array => {
    const program = new Uint8Array(16);
    if (compile(handle, program, expression, optimize, netmask) !== 0)
      throw new FilterError(expression, lastError(handle));
    return program;
  };
  const compiled = (handle: unknown, expression: string, netmask: number): Uint8Array => {
    if (expression.length > LONGEST) throw tooLong(expression);
    const plain = compiledBy(handle, expression, netmask, 0);
    const length = lengthOf(plain);
    freeCode(plain);
    if (length > MOST_INSTRUCTIONS) throw tooLong(expression);
    return compiledBy(handle, expression, netmask, 1);
  };
  return {
    compileFor(device, expression, snapLength) {
      const error = new Uint8Array(ERROR_LENGTH);
      const handle = device === null ? openDead(DLT_EN10MB, snapLength) : create(device, error);
      if (handle === null) throw new FilterError(expression, new TextDecoder().decode(error).replace(/\0.*$/s, ''));
      try {
        if (device !== null && (setSnapLength(handle, snapLength) < 0 || activate(handle) < 0))
          throw new FilterError(expression, lastError(handle));
        return compiled(handle, expression, NETMASK_UNKNOWN);
      } finally {
        close(handle);
      }
    },
    compile(linkType, expression) {
      const handle = openDead(linkType === LINKTYPE_RAW ? DLT_RAW : linkType, ALL);
      try {
        const program = compiled(handle, expression, NETMASK_OF_FILES);
        try {
          const instructions = instructionsOf(koffi, program);
          if (instructions.some(({ code, k }) => (code & ~0x18) === LOAD_ABSOLUTE && k >= KERNEL_DATA))
            throw new FilterError(expression, 'inbound, outbound and ifindex are only in captures with cooked headers');
          return instructions;
        } finally {
          freeCode(program);
        }
      } finally {
        close(handle);
      }
    },
  };
}

function tooLong(expression: string): FilterError {
  return new FilterError(
    expression,
    'is so long that libpcap takes minutes or hours to compile it',
    'name networks instead of hosts, such as net 10.0.0.0/16, and ranges of ports, such as portrange 1-1024',
  );
}

/** Instructions of a struct bpf_program. */
function lengthOf(program: Uint8Array): number {
  return new DataView(program.buffer).getUint32(0, true);
}

function instructionsOf(koffi: typeof import('koffi'), program: Uint8Array): Instruction[] {
  const length = lengthOf(program);
  const view = new DataView(koffi.view(koffi.decode(program, 8, 'void *'), length * INSTRUCTION));
  return Array.from({ length }, (_, i) => ({
    code: view.getUint16(i * INSTRUCTION, true),
    jt: view.getUint8(i * INSTRUCTION + 2),
    jf: view.getUint8(i * INSTRUCTION + 3),
    k: view.getUint32(i * INSTRUCTION + 4, true),
  }));
}

function find(koffi: typeof import('koffi'), expression: string) {
  for (const name of NAMES) {
    try {
      return koffi.load(name);
    } catch {
      // The next name, then.
    }
  }
  throw new FilterError(expression, 'needs libpcap', 'install it (Debian: libpcap0.8), or leave the filter away');
}
