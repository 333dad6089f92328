import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Analyzer } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import type { CaptureSource, OnFrame } from '../../src/capture/source.js';
import type { HostContext } from '../../src/network/context/host-context.js';
import { Frame } from '../../src/wire/frame.js';
import { root } from '../support/fixtures.js';

/** Entries of the largest Map or Set since the last call of `takeGrown`, by `<file> <name>`. */
let grown = new Map<string, number>();

export function takeGrown(): Map<string, number> {
  const taken = grown;
  grown = new PlainMap();
  return taken;
}

const PlainMap = Map;
const PlainSet = Set;
const sources = new PlainMap<string, string[]>();

/**
 * From now on every Map and Set that the network model or a rule makes is watched. Once, and only in tests: it
 * changes what the whole process sees.
 */
export function watchGrowth(): void {
  class WatchedMap<K, V> extends PlainMap<K, V> {
    /** Not known yet while the constructor takes what it was given: such ones do not live long. */
    readonly site: string | null = siteHere();
    override set(key: K, value: V): this {
      super.set(key, value);
      if (this.site) note(this.site, this.size);
      return this;
    }
  }
  class WatchedSet<T> extends PlainSet<T> {
    readonly site: string | null = siteHere();
    override add(value: T): this {
      super.add(value);
      if (this.site) note(this.site, this.size);
      return this;
    }
  }
  globalThis.Map = WatchedMap as MapConstructor;
  globalThis.Set = WatchedSet as SetConstructor;
}

function note(site: string, size: number): void {
  if (size > (grown.get(site) ?? 0)) grown.set(site, size);
}

/** Names by where in the compiled code the call came from: to map a stack to the sources takes long. */
const names = new PlainMap<string, string | null>();

/** The line of the network model or a rule that called, by what it names: `network/neighbors/claims.ts table`. */
function siteHere(): string | null {
  const { prepareStackTrace } = Error;
  let compiled = '';
  Error.prepareStackTrace = (_, calls) => {
    compiled = calls.map((call) => `${call.getFileName()}:${call.getLineNumber()}:${call.getColumnNumber()}`).join();
    return '';
  };
  Error.stackTraceLimit = 5;
  // Read to be made.
  void new Error().stack;
  Error.stackTraceLimit = 10;
  Error.prepareStackTrace = prepareStackTrace;
  let name = names.get(compiled);
  if (name === undefined) {
    name = nameOf(new Error().stack ?? '');
    names.set(compiled, name);
  }
  return name;
}

function nameOf(stack: string): string | null {
  for (const line of stack.split('\n')) {
    const place = /\/src\/((?:network|rules)\/[^)]+?):(\d+):\d+\)?$/.exec(line);
    if (place === null) {
      if (line.includes('/src/')) return null;
      continue;
    }
    const [, file, number] = place;
    const text = sourceOf(file)[Number(number) - 1] ?? '';
    const name = /(?:const|let|readonly)\s+(\w+)/.exec(text) ?? /(\w+)\s*[=:?]/.exec(text);
    return `${file} ${name?.[1] ?? number}`;
  }
  return null;
}

function sourceOf(file: string): string[] {
  let lines = sources.get(file);
  if (lines === undefined) {
    lines = readFileSync(join(root, 'src', file), 'utf8').split('\n');
    sources.set(file, lines);
  }
  return lines;
}

/** The frames of a capture, in memory, to be shown again and again: each time at other ports, and later. */
export class Replay {
  readonly length: number;
  /** Seconds from the first to behind the last. */
  readonly #span: number;

  private constructor(
    private readonly source: CaptureSource,
    private readonly buffer: Uint8Array,
    private readonly frames: readonly Readonly<Frame>[],
    private readonly context: HostContext | null,
  ) {
    this.length = frames.length;
    this.#span = frames.length === 0 ? 0 : frames[frames.length - 1].seconds - frames[0].seconds + 2;
  }

  static async of(capture: string | Buffer, context: HostContext | null): Promise<Replay> {
    const source =
      typeof capture === 'string'
        ? await openCapture(capture)
        : await openCapture('-', { stdin: Readable.from([capture]) });
    const parts: Uint8Array[] = [];
    const frames: Frame[] = [];
    let at = 0;
    await source.run(new Frame(), (frame) => {
      const bytes = frame.bytes.slice(frame.start, frame.end);
      parts.push(bytes);
      frames.push(Object.assign(new Frame(), frame, { start: at, end: at + bytes.length }));
      at += bytes.length;
    });
    return new Replay(source, Uint8Array.from(Buffer.concat(parts)), frames, context);
  }

  /** Analyses the capture `times` times in one run with all rules, `before` once before that. @returns findings */
  async run(times: number, before?: Replay): Promise<number> {
    const analyzer = new Analyzer({ context: this.context });
    const ports = Math.max(1, this.source.info.interfaces.length);
    const one = this.source.info.interfaces;
    const interfaces = Array.from({ length: ports * times }, (_, i) => one[i % ports]);
    await analyzer.read({
      info: { ...this.source.info, interfaces },
      progress: { read: 0, total: null },
      run: async (frame, onFrame) => {
        frame.number = 0;
        const pause = 10;
        if (before) before.#show(frame, onFrame, this.frames[0].seconds - pause - before.#span);
        for (let time = 0; time < times; time++)
          this.#show(frame, onFrame, this.frames[0].seconds + time * this.#span, time * ports);
      },
    });
    return analyzer.analysis().findings.length;
  }

  /** Shows all frames, the first in second `from`, at ports from `port` on. */
  #show(frame: Frame, onFrame: OnFrame, from: number, port = 0): void {
    frame.useBuffer(this.buffer);
    for (const each of this.frames) {
      frame.start = each.start;
      frame.end = each.end;
      frame.wireLength = each.wireLength;
      frame.linkType = each.linkType;
      frame.direction = each.direction;
      frame.deviceIndex = each.deviceIndex;
      frame.number++;
      frame.interface = each.interface + port;
      frame.setTime(from + each.seconds - this.frames[0].seconds, each.nanoseconds);
      onFrame(frame);
    }
  }
}
