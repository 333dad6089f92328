import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Imix } from './imix.js';
import type { Question, Traffic } from './lan.js';
import { Packet } from './packet.js';
import { pcapChunks } from './pcap.js';
import { Random } from './random.js';
import { Small } from './small.js';
import { Vxlan } from './vxlan.js';

export type CorpusName = 'small' | 'imix' | 'vxlan';

interface Corpus {
  readonly seed: number;
  /** Mean distance of two packets in microseconds. */
  readonly gap: number;
  /** Packets, unless told otherwise. */
  readonly packets: number;
  make(random: Random): Traffic;
}

export const CORPORA: Readonly<Record<CorpusName, Corpus>> = {
  small: { seed: 1, gap: 500, packets: 2_000_000, make: (random) => new Small(random) },
  imix: { seed: 2, gap: 20, packets: 1_000_000, make: (random) => new Imix(random) },
  vxlan: { seed: 3, gap: 50, packets: 1_000_000, make: (random) => new Vxlan(random) },
};

/** Where a corpus ends, whichever comes first. */
export interface Limit {
  readonly packets?: number;
  /** Size of the file. */
  readonly bytes?: number;
}

/** Questions asked before the first is answered: an answer comes 15 packets later, a millisecond or so. */
const IN_FLIGHT = 8;

/**
 * Writes a corpus as a microsecond pcap file, the same bytes for the same limit. A file that is there already is
 * kept.
 */
export function generate(name: CorpusName, path: string, limit: Limit): void {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const file = openSync(part, 'w');
  try {
    for (const chunk of chunks(name, limit)) writeSync(file, chunk);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
}

/** The bytes of a corpus, in pieces of about 1 MiB that are valid until the next is asked for. */
export function chunks(name: CorpusName, limit: Limit): Generator<Uint8Array> {
  const { packets = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = limit;
  const packet = new Packet();
  const writer = new CorpusWriter(name, packet);
  return pcapChunks(packet, (step) => (step < packets ? writer.write(step) : null), bytes);
}

/** Makes one packet of a corpus after the other. */
export class CorpusWriter {
  readonly #random: Random;
  readonly #traffic: Traffic;
  readonly #gap: number;
  readonly #packet: Packet;
  readonly #pending: Question[] = [];
  #microseconds = 0;

  /** @param gap mean distance of two packets in microseconds, the corpus's own if not given */
  constructor(name: CorpusName, packet: Packet, gap: number = CORPORA[name].gap) {
    const corpus = CORPORA[name];
    this.#random = new Random(corpus.seed);
    this.#traffic = corpus.make(this.#random);
    this.#gap = gap;
    this.#packet = packet;
  }

  /** Makes `packet` the next one; returns its time in microseconds. */
  write(step: number): number {
    this.#microseconds += this.#random.below(2 * this.#gap);
    const reply = step % 2 === 1 && this.#pending.length >= IN_FLIGHT;
    const question = reply ? (this.#pending.shift() as Question) : this.#traffic.ask();
    if (!reply) this.#pending.push(question);
    this.#traffic.write(this.#packet, question, reply, this.#microseconds);
    return this.#microseconds;
  }
}
