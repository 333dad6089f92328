import { IpProtocol, type Packet } from '../traffic/packet.js';

const NOTHING = new Uint8Array(0);
const NOBODY = { high: 0, low: 0 };
const ONE = { high: 0x0200, low: 1 };
const TWO = { high: 0x0200, low: 2 };
const [IP_ONE, IP_TWO] = [0x0a000001, 0x0a000002];
/** Microseconds between two packets. */
const GAP = 10;
/** Half of the seconds that a pcap record can tell. */
const FAR = 2 ** 31;

/** Traffic of which every packet wants a row of its own in the tables; `write` returns the time in microseconds. */
export interface Storm {
  readonly says: string;
  readonly packets: number;
  write(packet: Packet, step: number): number;
}

export const STORMS: readonly Storm[] = [
  {
    says: 'ARP, each request from another sender',
    packets: 10_000_000,
    write(packet, step) {
      const sender = { high: 0x0200, low: step };
      packet.begin(NOTHING, 0, 0);
      packet.arp(1, sender, 0x0a000000 + step, NOBODY, IP_ONE);
      packet.ethernet(null, sender, 0x0806);
      return step * GAP;
    },
  },
  {
    says: 'IPv4, one MAC address with as many addresses as packets',
    packets: 1_000_000,
    write(packet, step) {
      packet.begin(NOTHING, 0, 0);
      packet.udp(1000, 2000);
      packet.ipv4(0x0b000000 + step, IP_TWO, IpProtocol.Udp);
      packet.ethernet(TWO, ONE, 0x0800);
      return step * GAP;
    },
  },
  {
    says: 'VXLAN, each packet with another VNI',
    packets: 1_000_000,
    write(packet, step) {
      packet.begin(NOTHING, 0, 0);
      packet.arp(1, ONE, IP_ONE, NOBODY, IP_TWO);
      packet.ethernet(null, ONE, 0x0806);
      packet.vxlan(step & 0xffffff);
      packet.udp(50_000, 4789);
      packet.ipv4(IP_ONE, IP_TWO, IpProtocol.Udp);
      packet.ethernet(TWO, ONE, 0x0800);
      return step * GAP;
    },
  },
  {
    says: 'TCP, each SYN from another port and host',
    packets: 1_000_000,
    write(packet, step) {
      packet.begin(NOTHING, 0, 0);
      packet.tcp(1024 + (step % 60_000), 80, step, 0, 2, step);
      packet.ipv4(0x0b000000 + step, IP_TWO, IpProtocol.Tcp);
      packet.ethernet(TWO, ONE, 0x0800);
      return step * GAP;
    },
  },
  {
    says: 'ARP, time stamps that jump to and fro by 68 years',
    packets: 1_000_000,
    write(packet, step) {
      packet.begin(NOTHING, 0, 0);
      packet.arp(1, ONE, IP_ONE, NOBODY, 0x0b000000 + (step % 1000));
      packet.ethernet(null, ONE, 0x0806);
      return step * GAP + (step % 2) * FAR * 1e6;
    },
  },
];
