import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { CaptureInfo } from '../../wire/capture-info.js';
import type { Frame } from '../../wire/frame.js';
import type { CaptureSource, OnFrame, Progress } from '../source.js';
import { LINKTYPE_ETHERNET, RETIRE_MS, type Ring } from './ring.js';

/** Milliseconds that draining the rings may take before the event loop gets its turn. */
const BUDGET_MS = 8;
/** Packets between two looks at the clock. */
const BATCH = 256;
/**
 * Milliseconds of rest when the rings are empty. A poll handle would wake sooner, but libuv stops it for good when
 * the device goes down; 100 empty looks a second cost nothing that shows.
 */
const REST_MS = 10;
/** Milliseconds between two looks at the devices and the kernel's counters. */
const CHECK_MS = 250;
/** The rings hand packets over with this delay at most: what the clock says is known for the time before it. */
const LATENESS_MS = 100;
/** Notes that a report holds at most. */
const MOST_NOTES = 200;

export interface LiveOptions {
  /** Ends the capture after so many packets. */
  count?: number | null;
  /** Names devices by index, for a ring of all devices. */
  nameOf?: (index: number) => string | null;
  /** Tells what happens to the devices. */
  onNote?: (note: string) => void;
}

/** What AF_PACKET rings deliver until the signal aborts, the count is reached or the devices are gone. */
export class LiveSource implements CaptureSource {
  readonly info: CaptureInfo;
  readonly progress: Progress = { read: 0, total: null };
  hold: Promise<unknown> | null = null;
  tick: ((seconds: number, nanoseconds: number) => void) | null = null;
  readonly #rings: Ring[];
  readonly #options: LiveOptions;
  /** Number of the interface of each ring, and of each device of a ring of all devices. */
  readonly #numbers = new Map<number, number>();
  /** Devices that are down, with the packets that their rings had seen until then. */
  readonly #down = new Map<Ring, number>();
  #frames = 0;
  /** Drops of rings that are closed. */
  #droppedBefore = 0;

  constructor(rings: readonly Ring[], options: LiveOptions = {}) {
    this.#rings = [...rings];
    this.#options = options;
    this.info = {
      name: rings.map((ring) => nameOf(ring)).join(', '),
      format: 'live',
      compression: null,
      interfaces: [],
      complete: true,
      problems: [],
      dropped: 0,
      comments: 0,
      untimed: 0,
      notes: [],
    };
    for (const ring of rings)
      if (ring.index !== 0) this.#numbers.set(ring.index, this.#addInterface(ring.options.device, ring));
  }

  async run(frame: Frame, onFrame: OnFrame, signal?: AbortSignal): Promise<void> {
    frame.number = 0;
    frame.deviceIndex = 0;
    frame.position = -1;
    let checked = performance.now();
    try {
      while (!signal?.aborted && this.#rings.length > 0 && !this.#isFull()) {
        const worked = this.#drain(frame, onFrame);
        const now = performance.now();
        if (now - checked > CHECK_MS) {
          checked = now;
          this.#check();
        }
        if (worked) await turn();
        else {
          this.#tellTime();
          await sleep(REST_MS);
        }
        if (this.hold !== null) {
          await this.hold;
          this.hold = null;
        }
      }
      await this.#takeRest(frame, onFrame);
    } finally {
      this.#readDrops();
      for (const ring of this.#rings) ring.close();
    }
  }

  /** What was captured before the end was asked for belongs to it; under a flood there would be no end to what comes after. */
  async #takeRest(frame: Frame, onFrame: OnFrame): Promise<void> {
    const until = Date.now() * 1e6;
    if (this.#rings.length > 0 && !this.#isFull()) await sleep(2 * RETIRE_MS);
    while (!this.#isFull() && this.#drain(frame, onFrame, until)) await turn();
  }

  #isFull(): boolean {
    return this.#options.count != null && this.#frames >= this.#options.count;
  }

  /** Takes packets until there are none, or none from before `until`, or time is up. Returns whether there were any. */
  #drain(frame: Frame, onFrame: OnFrame, until = Number.POSITIVE_INFINITY): boolean {
    const begin = performance.now();
    let worked = false;
    for (;;) {
      for (let i = 0; i < BATCH; i++) {
        const ring = this.#earliest();
        if (ring === null || ring.time > until || this.#isFull()) return worked;
        worked = true;
        if (!ring.isLoopbackOut) {
          ring.fill(frame);
          frame.number = ++this.#frames;
          frame.interface = this.#numberOf(ring);
          frame.linkType = ring.linkType;
          this.progress.read += frame.end - frame.start;
          onFrame(frame);
        }
        ring.next();
      }
      if (performance.now() - begin > BUDGET_MS) return true;
    }
  }

  /** The ring whose next packet is the oldest. */
  #earliest(): Ring | null {
    const rings = this.#rings;
    if (rings.length === 1) return rings[0].ready() ? rings[0] : null;
    let earliest: Ring | null = null;
    for (const ring of rings) if (ring.ready() && (earliest === null || ring.time < earliest.time)) earliest = ring;
    return earliest;
  }

  #numberOf(ring: Ring): number {
    const { device } = ring;
    let number = this.#numbers.get(device);
    if (number === undefined) {
      number = this.#addInterface(this.#options.nameOf?.(device) ?? `ifindex ${device}`, ring);
      this.#numbers.set(device, number);
    }
    // A device tells what it is with its packets.
    this.info.interfaces[number].linkType = ring.linkType;
    return number;
  }

  #addInterface(name: string | null, ring: Ring): number {
    return (
      this.info.interfaces.push({
        name,
        description: ring.options.netns && `in network namespace ${ring.options.netns}`,
        linkType: LINKTYPE_ETHERNET,
        snapLength: ring.options.snapLength,
        dropped: 0,
      }) - 1
    );
  }

  /** Counts drops, notes devices that go down or come up, and lets go of those that were deleted. */
  #check(): void {
    this.#readDrops();
    for (const ring of [...this.#rings]) {
      // What a deleted device left in its ring is taken first.
      if (!ring.exists()) {
        if (ring.ready()) continue;
        this.#note(`${nameOf(ring)} was deleted: its capture ends here`);
        this.#rings.splice(this.#rings.indexOf(ring), 1);
        this.#droppedBefore += ring.dropped;
        ring.close();
      } else if (ring.wentDown()) {
        this.#down.set(ring, ring.seen);
        this.#note(`${nameOf(ring)} is down; the capture goes on when it is up`);
      } else if (ring.seen > (this.#down.get(ring) ?? Number.POSITIVE_INFINITY)) {
        this.#down.delete(ring);
        this.#note(`${nameOf(ring)} is up again`);
      }
    }
  }

  #readDrops(): void {
    let dropped = this.#droppedBefore;
    for (const ring of this.#rings) {
      ring.readStatistics();
      dropped += ring.dropped;
      const number = this.#numbers.get(ring.index);
      if (number !== undefined) this.info.interfaces[number].dropped = ring.dropped;
    }
    this.info.dropped = dropped;
  }

  #note(message: string): void {
    takeNote(this.info, message);
    this.#options.onNote?.(message);
  }

  #tellTime(): void {
    if (this.tick === null) return;
    const now = Date.now() - LATENESS_MS;
    this.tick(Math.floor(now / 1000), (now % 1000) * 1e6);
  }
}

/** Puts something that happened into the report; whatever flaps for hours must not fill the memory. */
export function takeNote(info: CaptureInfo, message: string): void {
  const { notes = [] } = info;
  if (notes.length < MOST_NOTES) notes.push({ time: Date.now(), message });
  info.notes = notes;
}

/** `ens34`, `ens34 in ns01`, `any`. */
function nameOf({ options: { device, netns } }: Ring): string {
  return `${device ?? 'any'}${netns === null ? '' : ` in ${netns}`}`;
}
