import { ipv4Of, ipv6Of, macOf, multicastMac, solicitedNode } from './hosts.js';
import { IpProtocol, type Mac, type Packet } from './packet.js';

const NOBODY: Mac = { high: 0, low: 0 };
const NO_PAYLOAD = new Uint8Array(0);

/**
 * Hosts of one segment resolving each other, every pair in turn. What comes round again is a refresh of a known
 * address, so it is asked by unicast (RFC 4861 §7.3.3; Linux does the same for ARP).
 */
export class Resolutions {
  readonly #segment: number;
  readonly #hosts: number;
  #asked = 0;

  constructor(segment: number, hosts: number) {
    this.#segment = segment;
    this.#hosts = hosts;
  }

  /** The next question, to be passed to `arp` or `neighbor`. */
  next(): number {
    return this.#asked++;
  }

  askerOf(question: number): number {
    return question % this.#hosts;
  }

  targetOf(question: number): number {
    const distance = 1 + (Math.floor(question / this.#hosts) % (this.#hosts - 1));
    return (question + distance) % this.#hosts;
  }

  isRefresh(question: number): boolean {
    return question >= this.#hosts * (this.#hosts - 1);
  }

  arp(packet: Packet, question: number, reply: boolean): void {
    const [asker, target] = [this.askerOf(question), this.targetOf(question)];
    const [mine, theirs] = [macOf(this.#segment, asker), macOf(this.#segment, target)];
    const [spa, tpa] = [ipv4Of(this.#segment, asker), ipv4Of(this.#segment, target)];
    packet.begin(NO_PAYLOAD, 0, 0);
    if (reply) packet.arp(2, theirs, tpa, mine, spa);
    else packet.arp(1, mine, spa, NOBODY, tpa);
    if (reply) packet.ethernet(mine, theirs, 0x0806);
    else packet.ethernet(this.isRefresh(question) ? theirs : null, mine, 0x0806);
  }

  neighbor(packet: Packet, question: number, reply: boolean): void {
    const [asker, target] = [this.askerOf(question), this.targetOf(question)];
    const [mine, theirs] = [macOf(this.#segment, asker), macOf(this.#segment, target)];
    const [source, wanted] = [ipv6Of(this.#segment, asker), ipv6Of(this.#segment, target)];
    packet.begin(NO_PAYLOAD, 0, 0);
    packet.neighbor(reply ? 136 : 135, wanted, reply ? theirs : mine);
    if (reply) {
      packet.ipv6(wanted, source, IpProtocol.Icmpv6, 255);
      packet.ethernet(mine, theirs, 0x86dd);
      return;
    }
    const group = this.isRefresh(question) ? wanted : solicitedNode(wanted);
    packet.ipv6(source, group, IpProtocol.Icmpv6, 255);
    packet.ethernet(this.isRefresh(question) ? theirs : multicastMac(group), mine, 0x86dd);
  }
}
