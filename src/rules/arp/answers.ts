import { Claim } from '../../network/bindings.js';
import type { Network } from '../../network/network.js';
import { ArpOperation } from '../../wire/arp.js';
import type { Frame } from '../../wire/frame.js';
import { ByRow } from '../by-row.js';

const MAX_ANSWERS = 4096;
/** TTLs that systems begin with: Linux and macOS, Windows, routers and Solaris. */
const FIRST_TTLS = [64, 128, 255];
/** Routers between two hosts of one site, at most. Smaller TTLs are given on purpose: traceroute, multicast, BGP. */
const MAX_HOPS = 16;

/** Bits of the filter in front of `Answers.asked`, eight for each answer at most. */
const FILTER_BITS = 15;

/** An address that a station answered for by ARP. Times are `Frame.time`. */
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
  last: number;
  count: number;
  /** Longest time between a request and its answer, as far as a proxy waits, ns. */
  delay: number;
  /** The station asked for the address itself soon after answering for it. */
  asks: boolean;
}

/** Who answers for which addresses by ARP, how late, and whether it then asks for them itself; `MAX_ANSWERS` pairs. */
export class Answers {
  private readonly byBinding = new ByRow<Answer>();
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

  /** Answers in a capture by the station that gave them. */
  byStation(capture: number): Answer[][] {
    const { bindings } = this.network;
    const stations = new Map<string, Answer[]>();
    for (const answer of this.byBinding.values) {
      const { segment, hi, lo, address, row } = answer;
      // A row that was given to another binding since tells nothing of this one.
      if (answer.capture !== capture || bindings.find(segment, hi, lo, address) !== row) continue;
      const key = `${segment} ${hi} ${lo}`;
      const group = stations.get(key);
      if (group) group.push(answer);
      else stations.set(key, [answer]);
    }
    return [...stations.values()];
  }

  private asked(frame: Frame): void {
    const { segment, hi, lo, tpa } = this.network.latestArp;
    const bit = bitOf(lo, tpa);
    if ((this.filter[bit >>> 5] & (1 << (bit & 31))) === 0) return;
    const answer = this.byBinding.get(this.network.bindings.find(segment, hi, lo, tpa));
    if (answer && frame.time - answer.last <= this.within.forwards * 1e9) answer.asks = true;
  }

  private answered(frame: Frame, layer: number): void {
    const { bindings, resolutions, latestArp } = this.network;
    const { segment, hi, lo, toHi, toLo, spa, tpa } = latestArp;
    // ipvlan siblings have one MAC: no proxy answers itself.
    if (toHi === hi && toLo === lo) return;
    const row = latestArp.binding >= 0 ? latestArp.binding : bindings.find(segment, hi, lo, spa);
    // The network makes no claim of an answer whose frame has another source.
    if (row < 0 || (bindings.claims(row) & Claim.Reply) === 0) return;
    const { time } = frame;
    const answer = this.byBinding.get(row) ?? this.add(row, frame, layer);
    if (!answer) return;
    answer.last = time;
    answer.count++;
    const own = latestArp.resolution;
    const question = own >= 0 ? own : resolutions.find(answer.segment, toHi, toLo, tpa, answer.address);
    const delay = question < 0 ? 0 : time - resolutions.last(question);
    if (delay <= this.within.longestDelay * 1e9 && delay > answer.delay) answer.delay = delay;
  }

  /** The first answer of a station for an address; null if there are too many. */
  private add(row: number, { capture, number, time, start, offsets, ends }: Frame, layer: number): Answer | null {
    if (this.byBinding.values.length === MAX_ANSWERS) return null;
    const { bindings } = this.network;
    const [segment, hi, lo, address] = [
      bindings.segment(row),
      bindings.hi(row),
      bindings.lo(row),
      bindings.address(row),
    ];
    const place = { frame: number, offset: offsets[layer] - start, length: ends[layer] - offsets[layer] };
    const times = { first: time, last: time, count: 0, delay: 0, asks: false };
    const answer = { segment, capture, hi, lo, address, row, ...place, ...times };
    this.byBinding.add(row, answer);
    const bit = bitOf(lo, address);
    this.filter[bit >>> 5] |= 1 << (bit & 31);
    return answer;
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
