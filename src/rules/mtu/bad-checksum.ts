import { Checksum, ipv4HeaderChecksum, transportChecksum } from '../../wire/checksum.js';
import { Direction, type Frame } from '../../wire/frame.js';
import { ipv4Source } from '../../wire/ipv4.js';
import { SOURCE as IPV6_SOURCE } from '../../wire/ipv6.js';
import { ipLayer } from '../../wire/ipv6-pseudo.js';
import { Protocol } from '../../wire/protocol.js';
import { looksLikeVxlan } from '../../wire/vxlan.js';
import { headerOf } from '../parts/evidence.js';
import type { EvidenceRef, Rule } from '../rule.js';

/** Packets checked in each capture, and after that every how-manieth: summing up costs as much as decoding. */
const SAMPLE = 2000;
const EVERY = 128;
/** Frames longer than this are put together or will be cut by the device; nobody has filled in their checksums (catalogue K5). */
const LONGEST_ON_WIRE = 1522;
const MAX_SENDERS = 1024;
const MAX_EXAMPLES = 16;
const NAMES: Readonly<Record<number, string>> = { [Protocol.Tcp]: 'tcp', [Protocol.Icmpv6]: 'icmpv6' };

/** VXLAN to a port that nobody said carries it. */
function carriesVxlan({ view, ends, limits }: Frame, udp: number): boolean {
  return looksLikeVxlan(view, ends[udp], limits[udp]);
}

interface Sender {
  readonly capture: number;
  /** Row of `network.addresses`. */
  readonly address: number;
  fine: number;
  wrong: number;
  first: number;
  last: number;
  readonly frames: EvidenceRef[];
}

/** Packets come with wrong checksums from senders whose others are right (catalogue G6). */
export const badChecksum: Rule = {
  meta: {
    id: 'mtu/bad-checksum',
    severity: 'warning',
    summary: 'Packets come with wrong checksums: damaged on the way',
    catalogue: 'G6',
    thresholds: {
      packets: { value: 3, unit: 'wrong checksums of one sender', source: 'fewer may be damaged records' },
    },
  },
  create({ network, report, thresholds }) {
    const { addresses } = network;
    const senders = new Map<number, Sender>();
    let latest = -1;
    let looked = 0;

    function look(frame: Frame, layer: number): void {
      if (frame.capture !== latest) {
        latest = frame.capture;
        looked = 0;
      }
      looked++;
      if (looked % EVERY === 0 || looked <= SAMPLE) check(frame, layer);
    }

    function check(frame: Frame, layer: number): void {
      // What this machine sends is finished by its device; tunnels have a rule of their own.
      if (frame.direction === Direction.Out || frame.tunnels > 0 || frame.wireLength > LONGEST_ON_WIRE) return;
      const ip = ipLayer(frame, layer);
      if (ip < 0) return;
      const isIpv4 = frame.kinds[ip] === Protocol.Ipv4;
      const transport = transportChecksum(frame, layer);
      // IPv6 headers have none.
      const header = isIpv4 ? ipv4HeaderChecksum(frame, ip) : Checksum.Right;
      if (transport === Checksum.Unknown && header === Checksum.Right) return;
      const { view, offsets } = frame;
      // The sum of a tunnel's UDP is that of packets whose inner checksum will be filled in by a device (local checksum offload).
      if (transport === Checksum.Wrong && frame.kinds[layer] === Protocol.Udp && carriesVxlan(frame, layer)) return;
      const sender = senderOf(
        frame,
        isIpv4 ? addresses.ipv4(ipv4Source(view, offsets[ip])) : addresses.ipv6(view, offsets[ip] + IPV6_SOURCE),
      );
      if (!sender) return;
      const isWrong = transport === Checksum.Wrong || header === Checksum.Wrong;
      if (!isWrong) {
        sender.fine++;
        return;
      }
      sender.wrong++;
      if (sender.wrong === 1) sender.first = frame.time;
      sender.last = frame.time;
      if (sender.frames.length < MAX_EXAMPLES) {
        const bad = header === Checksum.Wrong ? ip : layer;
        const name = bad === ip ? 'ipv4' : (NAMES[frame.kinds[layer]] ?? 'udp');
        sender.frames.push(headerOf(frame, bad, name, bad === ip ? 'wrong IPv4 header checksum' : 'wrong checksum'));
      }
    }

    function senderOf(frame: Frame, address: number): Sender | null {
      const key = frame.capture * 2 ** 32 + address;
      let sender = senders.get(key);
      if (!sender) {
        if (senders.size === MAX_SENDERS) return null;
        sender = {
          capture: frame.capture,
          address,
          fine: 0,
          wrong: 0,
          first: frame.time,
          last: frame.time,
          frames: [],
        };
        senders.set(key, sender);
      }
      return sender;
    }

    function tell({ capture, address, fine, wrong, first, last, frames }: Sender): void {
      // A sender none of whose checksums is right leaves them to a device, or does not compute them.
      if (wrong < thresholds.packets || fine <= wrong) return;
      const from = addresses.format(address);
      const isIpv4 = addresses.isIpv4(address);
      report({
        key: `${capture} ${from}`,
        segment: -1,
        capture,
        confidence: 'likely',
        title: `Packets from ${from} are damaged: ${wrong} of ${wrong + fine} have wrong checksums`,
        summary: `Of ${wrong + fine} packets from ${from} that were checked, ${wrong} have a wrong checksum, and the others are right: they were changed after they were sent. Receivers drop them without a word, and TCP has to send them again.`,
        subject: { sender: from },
        count: wrong,
        first,
        last,
        evidence: frames,
        cause:
          'A bad cable, transceiver, network card, switch or memory on the way, or a device that rewrites packets (NAT, load balancer, tunnel) and gets the sum wrong.',
        remedy: [
          {
            text: 'Look for errors that the devices count',
            commands: ['ip -s -s link', 'ethtool -S <device> | grep -iE "err|crc|bad"'],
          },
          {
            text: 'See what the receiver dropped',
            commands: [
              `nstat -az TcpInCsumErrors ${isIpv4 ? 'UdpInCsumErrors IpInHdrErrors' : 'Udp6InCsumErrors Icmp6InCsumErrors'}`,
            ],
          },
          {
            text: 'Rule out the offload of the network card, for a test',
            commands: ['ethtool -K <device> rx off tx off'],
          },
        ],
        wouldRaise: [`a capture at ${from}: do they leave with right checksums?`],
      });
    }

    return {
      layers: { Tcp: look, Udp: look, Icmpv6: look },
      captureEnd(capture) {
        for (const sender of senders.values()) if (sender.capture === capture) tell(sender);
      },
    };
  },
};
