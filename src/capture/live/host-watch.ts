import { statSync } from 'node:fs';
import { type HostFacts, MAX_NAMESPACES, netnsNames, withNewer } from './host.js';
import type { HostAsker } from './host-asker.js';
import { LinkMonitor } from './link-monitor.js';
import { NETNS_FOLDER } from './namespace.js';

/** Milliseconds between two looks whether something changed. */
const LOOK_MS = 250;
/** Changes come in groups: the machine is asked when there was none for so long, or so long after the first. */
const QUIET_MS = 400;
const PATIENCE_MS = 1500;
/** Asking takes a dozen processes for each namespace: it is rested as many times as long as it took, up to a bound. */
const REST = 3;
const LONGEST_REST_MS = 5000;

/** Asks the machine again when its links, addresses or routes change, or a namespace comes or goes. */
export class HostWatch {
  readonly #monitor = new LinkMonitor();
  readonly #timer: NodeJS.Timeout;
  /** Namespaces that are listened in: their inodes by their names. */
  #namespaces = new Map<string, number>();
  /** Where something changed that was not asked about yet. */
  readonly #changed = new Set<string | null>();
  #known: HostFacts | null = null;
  #first = 0;
  #latest = 0;
  #restUntil = 0;
  #isAsking = false;
  #isClosed = false;

  #onFacts: ((facts: HostFacts) => void) | null = null;
  readonly #heard = new Set<string | null>();

  /** Listens from now on. */
  constructor(private readonly asker: HostAsker) {
    this.#monitor.listen(null);
    this.#lookForNamespaces();
    // They are asked about anyhow.
    this.#changed.clear();
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_MS);
    this.#timer.unref();
  }

  /** From now on `onFacts` is told what the machine says after something changed, beginning with what is known. */
  follow(known: HostFacts, onFacts: (facts: HostFacts) => void): void {
    this.#known = known;
    this.#onFacts = onFacts;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#monitor.close();
    this.asker.close();
  }

  #look(now: number): void {
    const before = this.#changed.size;
    this.#lookForNamespaces();
    this.#monitor.changed(this.#heard);
    if (this.#heard.size > 0 || this.#changed.size > before) {
      for (const each of this.#heard) this.#changed.add(each);
      this.#heard.clear();
      this.#latest = now;
      if (this.#first === 0) this.#first = now;
    }
    if (this.#first === 0 || this.#known === null || this.#isAsking || now < this.#restUntil) return;
    if (now - this.#latest < QUIET_MS && now - this.#first < PATIENCE_MS) return;
    void this.#ask(this.#known);
  }

  async #ask(known: HostFacts): Promise<void> {
    const begin = performance.now();
    const only = [...this.#changed];
    this.#changed.clear();
    this.#first = 0;
    this.#isAsking = true;
    const facts = await this.asker.ask(only);
    const end = performance.now();
    this.#isAsking = false;
    this.#restUntil = end + Math.min(REST * (end - begin), LONGEST_REST_MS);
    if (facts === null || this.#isClosed) return;
    this.#known = withNewer(known, facts);
    this.#onFacts?.(this.#known);
  }

  /** Listens in the namespaces that are there; those that have come or gone since the last look have changed. */
  #lookForNamespaces(): void {
    const known = this.#namespaces;
    const now = new Map(
      netnsNames()
        .slice(0, MAX_NAMESPACES)
        .map((name) => [name, inodeOf(name)]),
    );
    for (const [name, inode] of known) {
      if (now.get(name) === inode) continue;
      this.#changed.add(name);
      // Whoever listens in a deleted namespace keeps it alive.
      this.#monitor.leave(name);
    }
    for (const [name, inode] of now) {
      if (known.get(name) === inode) continue;
      this.#changed.add(name);
      this.#monitor.listen(name);
    }
    this.#namespaces = now;
  }
}

function inodeOf(name: string): number {
  return statSync(`${NETNS_FOLDER}/${name}`, { throwIfNoEntry: false })?.ino ?? 0;
}
