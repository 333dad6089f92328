import { Claim } from '../../network/bindings.js';
import type { Network } from '../../network/network.js';
import { ArpOperation, arpOperation, isEthernetIpv4, SHA, SPA, THA, TPA } from '../../wire/arp.js';
import type { Frame } from '../../wire/frame.js';
import { segmentAt } from '../segment.js';

const MAX_ANSWERS = 4096;
/** Who forwards for another asks for it at once, as soon as the first packet comes; later it may have moved. */
const FORWARDS_NS = 1e9;
/** Linux’s proxy waits up to 0.8 s (proxy_delay); what comes later than that and a little is late for another reason. */
const MAX_DELAY_NS = 0.9e9;
/** TTLs that systems begin with: Linux and macOS, Windows, routers and Solaris. */
const FIRST_TTLS = [64, 128, 255];
/** Routers between two hosts of one site, at most. Smaller TTLs are given on purpose: traceroute, multicast, BGP. */
const MAX_HOPS = 16;

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
  /** The station asked for the address itself within a second of answering for it. */
  asks: boolean;
}

/** Who answers for which addresses by ARP, how late, and whether it then asks for them itself; `MAX_ANSWERS` pairs. */
export class Answers {
  private readonly byBinding = new Map<number, Answer>();

  constructor(private readonly network: Network) {}

  /** Takes an ARP header in. */
  read(frame: Frame, layer: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    if (!isEthernetIpv4(view, at)) return;
    const operation = arpOperation(view, at);
    const spa = view.getInt32(at + SPA);
    const tpa = view.getInt32(at + TPA);
    if (spa === 0 || spa === tpa) return;
    if (operation === ArpOperation.Request) this.asked(frame, layer, tpa);
    else if (operation === ArpOperation.Reply) this.answered(frame, layer, spa, tpa);
  }

  /** Answers in a capture by the station that gave them. */
  byStation(capture: number): Answer[][] {
    const { bindings } = this.network;
    const stations = new Map<string, Answer[]>();
    for (const answer of this.byBinding.values()) {
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

  private asked(frame: Frame, layer: number, tpa: number): void {
    if (this.byBinding.size === 0) return;
    const answer = this.byBinding.get(this.binding(frame, layer, tpa));
    if (answer && frame.time - answer.last <= FORWARDS_NS) answer.asks = true;
  }

  private answered(frame: Frame, layer: number, spa: number, tpa: number): void {
    const { bindings, addresses, resolutions } = this.network;
    const { view, time, capture, number } = frame;
    const at = frame.offsets[layer];
    const toHi = view.getUint16(at + THA);
    const toLo = view.getInt32(at + THA + 2);
    // ipvlan siblings have one MAC: no proxy answers itself.
    if (toHi === view.getUint16(at + SHA) && toLo === view.getInt32(at + SHA + 2)) return;
    const row = this.binding(frame, layer, spa);
    // The network makes no claim of an answer whose frame has another source.
    if (row < 0 || (bindings.claims(row) & Claim.Reply) === 0) return;
    let answer = this.byBinding.get(row);
    if (answer) {
      answer.last = time;
      answer.count++;
    } else {
      if (this.byBinding.size === MAX_ANSWERS) return;
      const [segment, hi, lo, address] = [
        bindings.segment(row),
        bindings.hi(row),
        bindings.lo(row),
        bindings.address(row),
      ];
      const place = { frame: number, offset: at - frame.start, length: frame.ends[layer] - at };
      const times = { first: time, last: time, count: 1, delay: 0, asks: false };
      answer = { segment, capture, hi, lo, address, row, ...place, ...times };
      this.byBinding.set(row, answer);
    }
    const question = resolutions.find(answer.segment, toHi, toLo, addresses.ipv4(tpa), answer.address);
    const delay = question < 0 ? 0 : time - resolutions.last(question);
    if (delay <= MAX_DELAY_NS) answer.delay = Math.max(answer.delay, delay);
  }

  /** Row of `bindings` of the sender and an address. */
  private binding(frame: Frame, layer: number, address: number): number {
    const { bindings, addresses } = this.network;
    const at = frame.offsets[layer] + SHA;
    const segment = segmentAt(this.network, frame, layer);
    return bindings.find(segment, frame.view.getUint16(at), frame.view.getInt32(at + 2), addresses.ipv4(address));
  }
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
