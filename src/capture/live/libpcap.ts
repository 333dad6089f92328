import { createRequire } from 'node:module';

/**
 * What netdiag needs of libpcap (pcap(3PCAP)): the compiler of its filter expressions. Loaded only for a filter; the
 * library is there wherever tcpdump is.
 */
export interface Libpcap {
  /**
   * Compiles for a device as it is, or (null) for bare Ethernet: on Linux the tag of a VLAN frame is not among its bytes, and only a handle of the
   * device compiles `vlan` to what the kernel can test.
   * @returns struct bpf_program, which SO_ATTACH_FILTER takes as it is; valid until the process ends
   * @throws FilterError with libpcap's own words
   */
  compileFor(device: string | null, expression: string, snapLength: number): Uint8Array;
}

/** The expression is wrong, or the library is missing (`isMissing`). */
export class FilterError extends Error {
  constructor(
    message: string,
    readonly isMissing = false,
  ) {
    super(message);
  }
}

const NAMES = ['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so'];
const ERROR_LENGTH = 256;
const DLT_EN10MB = 1;
const NETMASK_UNKNOWN = 0xffffffff;

let loaded: Libpcap | null = null;

export function libpcap(): Libpcap {
  loaded ??= load();
  return loaded;
}

function load(): Libpcap {
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
  const library = find(koffi);
  const create = library.func('void *pcap_create(const char *device, void *error)');
  const openDead = library.func('void *pcap_open_dead(int linktype, int snaplen)');
  const setSnapLength = library.func('int pcap_set_snaplen(void *handle, int snaplen)');
  const activate = library.func('int pcap_activate(void *handle)');
  const compile = library.func(
    'int pcap_compile(void *handle, void *program, const char *expression, int optimize, uint32_t netmask)',
  );
  const lastError = library.func('const char *pcap_geterr(void *handle)');
  const close = library.func('void pcap_close(void *handle)');
  return {
    compileFor(device, expression, snapLength) {
      const error = new Uint8Array(ERROR_LENGTH);
      const handle = device === null ? openDead(DLT_EN10MB, snapLength) : create(device, error);
      if (handle === null) throw new FilterError(new TextDecoder().decode(error).replace(/\0.*$/s, ''));
      try {
        if (device !== null && (setSnapLength(handle, snapLength) < 0 || activate(handle) < 0))
          throw new FilterError(lastError(handle));
        // struct bpf_program: u32 count, padding, pointer.
        const program = new Uint8Array(16);
        if (compile(handle, program, expression, 1, NETMASK_UNKNOWN) !== 0) throw new FilterError(lastError(handle));
        return program;
      } finally {
        close(handle);
      }
    },
  };
}

function find(koffi: typeof import('koffi')) {
  for (const name of NAMES) {
    try {
      return koffi.load(name);
    } catch {
      // The next name, then.
    }
  }
  throw new FilterError('libpcap is not installed', true);
}
