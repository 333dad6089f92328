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

/** Asks the machine again when its links, addresses or routes change, or a namespace comes or goes. */
export class HostWatch {
  readonly #monitor = new LinkMonitor();
  readonly #timer: NodeJS.Timeout;
  /** Namespaces that are listened in: their inodes by their names. */
  #namespaces = new Map<string, number>();
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
    this.#hasOtherNamespaces(performance.now());
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
    const isOther = now >= this.#namespacesDue && this.#hasOtherNamespaces(now);
    if (this.#monitor.changed() || isOther) {
      this.#latest = now;
      if (this.#first === 0) this.#first = now;
    }
    if (this.#first === 0 || this.onFacts === null || this.#isAsking || now < this.#restUntil) return;
    if (now - this.#latest < QUIET_MS && now - this.#first < PATIENCE_MS) return;
    void this.#ask();
  }

  /** All namespaces: which devices belong together shows only in what was asked at about the same time. */
  async #ask(): Promise<void> {
    const begin = performance.now();
    this.#first = 0;
    this.#isAsking = true;
    const facts = await this.asker.ask();
    const end = performance.now();
    this.#isAsking = false;
    this.#restUntil = end + Math.min(REST * (end - begin), LONGEST_REST_MS);
    if (facts !== null && !this.#isClosed) this.onFacts?.(facts);
  }

  /** Whether namespaces have come or gone since the last look; listens in those that are there. */
  #hasOtherNamespaces(time: number): boolean {
    this.#namespacesDue = time + NAMESPACES_MS;
    const known = this.#namespaces;
    let isOther = false;
    const { others } = machineNamespaces(this.captured);
    const now = new Map(others.map(({ name, inode }) => [name, inode]));
    for (const [name, inode] of known) {
      if (now.get(name) === inode) continue;
      isOther = true;
      // Whoever listens in a deleted namespace keeps it alive.
      this.#monitor.leave(name);
    }
    for (const [name, inode] of now) {
      if (known.get(name) === inode) continue;
      isOther = true;
      this.#monitor.listen(name);
    }
    this.#namespaces = now;
    return isOther;
  }
}
