import type { Device } from '../../network/context/device.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Source } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { TcpFlag, tcpFlags, tcpMss } from '../../wire/tcp.js';
import { vxlanVni } from '../../wire/vxlan.js';
import { label } from '../question.js';
import type { EvidenceRef, Rule } from '../rule.js';

/** What is around the data of a TCP segment in VXLAN over IPv4: outer IP, UDP, VXLAN, inner Ethernet, inner IP and TCP, in bytes. */
const TUNNEL = 50;
const INNER_HEADERS = 40;
const ETHERNET = 14;
const MAX_TUNNELS = 1024;
const MAX_EXAMPLES = 16;

interface Openings {
  readonly capture: number;
  readonly vni: number;
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
    },
  },
  create({ network, report, thresholds }) {
    const seen = new Map<number, Openings>();

    function look(frame: Frame, layer: number): void {
      const { view, offsets, kinds } = frame;
      const at = offsets[layer];
      const flags = tcpFlags(view, at);
      if ((flags & TcpFlag.Syn) === 0) return;
      const mss = tcpMss(view, at, frame.ends[layer]);
      const vxlan = kinds.indexOf(Protocol.Vxlan);
      if (mss === 0 || vxlan < 2 || vxlan >= layer || kinds[vxlan - 2] !== Protocol.Ipv4) return;
      const vni = vxlanVni(view, offsets[vxlan]);
      const key = frame.capture * 2 ** 24 + vni;
      let openings = seen.get(key);
      if (!openings) {
        if (seen.size === MAX_TUNNELS) return;
        const { capture, time } = frame;
        const endpoint = network.addresses.ipv4(ipv4Source(view, offsets[vxlan - 2]));
        const none = Number.POSITIVE_INFINITY;
        openings = {
          capture,
          vni,
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
      if (openings.frames.length < MAX_EXAMPLES)
        openings.frames.push({
          capture: frame.capture,
          frame: frame.number,
          layer: 'tcp',
          offset: at - frame.start,
          length: frame.ends[layer] - at,
          note: `MSS ${mss}`,
        });
    }

    function tell(openings: Openings): void {
      const { capture, vni, endpoint, count, first, last, frames } = openings;
      // Each side sends as much as the other takes, but no more than fits its own device: both have to be too large.
      const mss = Math.min(
        openings.client,
        openings.server === Number.POSITIVE_INFINITY ? openings.client : openings.server,
      );
      if (mss === Number.POSITIVE_INFINITY || openings.client === Number.POSITIVE_INFINITY) return;
      const below = underlay(endpoint);
      const mtu = below?.mtu ?? thresholds.underlayMtu;
      const needs = mss + INNER_HEADERS + TUNNEL;
      if (needs <= mtu) return;
      const longest = network.captures.of(capture)?.longest ?? 0;
      // Larger frames were seen: the network below carries more than usual.
      if (!below && longest > mtu + ETHERNET) return;
      report({
        key: `${capture} ${vni}`,
        segment: -1,
        capture,
        confidence: below ? 'likely' : 'hint',
        title: `TCP in VNI ${vni} agrees on segments of ${mss} bytes: with VXLAN they need an MTU of ${needs}`,
        summary:
          `Connections inside VNI ${vni} open with a maximum segment size (MSS) of ${mss} bytes. With headers and VXLAN a full segment makes a packet of ${needs} bytes, ` +
          `and the network below has ${below ? `an MTU of ${mtu}` : `${mtu} as far as this capture shows`}: it is cut into fragments or dropped.`,
        subject: { vni, mss, needs },
        count,
        first,
        last,
        evidence: frames,
        cause: `The stations inside have an MTU of ${mss + INNER_HEADERS} and do not know of the ${TUNNEL} bytes that VXLAN adds.`,
        remedy: [
          {
            text: 'A smaller MTU inside: on the VXLAN device, its bridge, and in the guests',
            commands: [`ip link set <vxlan device> mtu ${mtu - TUNNEL}`],
          },
          {
            text: 'Or a larger one below, on every device on the way',
            commands: [`ip link set <underlay device> mtu ${needs}`],
          },
          {
            text: 'Or let the endpoint correct what TCP tells',
            commands: [
              `iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss ${mtu - TUNNEL - INNER_HEADERS}`,
            ],
          },
        ],
        wouldRaise: below ? [] : ['`ip link` of the endpoint (--context): the MTU of the network below'],
        context: below ? [`${label(below)}: MTU ${below.mtu}`] : [],
      });
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
