import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openCapture } from '../open.js';
import { CaptureError, type CaptureSource } from '../source.js';
import { NO_CAP } from './cap-exit.js';
import { insideNamespace } from './namespace.js';
import { takeNote } from './source.js';

/** Milliseconds that the child process gets to hand over what it has when the capture is to end. */
const REST_MS = 2000;
const GRACE_MS = 100;
/** What a capture with `cap` cannot tell, in the words of the report. */
const CAP_LIMITS: readonly string[] = [
  'captured with cap: times are those of arrival here, later than those of the kernel and equal for packets in a heap',
  'captured with cap: directions are not known',
  'captured with cap: how many packets were lost is not known',
  'captured with cap: always promiscuous, at most 65,535 bytes of a packet, and it ends when the interface goes down',
];

export interface CapOptions {
  device: string;
  /** Name under /run/netns, null for the own namespace. */
  netns: string | null;
  /** In the language of pcap-filter(7), empty for none; libpcap compiles it for the device. */
  filter: string;
  /** Bytes of libpcap's buffer. */
  size: number;
  /** Tells what happens to the device. */
  onNote?: (note: string) => void;
}

/**
 * Captures with the npm package `cap`, in a child process, as its end would be ours. For where AF_PACKET is not.
 * @throws CaptureError if the package is not installed or cannot open the device
 */
export async function openCap({ device, netns, filter, size, onNote }: CapOptions): Promise<CaptureSource> {
  const helper = fileURLToPath(new URL('./cap-helper.js', import.meta.url));
  const child = insideNamespace(netns, () =>
    spawn(process.execPath, [helper, device, filter, String(size)], { stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('close', (status, signal) => resolve(signal ?? String(status)));
  });
  const name = netns === null ? device : `${device} in ${netns}`;
  let source: CaptureSource;
  try {
    source = await openCapture('-', { stdin: child.stdout });
  } catch {
    throw notOpened(name, await ended, said);
  }
  const { info } = source;
  info.name = name;
  info.format = 'live';
  info.interfaces[0].name = device;
  for (const limit of CAP_LIMITS) takeNote(info, limit);
  const run = source.run.bind(source);
  source.run = async (frame, onFrame, signal) => {
    const enough = new AbortController();
    const end = () => {
      child.kill('SIGTERM');
      setTimeout(() => {
        enough.abort();
        child.kill('SIGKILL');
      }, REST_MS).unref();
    };
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end, { once: true });
    try {
      await run(frame, onFrame, enough.signal);
      const status = await ended;
      // A signal that ends both may reach the child first.
      if (!signal?.aborted) await sleep(GRACE_MS);
      if (!signal?.aborted) {
        const note = `cap ended (${status}), as it does when its interface goes down: the capture on ${name} ends here`;
        takeNote(info, note);
        onNote?.(note);
      }
    } finally {
      signal?.removeEventListener('abort', end);
      child.kill('SIGKILL');
    }
    const lost = /^lost (\d+)$/m.exec(said);
    if (lost !== null) takeNote(info, `${lost[1]} packets were lost on the way from cap`);
  };
  return source;
}

function notOpened(name: string, status: string, said: string): CaptureError {
  if (status === String(NO_CAP)) {
    const advice = 'npm install --global cap (needs a C++ compiler, Python and the headers of libpcap)';
    return new CaptureError('--backend cap', 'the npm package cap is not installed', advice);
  }
  const words = said.trim().split('\n').at(-1) || `its process ended (${status})`;
  return new CaptureError(name, `cap cannot capture: ${words}`, 'try --backend ring, which says more');
}
