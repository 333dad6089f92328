import wrapAnsi from 'wrap-ansi';
import type { CaptureSource } from '../capture/source.js';
import { printable } from '../wire/printable.js';
import type { Output } from './io.js';

/** Time between two drawings, and until the first: short reads show nothing. Milliseconds. */
const INTERVAL = 200;

/** Draws on one line of the terminal how far the reading is; `stop` erases it. */
export function showProgress(source: CaptureSource, terminal: Output): { stop(): void } {
  const began = performance.now();
  let drawn = false;
  const timer = setInterval(() => {
    const line = progressLine(source, (performance.now() - began) / 1000);
    const [fitting] = wrapAnsi(line, (terminal.columns || 80) - 1, { hard: true, wordWrap: false }).split('\n');
    terminal.write(`\r\x1b[K${fitting}`);
    drawn = true;
  }, INTERVAL);
  return {
    stop() {
      clearInterval(timer);
      if (drawn) terminal.write('\r\x1b[K');
    },
  };
}

/** `host.pcap  42 %  310 MB/s  3 s left` after `elapsed` seconds. */
export function progressLine({ info, progress: { read, total } }: CaptureSource, elapsed: number): string {
  const rate = read / elapsed;
  const parts = [printable(info.name)];
  if (total === null) parts.push(`${megabytes(read)} MB`);
  else parts.push(`${total === 0 ? 100 : Math.floor((100 * read) / total)} %`);
  parts.push(`${megabytes(rate)} MB/s`);
  if (total !== null && rate > 0) parts.push(`${Math.ceil((total - read) / rate)} s left`);
  return parts.join('  ');
}

function megabytes(bytes: number): string {
  const mega = bytes / 1e6;
  return mega < 10 ? mega.toFixed(1) : Math.round(mega).toString();
}
