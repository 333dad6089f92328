import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { KeyTable } from '../../../network/rows/key-table.js';
import { ArpOperation } from '../../../wire/arp.js';
import type { Frame } from '../../../wire/frame.js';

const MAX_ANSWERS = 4096;
/** TTLs that systems begin with: Linux and macOS, Windows, routers and Solaris. */
const FIRST_TTLS = [64, 128, 255];
/** Routers between two hosts of one site, at most. Smaller TTLs are given on purpose: traceroute, multicast, BGP. */
const MAX_HOPS = 16;

/** Bits of the filter in front of `Answers.asked`, eight for each answer at most. */
const FILTER_BITS = 15;

/** Row of `bindings`, and of the first answer where its ARP header lies in the frame, in bytes. */
const BINDING = 4;
const OFFSET = 5;
const LENGTH = 6;
const COUNT = 7;
/** 1 once the station asked for the address itself soon after answering for it. */
const ASKS = 8;
const STRIDE = 18;
/** As doubles, behind these: number and time of the first answer, time of the latest, longest delay. */
const DOUBLES = STRIDE / 2;
const FRAME = 5;
const FIRST = 6;
const LAST = 7;
const DELAY = 8;

/** An address that is not its own for which a station answered by ARP. Times are `Frame.time`. */
export interface Answer {
  readonly segment: number;
  readonly capture: number;
  readonly hi: number;
  readonly lo: number;
  /** Rows of `addresses` and `bindings`. */
  readonly address: number;
  readonly row: number;
  /** The first answer. */
  readonly frame: number;
  readonly offset: number;
  readonly length: number;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** Longest time between a request and its answer, as far as a proxy waits, ns. */
  readonly delay: number;
  /** The station asked for the address itself soon after answering for it. */
  readonly asks: boolean;
}

/**
 * Who answers for which addresses by ARP, how late, and whether it then asks for them itself; the first `MAX_ANSWERS`
 * pairs. A row is (segment, MAC, address); only those that matter in the end become objects.
 */
export class Answers {
  private readonly table = new KeyTable(STRIDE, MAX_ANSWERS);
  /** A bit by hash of each station that answered and the address it answered for: most questions are none of theirs. */
  private readonly filter = new Int32Array(1 << (FILTER_BITS - 5));

  constructor(
    private readonly network: Network,
    /** Seconds in which who forwards for another asks for it after it answered, and longest that a proxy waits. */
    private readonly within: { readonly forwards: number; readonly longestDelay: number },
  ) {}

  /** Takes an ARP header in. */
  read(frame: Frame, layer: number): void {
    const operation = this.network.latestArp.operationOf(frame);
    if (operation === ArpOperation.Request) this.asked(frame);
    else if (operation === ArpOperation.Reply) this.answered(frame, layer);
  }

  /** Answers in a capture for addresses that are not the station's own, by the station that gave them. */
  byStation(capture: number): Answer[][] {
    const stations = new Map<string, Answer[]>();
    for (let row = 0; row < this.table.rowCount; row++) {
      const answer = this.answerFor(row, capture);
      if (answer === null) continue;
      const key = `${answer.segment} ${answer.hi} ${answer.lo}`;
      const group = stations.get(key);
      if (group) group.push(answer);
      else stations.set(key, [answer]);
    }
    return [...stations.values()];
  }

  private answerFor(row: number, capture: number): Answer | null {
    const { network } = this;
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    const [segment, hi, lo, address] = [cells[at], cells[at + 1], cells[at + 2], cells[at + 3]];
    const binding = cells[at + BINDING];
    if (network.segments.captureOf(segment) !== capture) return null;
    // A row that was given to another binding since tells nothing of this one.
    if (network.bindings.find(segment, hi, lo, address) !== binding || isOwn(network, binding)) return null;
    return {
      segment,
      capture,
      hi,
      lo,
      address,
      row: binding,
      frame: doubles[double + FRAME],
      offset: cells[at + OFFSET],
      length: cells[at + LENGTH],
      first: doubles[double + FIRST],
      last: doubles[double + LAST],
      count: cells[at + COUNT],
      delay: doubles[double + DELAY],
      asks: cells[at + ASKS] !== 0,
    };
  }

  private asked(frame: Frame): void {
    const { segment, hi, lo, tpa } = this.network.latestArp;
    const bit = bitOf(lo, tpa);
    if ((this.filter[bit >>> 5] & (1 << (bit & 31))) === 0) return;
    const row = this.table.find(segment, hi, lo, tpa);
    if (row < 0) return;
    const { cells, doubles } = this.table;
    if (frame.time - doubles[row * DOUBLES + LAST] <= this.within.forwards * 1e9) cells[row * STRIDE + ASKS] = 1;
  }

  private answered(frame: Frame, layer: number): void {
    const { bindings, resolutions, latestArp } = this.network;
    const { segment, hi, lo, toHi, toLo, spa, tpa } = latestArp;
    // ipvlan siblings have one MAC: no proxy answers itself.
    if (toHi === hi && toLo === lo) return;
    const binding = latestArp.binding >= 0 ? latestArp.binding : bindings.find(segment, hi, lo, spa);
    // The network makes no claim of an answer whose frame has another source.
    if (binding < 0 || (bindings.claims(binding) & Claim.Reply) === 0) return;
    const { time } = frame;
    const known = this.table.find(segment, hi, lo, spa);
    const row = known >= 0 ? known : this.add(segment, hi, lo, spa, binding, frame, layer);
    if (row < 0) return;
    const { cells, doubles } = this.table;
    const double = row * DOUBLES;
    doubles[double + LAST] = time;
    cells[row * STRIDE + COUNT]++;
    const own = latestArp.resolution;
    const question = own >= 0 ? own : resolutions.find(segment, toHi, toLo, tpa, spa);
    const delay = question < 0 ? 0 : time - resolutions.last(question);
    if (delay <= this.within.longestDelay * 1e9 && delay > doubles[double + DELAY]) doubles[double + DELAY] = delay;
  }

  /** The first answer of a station for an address; -1 if there are too many. */
  private add(
    segment: number,
    hi: number,
    lo: number,
    address: number,
    binding: number,
    { number, time, start, offsets, ends }: Frame,
    layer: number,
  ): number {
    if (this.table.rowCount === MAX_ANSWERS) return -1;
    const row = this.table.add(segment, hi, lo, address);
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    cells[at + BINDING] = binding;
    cells[at + OFFSET] = offsets[layer] - start;
    cells[at + LENGTH] = ends[layer] - offsets[layer];
    doubles[double + FRAME] = number;
    doubles[double + FIRST] = time;
    const bit = bitOf(lo, address);
    this.filter[bit >>> 5] |= 1 << (bit & 31);
    return row;
  }
}

function bitOf(lo: number, address: number): number {
  return Math.imul(lo ^ (address << 16), 0x9e3779b1) >>> (32 - FILTER_BITS);
}

/** Whether packets from the address come through the station with a TTL that routers have lowered. */
export function isForwarded({ bindings }: Network, row: number): boolean {
  const ttl = bindings.ttl(row);
  return FIRST_TTLS.some((first) => ttl < first && ttl >= first - MAX_HOPS);
}

/** Whether the station uses the address as its own: it asks from it, announces it, or sends from it with a whole TTL. */
export function isOwn(network: Network, row: number): boolean {
  const claims = network.bindings.claims(row);
  if ((claims & (Claim.Request | Claim.Announcement)) !== 0) return true;
  return (claims & Claim.Source) !== 0 && !isForwarded(network, row);
}
