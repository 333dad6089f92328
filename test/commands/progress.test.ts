import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CaptureSource } from '../../src/capture/source.js';
import { progressLine, showProgress } from '../../src/commands/progress.js';
import { fakeIo } from '../support/io.js';

function sourceAt(read: number, total: number | null, name = 'host.pcap'): CaptureSource {
  const info = { name } as CaptureSource['info'];
  return { info, progress: { read, total }, run: () => Promise.resolve() };
}

describe('the line', () => {
  it.each<[read: number, total: number | null, elapsed: number, line: string]>([
    [420e6, 1e9, 2, 'host.pcap  42 %  210 MB/s  3 s left'],
    [0, 1e9, 2, 'host.pcap  0 %  0.0 MB/s'],
    [0, 0, 2, 'host.pcap  100 %  0.0 MB/s'],
    [15e6, null, 10, 'host.pcap  15 MB  1.5 MB/s'],
  ])('%d of %s bytes in %d s', (read, total, elapsed, line) => {
    expect(progressLine(sourceAt(read, total), elapsed)).toBe(line);
  });

  it('cannot make the terminal do anything', () => {
    expect(progressLine(sourceAt(1, 2, '\u001b[2J.pcap'), 1)).not.toContain('\u001b');
  });
});

describe('showProgress', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('draws nothing for what is read at once', () => {
    const io = fakeIo();
    showProgress(sourceAt(1, 2), io.stderr).stop();
    expect(io.written.stderr).toBe('');
  });

  it('draws on one line, no longer than the terminal, and erases it', () => {
    const io = fakeIo({ stderr: { columns: 20 } });
    const progress = showProgress(sourceAt(1, 2, 'a-long-name-of-a-capture.pcap'), io.stderr);
    vi.advanceTimersByTime(1000);
    expect(io.written.stderr).toContain('\r\u001b[Ka-long-name-of-a-ca');
    expect(io.written.stderr).not.toContain('\n');
    progress.stop();
    expect(io.written.stderr.endsWith('\r\u001b[K')).toBe(true);
    const drawn = io.written.stderr;
    vi.advanceTimersByTime(1000);
    expect(io.written.stderr).toBe(drawn);
  });
});
