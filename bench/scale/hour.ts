import { CorpusWriter } from '../traffic/generate.js';
import { IpProtocol, Packet } from '../traffic/packet.js';
import { pcapChunks } from '../traffic/pcap.js';

const NOTHING = new Uint8Array(64);
const NOBODY = { high: 0, low: 0 };
const HOUR = 3600e6;
const SECOND = 1e6;
/** Hosts with each trouble; none of them is in the corpus, whose addresses are 10.0.0.0/16. */
const HOSTS = 10;
const EACH_SECOND = 3 * HOSTS;

const ipOf = (host: number) => 0x0afe0000 + host;
const macOf = (host: number) => ({ high: 0x0200, low: host });

/**
 * An hour of the corpus `small` with troubles all the time. Each second ten hosts ask for an address that nobody has and ping
 * a host that never replies, and ten others, two by two, answer for one address.
 */
export function hour(packets: number): Generator<Uint8Array> {
  const packet = new Packet();
  const writer = new CorpusWriter('small', packet, HOUR / packets);
  let steps = 0;
  let troubles = 0;
  let now = 0;
  return pcapChunks(packet, () => {
    if ((troubles * SECOND) / EACH_SECOND <= now) makeTrouble(packet, troubles++);
    else if (steps < packets) now = writer.write(steps++);
    else return null;
    return now;
  });
}

function makeTrouble(packet: Packet, number: number): void {
  const host = number % HOSTS;
  const kind = Math.floor(number / HOSTS) % 3;
  const sequence = Math.floor(number / HOSTS / 3);
  packet.begin(NOTHING, 0, kind === 1 ? 56 : 0);
  if (kind === 1) {
    packet.echo(8, host, sequence);
    packet.ipv4(ipOf(host), ipOf(100 + host), IpProtocol.Icmp);
    packet.ethernet(macOf(100 + host), macOf(host), 0x0800);
    return;
  }
  if (kind === 0) packet.arp(1, macOf(host), ipOf(host), NOBODY, ipOf(200 + host));
  else packet.arp(2, macOf(300 + host), ipOf(400 + (host >> 1)), macOf(0), ipOf(0));
  packet.ethernet(kind === 0 ? null : macOf(0), macOf(kind === 0 ? host : 300 + host), 0x0806);
}
