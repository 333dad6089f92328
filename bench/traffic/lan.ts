import { type FlowOptions, Flows } from './flows.js';
import type { Packet } from './packet.js';
import type { Random } from './random.js';
import { Resolutions } from './resolutions.js';

/** Something that will be asked and answered: a step of a flow, or the resolution of an address. */
export interface Question {
  readonly kind: 'flow' | 'arp' | 'neighbor';
  readonly segment: number;
  readonly number: number;
  /** Host that asks, */
  readonly client: number;
  /** and host that answers. */
  readonly server: number;
  /** Whether the question goes to everybody. */
  readonly flooded: boolean;
}

/** What a corpus is made of. */
export interface Traffic {
  /** What to ask next. */
  ask(): Question;
  /** Makes `packet` the frame with the question or the reply; `stamp` is the time in microseconds. */
  write(packet: Packet, question: Question, reply: boolean, stamp: number): void;
}

export interface LanOptions extends FlowOptions {
  /** Share of the packets in percent. */
  readonly arp: number;
  readonly neighbor: number;
  /** Frame lengths to draw from, in bytes; headers may make a frame longer. */
  readonly lengths: readonly number[];
}

/** Segments of hosts that resolve each other and talk. Everything is answered, nothing is contested. */
export class Lan implements Traffic {
  readonly #options: LanOptions;
  readonly #random: Random;
  readonly #flows: Flows;
  readonly #arp: Resolutions[];
  readonly #neighbor: Resolutions[];

  constructor(options: LanOptions, random: Random) {
    this.#options = options;
    this.#random = random;
    this.#flows = new Flows(options, random);
    const perSegment = () => Array.from({ length: options.segments }, (_, i) => new Resolutions(i, options.hosts));
    this.#arp = perSegment();
    this.#neighbor = perSegment();
  }

  ask(): Question {
    const percent = this.#random.below(100);
    if (percent < this.#options.arp) return this.#resolve('arp', this.#arp);
    if (percent < this.#options.arp + this.#options.neighbor) return this.#resolve('neighbor', this.#neighbor);
    const number = this.#flows.pick();
    const segment = this.#flows.segmentOf(number);
    const [client, server] = [this.#flows.clientOf(number), this.#flows.serverOf(number)];
    return { kind: 'flow', segment, number, client, server, flooded: false };
  }

  write(packet: Packet, question: Question, reply: boolean, stamp: number): void {
    const { kind, segment, number } = question;
    if (kind === 'flow') {
      const { lengths } = this.#options;
      this.#flows.write(packet, number, reply, lengths[this.#random.below(lengths.length)], stamp);
    } else if (kind === 'arp') {
      this.#arp[segment].arp(packet, number, reply);
    } else {
      this.#neighbor[segment].neighbor(packet, number, reply);
    }
  }

  #resolve(kind: 'arp' | 'neighbor', all: readonly Resolutions[]): Question {
    const segment = this.#random.below(all.length);
    const resolutions = all[segment];
    const number = resolutions.next();
    const [client, server] = [resolutions.askerOf(number), resolutions.targetOf(number)];
    return { kind, segment, number, client, server, flooded: !resolutions.isRefresh(number) };
  }
}
