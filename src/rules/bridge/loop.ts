import { ArpOperation, arpOperation, isEthernetIpv4, SPA, TPA } from '../../wire/arp.js';
import type { Frame } from '../../wire/frame.js';
import { greProtocolType } from '../../wire/gre.js';
import { Icmpv6Type, icmpv6Type } from '../../wire/icmpv6.js';
import { DESTINATION as IPV6_DESTINATION } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import { headerOf } from '../parts/evidence.js';
import { inNamespace, label } from '../parts/question.js';
import { segmentAt } from '../parts/segment.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { isDatagram, isToGroup, sourceOf, tagsOf, tunnelOf } from './parts/circling-frame.js';
import { secondPath } from './parts/second-path.js';
import { TunnelCopies } from './parts/tunnel-copies.js';

/** EtherType of GRE with Ethernet in it (transparent Ethernet bridging, RFC 1701). */
const BRIDGED = 0x6558;
/** Sightings of each frame where a mirror doubles all, of how many it takes to know that, and of one that a host sends three times in a burst. */
const DOUBLED = 2;
const MANY = 10;
const MIRRORED = 6;
/** What circulates does so without a pause until the loop opens: frames that pause this long (ns) between them, this often, were copied once each, at the ports of a mirror. */
const PAUSE_NS = 100e6;
const PAUSES = 3;
const MAX_FRAMES = 64;
const MAX_PORTS = 1000;
/** Tagged frames that came again and are remembered with their tags, the latest ones. */
const MAX_TAGGED = 256;

interface Port {
  base: number;
  capture: number;
  /** Most sightings of one frame, and of all frames that loop. */
  most: number;
  count: number;
  /** How often nothing had circulated for a while when the next frame began to. */
  pauses: number;
  source: string;
  /** Tunnel in which it circulates, in words; '' outside of tunnels. */
  tunnel: string;
  first: number;
  last: number;
  frames: EvidenceRef[];
}

/** Sightings of one tagged frame, by its tags. */
interface Tagged {
  /** Number of the frame that was seen first: rows of copies are used again. */
  first: number;
  byTags: Map<number, number>;
}

/** One broadcast circulates (catalogue D1). */
export const loop: Rule = {
  meta: {
    id: 'bridge/loop',
    severity: 'error',
    summary: 'The same broadcast passes again and again: a layer 2 loop',
    catalogue: 'D1',
    thresholds: {
      likely: {
        value: 5,
        unit: 'sightings of one frame, each within 100 ms of the one before',
        source: 'a reflection or a mirror port makes two, two of them four',
      },
      certain: {
        value: 20,
        unit: 'sightings of one frame for more than likely; so many announcements must be alike',
        source: 'keepalived announces in bursts of five, and five again',
      },
      cooked: {
        value: 100,
        unit: 'sightings of one frame in a capture of all devices, or inside GRE',
        source:
          'LINUX_SLL shows a frame once for each device that it passes, and a mirror through GRE once for each port that is mirrored',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { copies, stations } = network;
    const ports = new Map<number, Port>();
    const tagged = new Map<number, Tagged>();
    /** Most sightings of one unicast frame, by base segment. */
    const unicast = new Map<number, number>();
    /** Unicast frames that were seen a second time, by base segment. */
    const doubled = new Map<number, number>();
    const inTunnels = new TunnelCopies();

    /**
     * How often the frame was seen with the tags that it has now. A querier asks, and a host greets, in each of its VLANs
     * with the same bytes; what circulates stays in its VLAN.
     */
    function sightingsOf(copy: number, frame: Frame): number {
      const tags = tagsOf(frame);
      if (tags < 0) return copies.count(copy) + 1;
      let known = tagged.get(copy);
      if (known?.first !== copies.firstNumber(copy)) {
        const [oldest] = tagged.keys();
        if (tagged.size === MAX_TAGGED) tagged.delete(oldest);
        // What is seen a second time is told; the first time had the same tags, if this is a loop.
        known = { first: copies.firstNumber(copy), byTags: new Map([[tags, 1]]) };
        tagged.set(copy, known);
      }
      const sightings = (known.byTags.get(tags) ?? 0) + 1;
      known.byTags.set(tags, sightings);
      return sightings;
    }

    /** One more sighting of a frame that goes round, the first of them at `from`. */
    function note(
      base: number,
      layer: number,
      frame: Frame,
      sightings: number,
      needed: number,
      from: EvidenceRef,
      first: number,
    ) {
      let port = ports.get(base);
      if (!port) {
        if (ports.size === MAX_PORTS) return;
        const { capture, time } = frame;
        const seen = { most: 0, count: 0, pauses: 0, first, last: time, frames: [from] };
        port = { base, capture, source: sourceOf(frame, layer), tunnel: tunnelOf(frame, layer), ...seen };
        ports.set(base, port);
      }
      port.most = Math.max(port.most, sightings);
      const isPaused = sightings === needed && first - port.last > PAUSE_NS;
      if (isPaused) port.pauses++;
      // The sightings before the frame was known to loop count too.
      port.count += sightings === needed ? sightings : 1;
      port.last = frame.time;
      if (port.frames.length < MAX_FRAMES)
        port.frames.push(evidence(frame, layer, frame.number, 'the same frame again'));
      if (port.most === needed || (isPaused && port.pauses === PAUSES)) tell(port);
    }

    function neededFor(frame: Frame, layer: number): number {
      return Math.max(2, Math.ceil(thresholds[neededSightings(frame, layer)]));
    }

    function tell(port: Port): void {
      const { base, capture, most, count, source, tunnel, first, last, frames } = port;
      // Captures of several places, merged into one, show unicast as often; where frames are reflected, broadcasts twice at each. A
      // mirror shows all twice, also what a sender repeats.
      const isMirrored = !unicast.has(base) && (doubled.get(base) ?? 0) >= MANY;
      const isOver = port.pauses > 0 || network.now - last > PAUSE_NS;
      if (
        (most < thresholds.certain && most <= (isMirrored ? MIRRORED : 2 * (unicast.get(base) ?? 0))) ||
        (isMirrored && isOver) ||
        // Going round takes time: this file has none, or one for all.
        last === first ||
        port.pauses >= PAUSES
      ) {
        withdraw(String(base));
        return;
      }
      const ms = Math.max(1, Math.round((last - first) / 1e6));
      const path = secondPath(network);
      const ownMacs = stations
        .in(base)
        .filter((row) => stations.sentOut(row) && stations.cameIn(row))
        .map((row) => ({ rule: 'ethernet/own-mac-received' as const, key: String(row) }));
      report({
        key: String(base),
        segment: base,
        capture,
        count,
        first,
        last,
        confidence: most >= thresholds.certain ? 'certain' : 'likely',
        title: `A broadcast circulates${tunnel && ` in ${tunnel.split(' ')[0]}`}: the same frame passed ${most} times`,
        summary:
          `One frame from ${source} passed here${tunnel && ` inside ${tunnel}`} ${most} times, byte for byte${count > most ? `, and frames like it ${count} times` : ''}, within ${ms} ms. ` +
          'No host repeats itself like that: two bridges are joined by two paths, and every broadcast goes round and multiplies.',
        subject: { mac: source },
        evidence: frames,
        cause:
          'A second cable, a tunnel, or a VM or container that bridges two bridged interfaces closes a loop, and no spanning tree opens it.',
        remedy: [
          {
            text: 'Take one of the two paths away, now',
            commands: [
              path ? inNamespace(path.port, `ip link set ${path.port.name} down`) : 'ip link set <second uplink> down',
            ],
          },
          {
            text: 'Let spanning tree find loops, on every bridge: it closes a port within some seconds, if its frames get through; ports that come up later forward after about 30 s',
            commands: path
              ? path.bridges.map((bridge) => inNamespace(bridge, `ip link set ${bridge.name} type bridge stp_state 1`))
              : ['ip link set <bridge> type bridge stp_state 1'],
          },
          { text: 'Keep guests from closing one', commands: ['bridge link set dev <guest port> guard on'] },
        ],
        caveats: most >= thresholds.certain ? [] : ['a sender that repeats a frame in a burst would look alike'],
        wouldRaise:
          most >= thresholds.certain ? [] : ['a longer capture', '`bridge -d link` of the bridges on the way'],
        context: path ? [`${label(path.port)} closes a circle of ${path.bridges.map(label).join(', ')}`] : [],
        explains: ownMacs,
      });
    }

    /** A broadcast inside a tunnel, whose outer header is new each time. */
    function look(frame: Frame, layer: number): void {
      if (isDatagram(frame, layer)) return;
      const segment = segmentAt(network, frame, layer);
      if (segment < 0) return;
      const row = inTunnels.observe(frame, layer, segment);
      const sightings = inTunnels.count(row);
      const needed = neededFor(frame, layer);
      if (sightings < needed) return;
      const first = evidence(frame, layer, inTunnels.firstNumber(row), 'the frame');
      note(segment, layer, frame, sightings, needed, first, inTunnels.firstTime(row));
    }

    /** A tunnel's header in `layer`, the Ethernet frame behind it. */
    function lookInside(frame: Frame, layer: number): void {
      const inner = layer + 1;
      if (inner >= frame.readable || frame.kinds[inner] !== Protocol.Ethernet) return;
      if ((frame.view.getUint8(frame.offsets[inner]) & 1) !== 0) look(frame, inner);
    }

    return {
      layers: {
        Vxlan: lookInside,
        Geneve: lookInside,
        Gre(frame, layer) {
          // Others are mirrors: ERSPAN.
          if (greProtocolType(frame.view, frame.offsets[layer]) === BRIDGED) lookInside(frame, layer);
        },
      },
      events: {
        copied(copy, frame, base) {
          if (isDatagram(frame, 0)) return;
          if (!isToGroup(frame)) {
            const times = copies.count(copy) + 1;
            if (times === DOUBLED && (doubled.has(base) || doubled.size < MAX_PORTS))
              doubled.set(base, (doubled.get(base) ?? 0) + 1);
            if (times > (unicast.get(base) ?? DOUBLED) && unicast.size < MAX_PORTS) unicast.set(base, times);
            return;
          }
          const sightings = sightingsOf(copy, frame);
          const needed = neededFor(frame, 0);
          if (sightings < needed) return;
          const first = evidence(frame, 0, copies.firstNumber(copy), 'the frame');
          note(base, 0, frame, sightings, needed, first, copies.firstTime(copy));
        },
      },
      captureEnd(capture) {
        for (const port of ports.values()) if (port.capture === capture) tell(port);
      },
    };
  },
};

function evidence(frame: Frame, layer: number, number: number, note: string): EvidenceRef {
  return { ...headerOf(frame, layer, 'ethernet', note), frame: number };
}

/**
 * The threshold for the frame in `link`. Announcements come in bursts: keepalived sends five at once, and five again. What the capture cut off
 * may tell frames apart, or be one.
 */
function neededSightings(frame: Frame, link: number): 'likely' | 'certain' | 'cooked' {
  if (frame.kinds[0] === Protocol.Sll || (link > 0 && frame.kinds[link - 1] === Protocol.Gre)) return 'cooked';
  if (frame.end - frame.start < frame.wireLength) return 'certain';
  const layer = frame.layerCount - 1;
  const at = frame.offsets[layer];
  if (layer >= frame.readable) return 'likely';
  if (frame.kinds[layer] === Protocol.Icmpv6)
    return isAdvertisedToAll(frame, layer) || isReport(frame, layer) ? 'certain' : 'likely';
  if (frame.kinds[layer] !== Protocol.Arp || !isEthernetIpv4(frame.view, at)) return 'likely';
  const isAnnouncement =
    frame.view.getInt32(at + SPA) === frame.view.getInt32(at + TPA) ||
    arpOperation(frame.view, at) === ArpOperation.Reply;
  return isAnnouncement ? 'certain' : 'likely';
}

/** A host says what groups it is in, some times at once when an address comes up (RFC 3810 section 8.3.2); a reflecting switch doubles them. */
function isReport({ view, offsets }: Frame, layer: number): boolean {
  const type = icmpv6Type(view, offsets[layer]);
  return type === Icmpv6Type.ListenerReport || type === Icmpv6Type.ListenerReportV2;
}

/** A neighbor advertisement that nobody asked for (RFC 4861 section 7.2.6), which takes the place of gratuitous ARP. */
function isAdvertisedToAll({ view, kinds, offsets }: Frame, layer: number): boolean {
  return (
    icmpv6Type(view, offsets[layer]) === Icmpv6Type.NeighborAdvertisement &&
    kinds[layer - 1] === Protocol.Ipv6 &&
    view.getUint8(offsets[layer - 1] + IPV6_DESTINATION) === 0xff
  );
}
