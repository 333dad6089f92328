import { ipv4Of, macOf, OUTSIDE, ROUTER } from './hosts.js';
import { Lan, type Question, type Traffic } from './lan.js';
import { IpProtocol, type Mac, type Packet } from './packet.js';
import type { Random } from './random.js';

const VNIS = 8;
/** The first VNIs run on the port of RFC 7348 with multicast flooding, the rest on Linux's old default port. */
const IANA_VNIS = 5;
const VTEPS = 16;
/** Number of the underlay in the made-up network, beyond every VNI's. */
const UNDERLAY = 200;

/** 8 VNIs of 100 hosts over 16 tunnel ends: ARP, neighbor discovery, IPv4 and IPv6 inside, 4789 and 8472 outside. */
export class Vxlan implements Traffic {
  readonly #lan: Lan;

  constructor(random: Random) {
    this.#lan = new Lan(
      {
        count: 20_000,
        segments: VNIS,
        hosts: 100,
        kinds: ['tcp', 'tcp', 'tcp', 'udp', 'udp', 'ping', 'tcp6', 'tcp6', 'udp6', 'ping6'],
        arp: 4,
        neighbor: 2,
        lengths: [66, 66, 66, 66, 66, 300, 300, 576, 576, 1400],
      },
      random,
    );
  }

  ask(): Question {
    // What stays behind one tunnel end never reaches the underlay.
    for (;;) {
      const question = this.#lan.ask();
      if (vtepOf(question.client) !== vtepOf(question.server)) return question;
    }
  }

  write(packet: Packet, question: Question, reply: boolean, stamp: number): void {
    this.#lan.write(packet, question, reply, stamp);
    const { segment, client, server } = question;
    const from = vtepOf(reply ? server : client);
    const to = vtepOf(reply ? client : server);
    const iana = segment < IANA_VNIS;
    packet.vxlan(iana ? 5000 + segment : 1 + segment);
    // The source port spreads flows over equal paths, RFC 7348 §5.
    packet.udp(50_000 + ((question.number * 7 + client) % 15_000), iana ? 4789 : 8472);
    const group = iana && question.flooded && !reply;
    packet.ipv4(ipv4Of(UNDERLAY, from), group ? groupOf(segment) : ipv4Of(UNDERLAY, to), IpProtocol.Udp);
    packet.ethernet(group ? groupMac(segment) : macOf(UNDERLAY, to), macOf(UNDERLAY, from), 0x0800);
  }
}

function vtepOf(host: number): number {
  return (host >= OUTSIDE ? ROUTER : host) % VTEPS;
}

/** 239.1.1.S, administratively scoped. */
function groupOf(segment: number): number {
  return 0xef010100 + segment;
}

/** 01:00:5e and the last 23 bits, RFC 1112 §6.4. */
function groupMac(segment: number): Mac {
  return { high: 0x0100, low: 0x5e010100 + segment };
}
