import { createRequire } from 'node:module';
import type { Instruction } from '../filter/bpf.js';

/**
 * What live capture needs of the C library, called through koffi (prebuilt: no compiler). Loaded only when a
 * capture begins. All functions return -1 and set `errno` on failure, as in their manual pages (section 2).
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array | unknown, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  close(fd: number): number;
  setns(fd: number, kind: number): number;
  ifIndex(name: string): number;
  /** Maps the descriptor's memory, shared, as bytes; throws where the kernel refuses. */
  map(fd: number, length: number): { bytes: Uint8Array; unmap(): void };
  /** A `struct sock_fprog` of classic BPF instructions, valid until the next one is made. */
  filterProgram(instructions: readonly Instruction[]): Uint8Array;
  errno(): number;
  /** Name of an errno value: `EPERM`. */
  nameOf(errno: number): string;
}

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

let loaded: Libc | null = null;

/** @throws Error where koffi has no build for this system, or this is not Linux */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
  const library = koffi.load(null);
  const mmap = library.func('void *mmap(void *at, size_t length, int protection, int flags, int fd, int64_t offset)');
  const munmap = library.func('int munmap(void *at, size_t length)');
  /** The instructions that the latest program points to: they must not be collected before the kernel has read them. */
  let kept = new Uint8Array(0);
  const names = new Map(Object.entries(koffi.os.errno).map(([name, value]) => [value, name]));
  return {
    socket: library.func('int socket(int domain, int type, int protocol)'),
    setsockopt: library.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)'),
    getsockopt: library.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
    bind: library.func('int bind(int fd, void *address, uint32_t length)'),
    getsockname: library.func('int getsockname(int fd, void *address, void *length)'),
    recv: library.func('int64_t recv(int fd, void *bytes, size_t length, int flags)'),
    send: library.func('int64_t send(int fd, void *bytes, size_t length, int flags)'),
    close: library.func('int close(int fd)'),
    setns: library.func('int setns(int fd, int kind)'),
    ifIndex: library.func('uint32_t if_nametoindex(const char *name)'),
    map(fd, length) {
      const at = mmap(null, length, PROT_READ_WRITE, MAP_SHARED, fd, 0);
      // MAP_FAILED is -1.
      if (koffi.address(at) === 0xffff_ffff_ffff_ffffn) throw new Error(`mmap: ${names.get(koffi.errno())}`);
      return { bytes: new Uint8Array(koffi.view(at, length)), unmap: () => munmap(at, length) };
    },
    filterProgram(instructions) {
      kept = new Uint8Array(8 * instructions.length);
      const view = new DataView(kept.buffer);
      instructions.forEach(({ code, jt, jf, k }, i) => {
        view.setUint16(8 * i, code, true);
        view.setUint8(8 * i + 2, jt);
        view.setUint8(8 * i + 3, jf);
        view.setUint32(8 * i + 4, k, true);
      });
      const program = new Uint8Array(16);
      const head = new DataView(program.buffer);
      head.setUint16(0, instructions.length, true);
      head.setBigUint64(8, koffi.address(kept), true);
      return program;
    },
    errno: () => koffi.errno(),
    nameOf: (errno) => names.get(errno) ?? `errno ${errno}`,
  };
}
