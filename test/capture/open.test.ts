import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCapture } from '../../src/capture/open.js';
import { Frame } from '../../src/wire/frame.js';
import { Blocks, pcapHeader, pcapRecord } from './build.js';
import { read, refusal } from './read.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netdiag-capture-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const small = Buffer.concat([pcapHeader(), pcapRecord(1, 2, Buffer.from('frame'))]);

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('what is no capture', () => {
  it('is refused with what is wrong and what to do', async () => {
    mkdirSync(join(folder, 'folder'));
    expect(await refusal(join(folder, 'absent.pcap'))).toBe('no such file: check the path');
    expect(await refusal(join(folder, 'folder'))).toBe('is a directory: name the capture files in it');
    expect(await refusal(write('empty', ''))).toBe('empty: nothing was written to it; capture again');
  });

  it('is refused where it may not be read', async () => {
    const path = write('secret', small);
    chmodSync(path, 0);
    // Root may read everything, so it asks as somebody else.
    const user = process.geteuid?.();
    if (user === 0) process.seteuid?.(65534);
    try {
      expect(await refusal(path)).toContain('no permission to read it');
    } finally {
      if (user === 0) process.seteuid?.(0);
    }
  });

  it.each([
    ['<!DOCTYPE html>\n<html>', 'starts with "<!DOCTYPE"; save the file itself, not its web page'],
    ['\n\n<html><head>', 'starts with "<html><head>"; save the file itself, not its web page'],
    ['version https://git-lfs.github.com/spec/v1\n', 'it is a Git LFS pointer; fetch the file itself: git lfs pull'],
    ['PK\x03\x04\x14\0', 'it is a zip archive; unpack it first'],
    ['\xfd7zXZ\0\0', 'it is compressed with xz; unpack it first'],
    ['BZh91AY', 'it is compressed with bzip2; unpack it first'],
    [
      'snoop\0\0\0\0\0\0\x02',
      'it is a Solaris snoop capture; convert it first: editcap -F pcap <this file> <new file>',
    ],
    ['GMBU\0\x02', 'it is a Microsoft Network Monitor 2 capture; convert it first'],
    ['19:51:10.123456 IP web > db: something', 'it is what tcpdump prints; have it write the packets'],
    ['hello world\n', 'starts with "hello"; give a pcap or pcapng file'],
    ['\xde\xad\xbe\xef\x1b[2J', 'starts with the bytes deadbeef; give a pcap or pcapng file'],
    ['abc\x1b[2J', 'starts with the bytes 6162631b; give'],
    ['\x0a\x0d', 'it has only 2 bytes; capture or copy it again'],
  ])('is told by its first bytes: %j', async (content, advice) => {
    const message = await refusal(Buffer.from(content, 'latin1'));
    expect(message).toContain(`not a capture: ${advice}`);
  });
});

describe('input', () => {
  it('is a file', async () => {
    const source = await openCapture(write('small.pcap', small));
    expect(source.progress.total).toBe(small.length);
    let count = 0;
    await source.run(new Frame(), () => count++);
    expect([count, source.progress.read]).toEqual([1, small.length]);
    expect(source.info).toMatchObject({ name: join(folder, 'small.pcap'), complete: true });
  });

  it('reads the same in pieces of any size', async () => {
    const file = new Blocks().section().interface();
    for (let i = 0; i < 20; i++) file.enhanced(BigInt(i), Buffer.alloc(i, i));
    const whole = await read(file.done());
    for (const piece of [1, 2, 3, 5, 7, 64, 1000]) expect(await read(file.done(), piece)).toEqual(whole);
  });

  it('is read past its buffer', async () => {
    const records = Array.from({ length: 3000 }, (_, i) => pcapRecord(i, 0, Buffer.alloc((i * 31) % 1500, i)));
    const path = write('large.pcap', Buffer.concat([pcapHeader(), ...records]));
    const { info, frames } = await read(path);
    expect(frames.map((frame) => frame.bytes.length)).toEqual(records.map((record) => record.length - 16));
    expect(frames.every((frame, i) => frame.bytes === String.fromCharCode(i & 0xff).repeat(frame.bytes.length))).toBe(
      true,
    );
    expect(info.complete).toBe(true);
  });

  it.skipIf(process.platform === 'win32')('is a named pipe', async () => {
    const path = join(folder, 'pipe');
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    const writer = spawn('sh', ['-c', `cat ${write('piped.pcap', small)} > ${path}`]);
    const { info, frames } = await read(path);
    expect(frames).toHaveLength(1);
    expect(info.complete).toBe(true);
    writer.kill();
  });

  it('is a stream that gives each frame when it comes, before the next one is there', async () => {
    const stdin = new PassThrough();
    stdin.write(pcapHeader());
    const source = await openCapture('-', { stdin });
    const seen: string[] = [];
    let arrived: () => void = () => {};
    const arrival = () => new Promise<void>((resolve) => (arrived = resolve));
    const run = source.run(new Frame(), (frame) => {
      seen.push(Buffer.from(frame.bytes.subarray(frame.start, frame.end)).toString());
      arrived();
    });
    for (const text of ['one', 'two', 'three']) {
      const next = arrival();
      const record = pcapRecord(1, 0, Buffer.from(text));
      stdin.write(record.subarray(0, 10));
      stdin.write(record.subarray(10));
      stdin.write(pcapRecord(1, 0, Buffer.from('x')).subarray(0, 0));
      await next;
      expect(seen.at(-1)).toBe(text);
    }
    stdin.end(pcapRecord(1, 0, Buffer.from('cut')).subarray(0, 17));
    await run;
    expect(source.info.problems).toEqual([{ offset: 24 + 19 + 19 + 21, message: expect.stringContaining('is cut') }]);
  });

  it('can be given up while it waits', async () => {
    const stdin = new PassThrough();
    stdin.write(small);
    const source = await openCapture('-', { stdin });
    const stop = new AbortController();
    let count = 0;
    await source.run(
      new Frame(),
      () => {
        count++;
        setTimeout(() => stop.abort(), 5);
      },
      stop.signal,
    );
    expect(count).toBe(1);
    expect(source.info).toMatchObject({ complete: false, problems: [] });
  });

  it('can be given up before its first byte', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 5);
    await expect(openCapture('-', { stdin: new PassThrough(), signal: stop.signal })).rejects.toThrow('empty');
  });

  it('gives the event loop turns while frames take their time', async () => {
    const records = Array.from({ length: 20_000 }, (_, i) => pcapRecord(i, 0, Buffer.alloc(60)));
    const source = await openCapture(write('slow.pcap', Buffer.concat([pcapHeader(), ...records])));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await source.run(new Frame(), () => {
      const until = performance.now() + 0.01;
      while (performance.now() < until);
    });
    clearInterval(timer);
    // 200 ms of work in reads that shrink until one takes about 8 ms.
    expect(ticks).toBeGreaterThan(8);
  });
});
