import { constants, createReadStream, fstatSync, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { CaptureInfo } from '../wire/capture-info.js';
import { type ByteInput, FileInput, StreamInput } from './input.js';
import { explainOther, type Format, formatOf, HEAD } from './magic.js';
import { UnpackInput } from './packed/input.js';
import { PCAP_HEADER, PcapReader, pcapVersion } from './pcap.js';
import { PcapngReader } from './pcapng/reader.js';
import { Recording, Window } from './recording.js';
import type { RecordReader } from './records.js';
import { CaptureError, type CaptureSource } from './source.js';
import { pastedSource } from './text/source.js';

/** Bytes read to find out what an input is: few, since compressed ones may be a thousand times as many. */
const FIRST_READ = 4096;
/** Bytes looked at to say what else an input is. */
const SHOWN = 64;

export interface OpenOptions {
  /** What '-' stands for; `process.stdin` if not given. */
  stdin?: Readable;
  /** Ends the wait for the first bytes of a stream. */
  signal?: AbortSignal;
}

/**
 * Opens a capture: pcap or pcapng, plain or compressed, told by its first bytes and not by its name.
 * @param path a file, a named pipe, or '-' for standard input
 * @throws CaptureError if it cannot be opened or is no capture
 */
export async function openCapture(path: string, options: OpenOptions = {}): Promise<CaptureSource> {
  const input = path === '-' ? openStandardInput(options.stdin) : openFile(path);
  const close = () => input.close();
  options.signal?.addEventListener('abort', close, { once: true });
  try {
    return await open(path, input);
  } catch (error) {
    close();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', close);
  }
}

async function open(path: string, input: ByteInput): Promise<CaptureSource> {
  const info: CaptureInfo = {
    name: path,
    format: 'pcap',
    compression: null,
    interfaces: [],
    complete: false,
    problems: [],
    dropped: null,
    comments: 0,
    untimed: 0,
  };
  let window = new Window();
  let bytes = input;
  const head = await readHead(path, input, window);
  if (head === null) {
    const pasted = await pastedSource(info, window.bytes.subarray(0, window.to), input);
    if (pasted !== null) return pasted;
    throw notACapture(path, window);
  }
  let format: Format | null = head;
  if (format === 'gzip' || format === 'zstd') {
    info.compression = format;
    bytes = new UnpackInput(format, window.bytes.subarray(0, window.to), input);
    window = new Window();
    format = await readHead(path, bytes, window);
    if (format === null) throw notACapture(path, window);
  }
  return new Recording(info, bytes, window, readerFor(path, format, window, info));
}

/** Reads as many bytes as tell the format, and no more than are there: a live stream may begin with a header alone. @returns null for no format that is known */
async function readHead(path: string, input: ByteInput, window: Window): Promise<Format | null> {
  let ended = false;
  while (!ended && window.to < HEAD) {
    try {
      ended = (await window.fill(input, FIRST_READ)) === 0;
    } catch (error) {
      throw unreadable(path, error);
    }
  }
  if (window.to === 0) throw new CaptureError(path, 'empty', 'nothing was written to it; capture again');
  return formatOf(window.bytes.subarray(0, Math.min(window.to, SHOWN)));
}

function notACapture(path: string, window: Window): CaptureError {
  return new CaptureError(path, 'not a capture', explainOther(window.bytes.subarray(0, Math.min(window.to, SHOWN))));
}

function readerFor(path: string, format: Format, window: Window, info: CaptureInfo): RecordReader {
  if (format === 'pcapng') {
    info.format = 'pcapng';
    return new PcapngReader(info);
  }
  if (format !== 'pcap') throw new CaptureError(path, 'compressed twice', `unpack the ${format} first`);
  if (window.to < PCAP_HEADER) {
    const there = `the file header needs ${PCAP_HEADER} bytes and only ${window.to} are there`;
    throw new CaptureError(path, `cut before its first packet`, `${there}; capture or copy it again`);
  }
  const header = new DataView(window.bytes.buffer, 0, PCAP_HEADER);
  const version = pcapVersion(header);
  if (!version.startsWith('2.')) {
    throw new CaptureError(
      path,
      `pcap version ${version} does not exist`,
      'the header is damaged; capture or copy it again',
    );
  }
  window.from = PCAP_HEADER;
  return new PcapReader(header, info);
}

function openFile(path: string): ByteInput {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw new CaptureError(path, 'is a directory', 'name the capture files in it');
    if (stats.isFIFO()) return new StreamInput(namedPipe(path));
    if (!stats.isFile()) return new StreamInput(createReadStream(path));
    return new FileInput(openSync(path, 'r'), stats.size);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Whether what `openCapture` reads from it is still there afterwards: not of standard input, nor of a pipe (`<(zcat …)`). */
export function isReadableAgain(path: string): boolean {
  const stats = path === '-' ? null : statSync(path, { throwIfNoEntry: false });
  // What cannot be read at all is for `openCapture` to say.
  return stats !== null && (stats === undefined || stats.isFile() || stats.isDirectory());
}

/** A file stream would wait for its writer in a thread, from which Ctrl-C cannot call it back. */
function namedPipe(path: string): Readable {
  return new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
}

function openStandardInput(given: Readable | undefined): ByteInput {
  if (given !== undefined) return new StreamInput(given);
  const stats = fstatSync(0);
  return stats.isFile() ? new FileInput(0, stats.size) : new StreamInput(process.stdin);
}

/** Node.js hands over arguments as UTF-8, with this in place of what is none; so it can open no such file. */
const isForeign = (path: string) => path.includes('\ufffd');
const NOT_UTF_8 = 'its name is not UTF-8: rename it, or give it on standard input: - < file';

/** Of paths that lead to nothing, by what the system says. */
const NOWHERE: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'part of its path is no folder',
  ELOOP: 'symbolic links that lead in a circle',
  ENAMETOOLONG: 'its name is too long',
};

function unreadable(path: string, error: unknown): CaptureError {
  if (error instanceof CaptureError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const nowhere = NOWHERE[String(code)];
  if (nowhere !== undefined) return new CaptureError(path, nowhere, isForeign(path) ? NOT_UTF_8 : 'check the path');
  if (code === 'EACCES' || code === 'EPERM') {
    return new CaptureError(
      path,
      'no permission to read it',
      'run with sudo, or make it readable: sudo chmod a+r <file>',
    );
  }
  return new CaptureError(path, 'cannot be read', error instanceof Error ? error.message : String(error));
}
