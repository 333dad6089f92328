import { Lan, type Question, type Traffic } from './lan.js';
import type { Packet } from './packet.js';
import type { Random } from './random.js';

const SHORTEST = 64;
const LONGEST = 98;

/** One segment of 120 hosts, frames of 64 to 98 bytes, a fifth of them ARP: the most packets a byte. */
export class Small implements Traffic {
  readonly #lan: Lan;

  constructor(random: Random) {
    this.#lan = new Lan(
      {
        count: 4000,
        segments: 1,
        hosts: 120,
        kinds: ['tcp', 'tcp', 'udp', 'udp', 'ping'],
        arp: 20,
        neighbor: 0,
        lengths: Array.from({ length: LONGEST - SHORTEST + 1 }, (_, i) => SHORTEST + i),
      },
      random,
    );
  }

  ask(): Question {
    return this.#lan.ask();
  }

  write(packet: Packet, question: Question, reply: boolean, stamp: number): void {
    this.#lan.write(packet, question, reply, stamp);
    packet.pad(SHORTEST);
  }
}
