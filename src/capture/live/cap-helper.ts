import { NO_CAP, NOT_OPENED } from './cap-exit.js';
import { capModule } from './cap-module.js';
import { dropPrivileges } from './privileges.js';

/*
 * The child process that captures with the npm package `cap`: node cap-helper.js <device> <filter> <bytes of buffer>.
 * It writes a pcap stream in nanoseconds to its standard output, whole records only. `cap` ends its process when the
 * interface goes down (an assertion in its cb_packets): that must not be ours.
 */

/** What `cap` calls link types, and their LINKTYPE_ values. */
const LINK_TYPES: Readonly<Record<string, number>> = {
  NULL: 0,
  ETHERNET: 1,
  RAW: 101,
  IEEE802_11_RADIO: 127,
  LINKTYPE_LINUX_SLL: 113,
};
/** `cap` asks for so many bytes of each packet. */
const SNAP_LENGTH = 65_535;
const RECORD = 16;
const GATHER = 256 * 1024;
/** Bytes that may wait for the reader: what comes beyond is lost, and told at the end. */
const MOST_WAITING = 64 * 1024 * 1024;

const [device, filter, size] = process.argv.slice(2);
const module = capModule();
if (module === null) process.exit(NO_CAP);
const capture = new module.Cap();
const packet = Buffer.alloc(SNAP_LENGTH);
let waiting = Buffer.allocUnsafe(GATHER);
let filled = 0;
let isScheduled = false;
let lost = 0;

// Ctrl-C in the terminal is meant for the program, which ends this one.
process.on('SIGINT', () => {});
process.on('SIGTERM', end);
process.stdout.on('error', () => process.exit());

try {
  const linkType = capture.open(device, filter, Number(size), packet);
  dropPrivileges();
  // Windows hands packets over in heaps otherwise.
  capture.setMinBytes?.(0);
  capture.on('packet', take);
  process.stdout.write(header(LINK_TYPES[linkType] ?? 1));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`, () => process.exit(NOT_OPENED));
}

function header(linkType: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(0xa1b23c4d, 0);
  bytes.writeUInt16LE(2, 4);
  bytes.writeUInt16LE(4, 6);
  bytes.writeUInt32LE(SNAP_LENGTH, 16);
  bytes.writeUInt32LE(linkType, 20);
  return bytes;
}

/** The time is that of arrival here: `cap` does not pass on the kernel's. */
function take(length: number): void {
  if (process.stdout.writableLength > MOST_WAITING) {
    lost++;
    return;
  }
  if (filled + RECORD + length > waiting.length) flush();
  const now = performance.timeOrigin + performance.now();
  const milliseconds = Math.floor(now);
  waiting.writeUInt32LE(Math.floor(milliseconds / 1000), filled);
  waiting.writeUInt32LE((milliseconds % 1000) * 1e6 + Math.floor((now - milliseconds) * 1e6), filled + 4);
  waiting.writeUInt32LE(length, filled + 8);
  waiting.writeUInt32LE(length, filled + 12);
  packet.copy(waiting, filled + RECORD, 0, length);
  filled += RECORD + length;
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(() => {
    isScheduled = false;
    flush();
  });
}

function flush(): void {
  if (filled === 0) return;
  process.stdout.write(waiting.subarray(0, filled));
  waiting = Buffer.allocUnsafe(GATHER);
  filled = 0;
}

function end(): void {
  flush();
  if (lost > 0) process.stderr.write(`lost ${lost}\n`);
  process.stdout.end(() => process.exit());
}
