import type { HostFacts } from './host.js';
import type { HostAsker } from './host-asker.js';
import { LinkMonitor } from './link-monitor.js';
import { machineNamespaces } from './namespaces.js';

/** Milliseconds between two looks whether something changed. */
const LOOK_MS = 250;
/** And between two looks whether namespaces have come or gone: all processes are looked at. */
const NAMESPACES_MS = 2000;
/** Changes come in groups: the machine is asked when there was none for so long, or so long after the first. */
const QUIET_MS = 400;
const PATIENCE_MS = 1500;
/** Asking takes a dozen processes for each namespace: it is rested as many times as long as it took, up to a bound. */
const REST = 3;
const LONGEST_REST_MS = 10_000;
/** After so long all of it is asked again, for not every change is told. */
const ALL_MS = 60_000;

/** Asks the machine again when its links, addresses or routes change, or a namespace comes or goes. */
export class HostWatch {
  readonly #monitor = new LinkMonitor();
  readonly #timer: NodeJS.Timeout;
  /** Namespaces that are listened in: their inodes by their names. */
  #namespaces = new Map<string, number>();
  /** Where something changed that was not asked about yet. */
  #changed = new Set<string | null>();
  #allDue = 0;
  /** When the first and the latest of the changes was noticed that were not asked about yet; 0 for none. */
  #first = 0;
  #latest = 0;
  #restUntil = 0;
  #namespacesDue = 0;
  #isAsking = false;
  #isClosed = false;

  /** Told what the machine says after something changed; until it is set, changes are kept in mind. */
  onFacts: ((facts: HostFacts) => void) | null = null;

  /** Listens from now on. */
  constructor(
    private readonly asker: HostAsker,
    /** The namespace that is captured in, null for the own one. */
    private readonly captured: string | null,
  ) {
    this.#monitor.listen(null);
    this.#lookForNamespaces(performance.now());
    // What is there already is asked by whoever made this.
    this.#changed.clear();
    this.#first = 0;
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#monitor.close();
    this.asker.close();
  }

  #look(now: number): void {
    if (now >= this.#namespacesDue) this.#lookForNamespaces(now);
    for (const netns of this.#monitor.changed()) this.#notice(netns, now);
    if (this.#first === 0 || this.onFacts === null || this.#isAsking || now < this.#restUntil) return;
    if (now - this.#latest < QUIET_MS && now - this.#first < PATIENCE_MS) return;
    void this.#ask();
  }

  #notice(netns: string | null, now: number): void {
    this.#changed.add(netns);
    this.#latest = now;
    if (this.#first === 0) this.#first = now;
  }

  /** Both ends of what is new are asked at one time: which devices belong together shows in that alone. */
  async #ask(): Promise<void> {
    const begin = performance.now();
    const changed = begin >= this.#allDue ? null : this.#changed;
    if (changed === null) this.#allDue = begin + ALL_MS;
    this.#changed = new Set();
    this.#first = 0;
    this.#isAsking = true;
    const facts = await this.asker.ask(changed);
    const end = performance.now();
    this.#isAsking = false;
    this.#restUntil = end + Math.min(REST * (end - begin), LONGEST_REST_MS);
    if (facts !== null && !this.#isClosed) this.onFacts?.(facts);
  }

  /** Looks which namespaces have come or gone; listens in those that are there. */
  #lookForNamespaces(now: number): void {
    this.#namespacesDue = now + NAMESPACES_MS;
    const known = this.#namespaces;
    const { others } = machineNamespaces(this.captured);
    const there = new Map(others.map(({ name, inode }) => [name, inode]));
    for (const [name, inode] of known) {
      if (there.get(name) === inode) continue;
      this.#notice(name, now);
      // Whoever listens in a deleted namespace keeps it alive.
      this.#monitor.leave(name);
    }
    for (const [name, inode] of there) {
      if (known.get(name) === inode) continue;
      this.#notice(name, now);
      this.#monitor.listen(name);
    }
    this.#namespaces = there;
  }
}
