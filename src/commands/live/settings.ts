import { checkFilter } from '../../capture/filter/filtered.js';
import { oneOf } from '../arguments.js';
import { UserError } from '../errors.js';

/** The options that `live` has for itself, as they were written. */
export interface CaptureFlags {
  filter?: string;
  netns?: string;
  count?: string;
  duration?: string;
  buffer?: string;
  snapshotLength?: string;
  promiscuous?: boolean;
  backend?: string;
  write?: string;
  ring?: string;
  verbose?: boolean;
}

/** What they mean. */
export interface CaptureSettings {
  filter: string | undefined;
  /** Network namespace in which the interfaces are, null for the own. */
  netns: string | null;
  /** Frames after which the capture ends, null for never. */
  count: number | null;
  /** Milliseconds after which it ends, null for never. */
  duration: number | null;
  /** Bytes for packets that wait, for each interface. */
  buffer: number;
  /** Bytes of each packet that are captured. */
  snapLength: number;
  promiscuous: boolean;
  /** Undefined if the choice is netdiag's and needs no word. */
  backend: Backend | undefined;
  /** File to write to, null for none. */
  write: string | null;
  ring: FileRing | null;
  verbose: boolean;
}

/** So many files of that size, the oldest replaced. */
export interface FileRing {
  files: number;
  bytes: number;
}

/** What `live` captures with. */
const BACKENDS = ['auto', 'ring', 'cap'] as const;
type Backend = (typeof BACKENDS)[number];

const MIB = 1024 * 1024;
/** MAXIMUM_SNAPLEN of libpcap (pcap-int.h): more no packet has. */
const MAX_SNAP_LENGTH = 262_144;
/** Seconds that a timer of Node.js can wait: 24 days. */
const MAX_DURATION = Math.floor((2 ** 31 - 1) / 1000);
/** MiB of one interface: the kernel counts the bytes of a ring in 32 bits. */
const MAX_BUFFER = 4095;
/** What concerns an interface, and nothing that is read from standard input. */
const OF_INTERFACES = ['netns', 'buffer', 'snapshotLength', 'backend'] as const;

/**
 * Reads all of them before anything is opened, so that a wrong one leaves nothing open.
 * @throws UserError or FilterError for the first that makes no sense
 */
export function captureSettings(devices: readonly string[], flags: CaptureFlags): CaptureSettings {
  if (devices.includes('-')) {
    if (devices.length > 1) throw new UserError('-', 'cannot be mixed with interfaces', 'run netdiag twice');
    for (const flag of OF_INTERFACES) {
      if (flags[flag] !== undefined)
        throw new UserError(optionOf(flag), 'does not go with a stream (-)', 'give it where the stream is captured');
    }
    if (flags.filter !== undefined) checkFilter(flags.filter);
  }
  if (flags.ring !== undefined && flags.write === undefined)
    throw new UserError('--ring', 'needs a file', 'give it with --write <file>');
  const seconds =
    flags.duration === undefined
      ? null
      : atMost('--duration', flags.duration, MAX_DURATION, 'give seconds, such as 10');
  return {
    filter: flags.filter,
    netns: flags.netns ?? null,
    count: flags.count === undefined ? null : whole('--count', flags.count, Number.MAX_SAFE_INTEGER),
    duration: seconds === null ? null : seconds * 1000,
    buffer: atMost('--buffer', flags.buffer ?? '32', MAX_BUFFER, 'give MiB, such as 64') * MIB,
    snapLength: whole('--snapshot-length', flags.snapshotLength ?? String(MAX_SNAP_LENGTH), MAX_SNAP_LENGTH),
    promiscuous: flags.promiscuous ?? true,
    backend: flags.backend === undefined ? undefined : oneOf('--backend', flags.backend, BACKENDS),
    write: flags.write ?? null,
    ring: flags.ring === undefined ? null : fileRing(flags.ring),
    verbose: flags.verbose ?? false,
  };
}

/** `snapshotLength` becomes `--snapshot-length`. */
function optionOf(flag: string): string {
  return `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function whole(option: string, text: string, limit: number): number {
  if (/^\d+$/.test(text)) return atMost(option, text, limit);
  throw new UserError(option, `"${text}" is not a whole number`, 'give one, such as 10');
}

function atMost(option: string, text: string, limit: number, advice = 'give one, such as 10'): number {
  const number = Number(text);
  if (!(number > 0)) throw new UserError(option, `"${text}" is not a number above 0`, advice);
  if (number > limit) throw new UserError(option, `"${text}" is too much`, `give at most ${limit}`);
  return number;
}

function fileRing(text: string): FileRing {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [files, mib] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  if (files > 0 && mib > 0) return { files, bytes: mib * MIB };
  throw new UserError('--ring', `"${text}" is not <files>x<MiB>`, 'give for instance 5x100');
}
