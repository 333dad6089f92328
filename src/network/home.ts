import { macKey } from './context/address.js';
import type { Device } from './context/device.js';
import type { HostContext } from './context/host-context.js';
import { ownMacs } from './context/own-macs.js';
import type { Segments } from './link/segments.js';
import type { Stations } from './link/stations.js';

/** Stations of the host that are looked at in one capture. */
const MAX_ROWS = 256;

/** Names of interfaces, as a file that is being read tells them so far. */
type Interfaces = readonly { readonly name: string | null }[];

/** What one machine says of itself, and at which of its devices and in which namespace was captured. */
export interface Told {
  readonly context: HostContext | null;
  readonly vantage: Device | null;
  readonly namespace: string | null;
}

const NOTHING: Told = { context: null, vantage: null, namespace: null };

/**
 * What a host says of itself, and which of several captures it is asked about. Two hosts may have the same addresses, as all have whose
 * containers are in 172.17.0.0/16: a capture that does not show the host is not judged by what the host says. One that brings its own word, as
 * `netdiag live -w` writes, is judged by that alone.
 */
export class Home {
  /** For the captures that bring nothing of their own. */
  #usual = NOTHING;
  /** For the one that is being read. */
  #told = NOTHING;
  #macs: ReadonlySet<number> | null = null;
  /** Rows of stations of this capture that have a MAC of the host. */
  #rows: number[] = [];
  #isHere = true;
  #capture = -1;
  /** By number, what the captures before were judged by. */
  readonly #before: (HostContext | null)[] = [];
  #interfaces: Interfaces | null = null;

  constructor(
    private readonly stations: Stations,
    private readonly segments: Segments,
  ) {}

  /** Null while a capture is read that has not shown the host so far. */
  get context(): HostContext | null {
    return this.#isHere || this.#shows() ? this.#told.context : null;
  }

  set context(context: HostContext | null) {
    this.#set({ ...this.#usual, context });
  }

  /** As `context`, and null where the capture names other interfaces. */
  get vantage(): Device | null {
    const { vantage } = this.#told;
    const isThere = this.#interfaces?.every(({ name }) => name === null || name === vantage?.name) ?? true;
    return isThere && this.context !== null ? vantage : null;
  }

  set vantage(vantage: Device | null) {
    this.#set({ ...this.#usual, vantage });
  }

  /** Namespace of the devices that a capture names by number. */
  get namespace(): string | null {
    return this.#told.namespace;
  }

  set namespace(namespace: string | null) {
    this.#set({ ...this.#usual, namespace });
  }

  #set(usual: Told): void {
    this.#usual = this.#told = usual;
    this.#macs = null;
  }

  /** What the host says, if it speaks of this capture. */
  contextOf(capture: number): HostContext | null {
    if (capture === this.#capture) return this.context;
    return this.#before[capture] ?? null;
  }

  /**
   * A capture begins.
   * @param isOther whether it may have been taken elsewhere than where the context is from
   * @param own what it says itself of where it was taken
   */
  begin(capture: number, isOther: boolean, interfaces: Interfaces, own: Told | null = null): void {
    if (this.#capture >= 0) this.#before[this.#capture] = this.context;
    this.#capture = capture;
    this.#isHere = own !== null || !isOther;
    this.#interfaces = own === null && isOther ? interfaces : null;
    this.#rows = [];
    this.#told = own ?? this.#usual;
    this.#macs = null;
  }

  /** A station that was not seen before. */
  meet(row: number, hi: number, lo: number): void {
    if (this.#isHere || this.#told.context === null || this.#rows.length === MAX_ROWS) return;
    this.#macs ??= ownMacs(this.#told.context);
    if (this.#macs.has(macKey(hi, lo))) this.#rows.push(row);
  }

  /** Where the file keeps directions the host must have sent there: else it is one that the capturing host hears of. */
  #shows(): boolean {
    const { stations, segments } = this;
    this.#isHere = this.#rows.some((row) => {
      const segment = stations.segment(row);
      const isDirected = segments.sawInbound(segment) || segments.sawOutbound(segment);
      return !isDirected || stations.sentOut(row);
    });
    return this.#isHere;
  }
}
