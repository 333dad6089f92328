import type { Device } from '../../network/context/device.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Source } from '../../wire/ipv4.js';
import { SOURCE as IPV6_SOURCE } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import { TcpFlag, tcpFlags, tcpMss } from '../../wire/tcp.js';
import { vxlanVni } from '../../wire/vxlan.js';
import { type StreamWords, streamWords } from '../parts/connections/stream.js';
import { headerOf } from '../parts/evidence.js';
import { label } from '../parts/question.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { endpointsOf, largerBelow, smallerInside } from './parts/sizes.js';
import { onEndpoint, tunnelsOf } from './parts/tunnel.js';

/** What is around a packet inside, in bytes: outer IPv4 or IPv6, UDP, VXLAN, and inner Ethernet. */
const TUNNEL_V4 = 50;
const TUNNEL_V6 = 70;
/** Headers of a TCP segment inside, in bytes: IPv4 or IPv6, and TCP. */
const HEADERS_V4 = 40;
const HEADERS_V6 = 60;
const ETHERNET = 14;
const MAX_TUNNELS = 1024;
const MAX_EXAMPLES = 16;

interface Openings {
  readonly capture: number;
  readonly vni: number;
  /** Bytes around the packets inside, and headers in front of their data. */
  readonly tunnel: number;
  readonly headers: number;
  /** Outer source of what was seen first. */
  readonly endpoint: number;
  /** Smallest sizes that clients and servers told. */
  client: number;
  server: number;
  count: number;
  first: number;
  last: number;
  readonly frames: EvidenceRef[];
}

/** TCP inside tells segments that do not fit into the network below (catalogue F10). */
export const innerMtu: Rule = {
  meta: {
    id: 'vxlan/inner-mtu',
    severity: 'warning',
    summary: 'TCP inside VXLAN agrees on segments that do not fit into the network below',
    catalogue: 'F10',
    thresholds: {
      underlayMtu: {
        value: 1500,
        unit: 'bytes that the network below carries where the host context does not tell, IP header included',
        source: 'the usual MTU of Ethernet (IEEE 802.3)',
      },
      tries: {
        value: 3,
        unit: 'repetitions in vain of a segment that does not fit below, which prove it',
        source: 'as in tcp/big-segments-stall',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { tunnels } = network;
    const seen = new Map<number, Openings>();

    function look(frame: Frame, layer: number): void {
      const { view, offsets, kinds } = frame;
      const at = offsets[layer];
      const flags = tcpFlags(view, at);
      if ((flags & TcpFlag.Syn) === 0) return;
      const mss = tcpMss(view, at, frame.ends[layer]);
      const vxlan = kinds.indexOf(Protocol.Vxlan);
      if (mss === 0 || vxlan < 2 || vxlan >= layer) return;
      const below = kinds[vxlan - 2];
      if (below !== Protocol.Ipv4 && below !== Protocol.Ipv6) return;
      const isIpv6 = kinds[layer - 1] !== Protocol.Ipv4;
      const vni = vxlanVni(view, offsets[vxlan]);
      const key = (frame.capture * 2 ** 24 + vni) * 2 + Number(isIpv6);
      let openings = seen.get(key);
      if (!openings) {
        if (seen.size === MAX_TUNNELS) return;
        const { capture, time } = frame;
        const { addresses } = network;
        const outer = offsets[vxlan - 2];
        const isIpv4 = below === Protocol.Ipv4;
        const endpoint = isIpv4 ? addresses.ipv4(ipv4Source(view, outer)) : addresses.ipv6(view, outer + IPV6_SOURCE);
        const none = Number.POSITIVE_INFINITY;
        openings = {
          capture,
          vni,
          tunnel: isIpv4 ? TUNNEL_V4 : TUNNEL_V6,
          headers: isIpv6 ? HEADERS_V6 : HEADERS_V4,
          endpoint,
          client: none,
          server: none,
          count: 0,
          first: time,
          last: time,
          frames: [],
        };
        seen.set(key, openings);
      }
      if ((flags & TcpFlag.Ack) === 0) openings.client = Math.min(openings.client, mss);
      else openings.server = Math.min(openings.server, mss);
      openings.count++;
      openings.last = frame.time;
      if (openings.frames.length < MAX_EXAMPLES) openings.frames.push(headerOf(frame, layer, 'tcp', `MSS ${mss}`));
    }

    function tell(openings: Openings): void {
      const { capture, vni, tunnel, headers, endpoint, count, first, last, frames } = openings;
      // Each side sends as much as the other takes, but no more than fits its own device: both have to be too large.
      const mss = Math.min(
        openings.client,
        openings.server === Number.POSITIVE_INFINITY ? openings.client : openings.server,
      );
      if (mss === Number.POSITIVE_INFINITY || openings.client === Number.POSITIVE_INFINITY) return;
      const below = underlay(endpoint);
      const mtu = below?.mtu ?? thresholds.underlayMtu;
      const needs = mss + headers + tunnel;
      if (needs <= mtu) return;
      const longest = network.captures.of(capture)?.longest ?? 0;
      // A collector gets copies: what does not fit there was delivered before.
      if (tunnelsOf(network, capture).some((row) => tunnels.vni(row) === vni && tunnels.isMirror(row))) return;
      const stalled = stalledIn(openings, mtu);
      // Larger frames were seen, and they arrive: the network below carries more than usual.
      if (!below && longest > mtu + ETHERNET && stalled.length === 0) return;
      const isStalled = stalled.length > 0;
      const ends = endpointsOf(network, capture, vni);
      report({
        key: headers === HEADERS_V4 ? `${capture} ${vni}` : `${capture} ${vni} ipv6`,
        segment: -1,
        capture,
        confidence: below || isStalled ? 'likely' : 'hint',
        // A connection hangs already.
        severity: isStalled ? 'error' : 'warning',
        title: `TCP in VNI ${vni} agrees on segments of ${mss} bytes: with VXLAN they need an MTU of ${needs}`,
        summary:
          `Connections inside VNI ${vni} open with a maximum segment size (MSS) of ${mss} bytes. With headers and VXLAN a full segment makes a packet of ${needs} bytes, ` +
          `and the network below has ${below ? `an MTU of ${mtu}` : `${mtu} as far as this capture shows`}: it is cut into fragments or dropped.${isStalled ? ` So it is: ${stalled[0].fromPort} sends such a segment to ${stalled[0].toPort} again and again, and it never arrives.` : ''}`,
        subject: { vni, mss, needs },
        count,
        first,
        last,
        evidence: frames,
        cause: `The stations inside have an MTU of ${mss + headers} and do not know of the ${tunnel} bytes that VXLAN adds.`,
        remedy: [
          {
            text: 'A smaller MTU inside: on the VXLAN device, its bridge, and above all in the guests, which make the packets',
            commands: smallerInside(network, ends, vni, mtu - tunnel),
          },
          {
            text: 'Or a larger one below, on every device on the way',
            commands: largerBelow(network, ends, needs),
          },
          {
            text: 'Or let an endpoint correct what TCP tells. One that bridges',
            commands: [
              'nft add table bridge mss',
              "nft add chain bridge mss forward '{ type filter hook forward priority 0; }'",
              `nft add rule bridge mss forward tcp flags syn tcp option maxseg size set ${mtu - tunnel - headers}`,
            ].map((command) => onEndpoint(network, endpoint, command)),
          },
          {
            text: 'One that routes',
            commands: [
              onEndpoint(
                network,
                endpoint,
                `${headers === HEADERS_V4 ? 'iptables' : 'ip6tables'} -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss ${mtu - tunnel - headers}`,
              ),
            ],
          },
        ],
        wouldRaise: below ? [] : ['`ip link` of the endpoint (--context): the MTU of the network below'],
        context: below ? [`${label(below)}: MTU ${below.mtu}`] : [],
        explains: [...new Set(stalled.map((each) => each.key))].map((each) => ({
          rule: 'tcp/big-segments-stall',
          key: each,
        })),
      });
    }

    /** Streams inside that hang on a segment that does not fit below, though smaller ones arrive. */
    function stalledIn({ capture, vni, tunnel, headers }: Openings, mtu: number): StreamWords[] {
      const { retransmissions, segments } = network;
      const found: StreamWords[] = [];
      for (let row = 0; row < retransmissions.count && found.length < MAX_EXAMPLES; row++) {
        if (retransmissions.tries(row) < thresholds.tries || retransmissions.size(row) + tunnel <= mtu) continue;
        if (retransmissions.delivered(row) + tunnel > mtu) continue;
        const stream = retransmissions.stream(row);
        if (stream.isIpv6 !== (headers === HEADERS_V6) || segments.captureOf(stream.segment) !== capture) continue;
        const { vnis } = segments.describe(stream.segment);
        if (vnis.length === 1 && vnis[0] === vni) found.push(streamWords(network, stream));
      }
      return found;
    }

    /** The device that carries an endpoint's address, where the context shows it and its MTU. */
    function underlay(endpoint: number): Device | null {
      const devices = network.context?.devicesByIp(network.addresses.words(endpoint)) ?? [];
      return devices.length === 1 && devices[0].mtu !== null ? devices[0] : null;
    }

    return {
      layers: {
        Tcp(frame, layer) {
          if (frame.tunnels === 1) look(frame, layer);
        },
      },
      captureEnd(capture) {
        for (const openings of seen.values()) if (openings.capture === capture) tell(openings);
      },
    };
  },
};
