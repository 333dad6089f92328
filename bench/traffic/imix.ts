import { Lan, type Question, type Traffic } from './lan.js';
import type { Packet } from './packet.js';
import type { Random } from './random.js';

const SHORTEST = 64;
/** Segment 0 is untagged, then come VLANs, then VLANs within service VLANs. */
const [TAGGED, DOUBLY_TAGGED, SEGMENTS] = [1, 17, 25];

/** 7 : 4 : 1, the customary "Internet mix". */
const LENGTHS = [...Array<number>(7).fill(SHORTEST), ...Array<number>(4).fill(576), 1500];

/** 25 segments (untagged, VLANs, QinQ) of 200 hosts, IPv4 and IPv6, 100,000 flows, 64 / 576 / 1500 bytes. */
export class Imix implements Traffic {
  readonly #lan: Lan;

  constructor(random: Random) {
    this.#lan = new Lan(
      {
        count: 100_000,
        segments: SEGMENTS,
        hosts: 200,
        kinds: ['tcp', 'tcp', 'tcp', 'udp', 'udp', 'ping', 'tcp6', 'tcp6', 'udp6', 'ping6'],
        arp: 1,
        neighbor: 1,
        lengths: LENGTHS,
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
    const { segment } = question;
    if (segment >= TAGGED) packet.tag(0x8100, 100 + segment);
    if (segment >= DOUBLY_TAGGED) packet.tag(0x88a8, 1000 + (segment % 4));
  }
}
