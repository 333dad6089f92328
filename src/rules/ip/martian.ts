import type { Device } from '../../network/context/device.js';
import { formatIpv4, formatMac, ipv6At } from '../../wire/address.js';
import type { Frame } from '../../wire/frame.js';
import { IcmpType, icmpType } from '../../wire/icmp.js';
import { IpProtocol } from '../../wire/ip-protocols.js';
import { ipv4Destination, ipv4Protocol, ipv4Source, ipv4Ttl } from '../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import { SLL_ADDRESS, SLL2_ADDRESS } from '../../wire/sll.js';
import { TcpFlag, tcpFlags } from '../../wire/tcp.js';
import { udpDestinationPort, udpSourcePort } from '../../wire/udp.js';
import { confidenceBy } from '../parts/confidence.js';
import { at } from '../parts/device-argument.js';
import { headerOf } from '../parts/evidence.js';
import { Observations, type Observed, wholeOf } from '../parts/observations.js';
import { label, questionOf, requestFrames } from '../parts/question.js';
import { segmentAt } from '../parts/segment.js';
import type { EvidenceRef, Remedy, Rule } from '../rule.js';
import { type Reason, WORDS } from './parts/martian-words.js';

const MAX_FINDINGS = 256;
const MAX_FRAMES = 16;
/** Senders besides the first that are counted. */
const MAX_OTHERS = 64;
/** What systems start with; a smaller TTL was forwarded. */
const TTLS: readonly number[] = [255, 128, 64, 32, 1];
/** Link-local addresses that clouds and clusters route on purpose: NodeLocal DNS (Kubernetes, kubespray), boot volumes (OCI). */
const ROUTED: readonly number[] = [0xa9fe140a | 0, 0xa9fe190a | 0, 0xa9fe0002 | 0];
/** Upper 24 bits of more of them, services for guests: 169.254.169.0/24 (metadata, time, names, licences), .170.0/24 (credentials of containers). */
const ROUTED_NETWORKS: readonly number[] = [0xa9fea9, 0xa9feaa];

/** Linux asks from this port and higher ones (net.ipv4.ip_local_port_range). */
const EPHEMERAL = 32768;

/** First bytes of addresses that deserve a second look as source: 0, 127, 169, multicast, 255. */
const SUSPECT = new Uint8Array(256).fill(1, 224, 240);
for (const byte of [0, 127, 169, 255]) SUSPECT[byte] = 1;

interface Martian {
  readonly reason: Reason;
  readonly isIpv4: boolean;
  readonly hi: number;
  readonly lo: number;
  readonly source: string;
  readonly destination: string;
  /** Senders besides the first, as text. */
  readonly others: Set<string>;
}

/** Packets with addresses that have no business on a link (catalogue I9). */
export const martian: Rule = {
  meta: {
    id: 'ip/martian',
    severity: 'warning',
    summary: 'Packets with addresses that must never be on a link: 127.0.0.1, a multicast source',
    catalogue: 'I9',
    thresholds: {
      others: {
        value: 4,
        unit: 'senders besides the first, from which on the addresses were rewritten rather than sent',
        source:
          'a host that leaks is one, or a few alike; tools that make captures anonymous give everybody such addresses',
      },
    },
  },
  create({ network, report, thresholds }) {
    const martians = new Observations<Martian>(MAX_FINDINGS, MAX_FRAMES);

    function note(frame: Frame, layer: number, reason: Reason): void {
      const link = linkOf(frame, layer);
      if (link < 0) return;
      const { view } = frame;
      const at = senderAt(frame, link);
      const hi = view.getUint16(at);
      const lo = view.getInt32(at + 2);
      // A loopback device, or one without addresses (tun): there these packets are at home.
      if ((hi | lo) === 0) return;
      const segment = segmentAt(network, frame, layer);
      const found = martians.at(`${segment} ${reason}`, segment, frame, () => {
        const header = frame.offsets[layer];
        const isIpv4 = frame.kinds[layer] === Protocol.Ipv4;
        const source = isIpv4 ? formatIpv4(ipv4Source(view, header)) : ipv6At(view, header + IPV6_SOURCE);
        const destination = isIpv4
          ? formatIpv4(ipv4Destination(view, header))
          : ipv6At(view, header + IPV6_DESTINATION);
        return { reason, isIpv4, hi, lo, source, destination, others: new Set<string>() };
      });
      if (!found) return;
      const { what } = found;
      if ((hi !== what.hi || lo !== what.lo) && what.others.size < MAX_OTHERS) what.others.add(formatMac(hi, lo));
      if (martians.count(found, frame)) found.evidence.push(evidence(frame, layer, reason));
      if ((found.count & (found.count - 1)) === 0) tell(found);
    }

    function tell(found: Observed<Martian>): void {
      const { segment, count } = found;
      const { reason, isIpv4, hi, lo, source, destination } = found.what;
      const others = found.what.others.size;
      const isRewritten = others >= thresholds.others;
      const devices = network.context?.devicesByMac(hi, lo) ?? [];
      const device = devices.length === 1 ? devices[0] : null;
      const sender = device ? label(device) : formatMac(hi, lo);
      const words = WORDS[reason]({ sender, source, destination });
      report({
        ...wholeOf(found),
        confidence: confidenceBy({ hint: isRewritten, certain: reason !== 'link-local' }),
        title: words.title,
        summary: `${sender}${others > 0 ? ` and ${others === 1 ? 'another' : `${others} others`}` : ''} sent ${count === 1 ? 'a packet' : `${count} packets, the first`} from ${source} to ${destination}. ${words.says} Receivers drop such packets without a word ("martian" in the kernel log with log_martians).`,
        subject: { mac: formatMac(hi, lo), source, destination },
        cause: words.cause,
        remedy: [
          ...remediesAt(words.remedy, device, source),
          {
            text: `On a receiver: let the kernel log them, with the device they come in at`,
            commands: [isIpv4 ? 'sysctl -w net.ipv4.conf.all.log_martians=1' : 'nstat -az Ip6InAddrErrors'],
          },
        ],
        caveats: isRewritten
          ? [`${others + 1} stations send them: the addresses in this capture were rewritten, perhaps (anonymised)`]
          : [],
        wouldRaise: isRewritten ? ['the capture as it was taken'] : [],
        explains: network.pings.count > 0 ? pingsTo(destination, segment) : [],
      });
    }

    /** Pings to such an address stay without reply. */
    function pingsTo(destination: string, segment: number) {
      const found = [];
      const { pings, addresses } = network;
      for (let row = 0; row < pings.count; row++)
        if (pings.segment(row) === segment && addresses.format(pings.destination(row)) === destination)
          found.push({ rule: 'icmp/echo-unanswered' as const, key: String(row) });
      return found;
    }

    /** Who has nobody's address yet asks for it, in the name of the packet that waits; and nobody answers a loopback address. */
    function asks(row: number): void {
      const { resolutions, addresses } = network;
      const asker = resolutions.spa(row);
      if (!addresses.isIpv4(asker) || addresses.words(asker)[0] >>> 24 !== 127) return;
      const question = questionOf(network, row);
      const { asker: device, mac, spa, tpa, requests } = question;
      const sender = device ? label(device) : mac;
      const words = WORDS.loopback({ sender, source: spa, destination: tpa });
      report({
        ...question,
        key: `asks ${question.key}`,
        confidence: requests >= 2 ? 'certain' : 'hint',
        title: words.title,
        summary: `${sender} asks who has ${tpa} in the name of ${spa}, ${requests} times: the packet that waits for the answer has this source. ${words.says} A receiver does not answer the question, and would drop the packet without a word.`,
        subject: { mac, source: spa, destination: tpa },
        evidence: requestFrames(network, question),
        cause: words.cause,
        remedy: remediesAt(words.remedy, device, spa),
        explains: [{ rule: 'arp/unanswered', key: question.key }],
      });
    }

    return {
      events: { unanswered: asks },
      layers: {
        Ipv4(frame, layer) {
          const { view } = frame;
          const at = frame.offsets[layer];
          if (SUSPECT[view.getUint8(at + 12)] !== 0 || view.getUint8(at + 16) === 127) {
            const reason = reasonOf(frame, layer);
            if (reason) note(frame, layer, reason);
          }
        },
        Ipv6(frame, layer) {
          const { view } = frame;
          const at = frame.offsets[layer];
          const first = view.getInt32(at + IPV6_SOURCE);
          if (first >>> 24 === 0xff) note(frame, layer, 'group');
          else if (first === 0 && isLoopback6(view, at + IPV6_SOURCE)) note(frame, layer, 'loopback');
          else if (isLoopback6(view, at + IPV6_DESTINATION)) note(frame, layer, 'to-loopback');
        },
      },
      captureEnd(capture) {
        for (const each of martians.of(capture)) tell(each);
      },
    };
  },
};

/** Commands for the sender, in its namespace; what is said of the host that has a link-local source is not for the router before it. */
function remediesAt(remedies: readonly Remedy[], device: Device | null, source: string): Remedy[] {
  return remedies.map(({ text, commands }) => ({
    text,
    commands: text.includes(`the host with ${source}`) ? commands : commands.map((command) => at(device, command)),
  }));
}

/** What is wrong with the addresses of an IPv4 packet, null if nothing. */
function reasonOf(frame: Frame, layer: number): Reason | null {
  const { view } = frame;
  const at = frame.offsets[layer];
  const source = ipv4Source(view, at);
  const destination = ipv4Destination(view, at);
  const byte = source >>> 24;
  if (byte === 127) return 'loopback';
  if (destination >>> 24 === 127) return isTranslatedBack(frame, layer) ? null : 'to-loopback';
  if ((byte >= 224 && byte < 240) || source === -1) return 'group';
  if (byte === 0) {
    // A host without an address may ask by broadcast and multicast (DHCP, IGMP), and DHCP by unicast too.
    const isForOne = destination >>> 28 < 14 && source !== 0;
    return isForOne || (destination >>> 28 < 14 && source === 0 && !isDhcp(frame, layer)) ? 'zero' : null;
  }
  // Routers of clouds and VPNs tell errors from links that have no other addresses.
  const isError = frame.quotedFrom < frame.layerCount;
  if (source >>> 16 === 0xa9fe && !isError && !TTLS.includes(ipv4Ttl(view, at)))
    return isRouted(source) || isRouted(destination) ? null : 'link-local';
  return null;
}

/**
 * Whether a packet for a loopback address is an answer: who asks from there is translated on the way out, and a bridge that hands
 * packets to netfilter translates the answers back before its host takes them in (br_netfilter; a published port of Docker without
 * its proxy, asked for at localhost). Nobody but a host with such a translation gets an answer.
 */
function isTranslatedBack(frame: Frame, layer: number): boolean {
  const { view } = frame;
  const at = frame.ends[layer];
  const left = frame.limits[layer] - at;
  switch (ipv4Protocol(view, frame.offsets[layer])) {
    case IpProtocol.Tcp:
      return left >= 14 && (tcpFlags(view, at) & TcpFlag.Ack) !== 0;
    case IpProtocol.Udp:
      return left >= 4 && udpSourcePort(view, at) < EPHEMERAL && udpDestinationPort(view, at) >= EPHEMERAL;
    case IpProtocol.Icmp:
      return left >= 1 && icmpType(view, at) === IcmpType.EchoReply;
    default:
      return false;
  }
}

function isRouted(address: number): boolean {
  return ROUTED.includes(address) || ROUTED_NETWORKS.includes(address >>> 8);
}

/** Whether the packet is from or for a port of DHCP. */
function isDhcp(frame: Frame, layer: number): boolean {
  const { view } = frame;
  const at = frame.ends[layer];
  if (ipv4Protocol(view, frame.offsets[layer]) !== IpProtocol.Udp || at + 4 > frame.limits[layer]) return false;
  const ports = [view.getUint16(at), view.getUint16(at + 2)];
  return ports.includes(67) || ports.includes(68);
}

function isLoopback6(view: DataView, at: number): boolean {
  return (
    view.getInt32(at) === 0 &&
    view.getInt32(at + 4) === 0 &&
    view.getInt32(at + 8) === 0 &&
    view.getInt32(at + 12) === 1
  );
}

/** The link header that the packet is in, VLAN tags between them or not; -1 if there is none. */
function linkOf({ kinds }: Frame, layer: number): number {
  let link = layer - 1;
  while (link >= 0 && kinds[link] === Protocol.Vlan) link--;
  const isLink = kinds[link] === Protocol.Ethernet || kinds[link] === Protocol.Sll || kinds[link] === Protocol.Sll2;
  return link >= 0 && isLink ? link : -1;
}

/** Where the sender's address stands. */
function senderAt({ kinds, offsets }: Frame, link: number): number {
  if (kinds[link] === Protocol.Ethernet) return offsets[link] + 6;
  return offsets[link] + (kinds[link] === Protocol.Sll ? SLL_ADDRESS : SLL2_ADDRESS);
}

function evidence(frame: Frame, layer: number, reason: Reason): EvidenceRef {
  const note = reason === 'to-loopback' ? 'loopback address as destination' : `${NOTES[reason]} as source`;
  return headerOf(frame, layer, frame.kinds[layer] === Protocol.Ipv4 ? 'ipv4' : 'ipv6', note);
}

const NOTES = {
  loopback: 'loopback address',
  zero: 'address of network 0',
  group: 'multicast or broadcast address',
  'link-local': 'link-local address, TTL not a first one,',
} as const;
