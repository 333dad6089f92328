import { macKey } from '../../network/context/address.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { ArpOperation, arpOperation, isEthernetIpv4, SPA, TPA } from '../../wire/arp.js';
import { Direction, type Frame } from '../../wire/frame.js';
import { Icmpv6Type, icmpv6Type } from '../../wire/icmpv6.js';
import { Protocol } from '../../wire/protocol.js';
import { PacketType, sll2PacketType } from '../../wire/sll.js';
import { pairOf } from '../parts/evidence.js';
import { sourceAt } from '../parts/link.js';
import { label } from '../parts/question.js';
import type { EvidenceRef, Rule } from '../rule.js';

const MAX_PORTS = 1000;
const MAX_FRAMES = 64;
const MAX_SENDERS = 16;

/**
 * What one port saw of ARP and ICMP; programs repeat their own datagrams, but nobody repeats these in milliseconds. Announcements
 * are left out: VRRP and cluster managers send them in bursts.
 */
interface Port {
  readonly base: number;
  readonly capture: number;
  /** Broadcast and multicast that came in, copies included, and how many of them were the second of a pair. */
  groupIn: number;
  pairs: number;
  /** As above, unicast. */
  unicastIn: number;
  unicastPairs: number;
  /** Broadcast and multicast that went out, how many of them twice, and how many came back in or, without directions, are there again. */
  groupOut: number;
  outPairs: number;
  back: number;
  again: number;
  /** One frame came so often that it goes round. */
  loops: boolean;
  readonly senders: Set<number>;
  /** Own MACs whose frames came back. */
  readonly own: Set<string>;
  first: number;
  last: number;
  readonly frames: EvidenceRef[];
}

/** Broadcasts reach this machine by two uplinks at once, and each is delivered (catalogue B12). */
export const promiscuousDuplicates: Rule = {
  meta: {
    id: 'bridge/promiscuous-duplicates',
    severity: 'warning',
    summary: 'Every broadcast comes in twice, unicast once: two uplinks of one switch deliver it both',
    catalogue: 'B12',
    thresholds: {
      pairs: { value: 4, unit: 'frames that came in twice', source: 'fewer may be chance' },
      share: {
        value: 0.8,
        unit: 'share of the broadcasts and multicasts that come in twice',
        source: 'two paths deliver every one; one in five may have been lost or late',
      },
      milliseconds: {
        value: 5,
        unit: 'milliseconds between the two',
        source: 'catalogue B12 says within 1 ms; a busy host hands frames on later',
      },
      loop: { value: 5, unit: 'sightings of one frame that speak of a loop', source: 'uplinks are two, seldom more' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { copies } = network;
    const ports = new Map<number, Port>();

    function portOf(base: number, frame: Frame): Port | undefined {
      let port = ports.get(base);
      if (!port && ports.size < MAX_PORTS && base >= 0) {
        const counts = {
          groupIn: 0,
          pairs: 0,
          unicastIn: 0,
          unicastPairs: 0,
          groupOut: 0,
          outPairs: 0,
          back: 0,
          again: 0,
        };
        const { capture, time } = frame;
        const lists = { senders: new Set<number>(), own: new Set<string>(), frames: [] };
        port = { base, capture, ...counts, loops: false, ...lists, first: time, last: time };
        ports.set(base, port);
      }
      return port;
    }

    /** A frame of ARP or ICMP, copy or not; most captures do not tell which way it went. */
    function look(frame: Frame, layer: number): void {
      if (frame.direction !== Direction.Unknown || network.vantage !== null) count(frame, layer);
    }

    function count(frame: Frame, layer: number): void {
      if (frame.direction === Direction.Unknown && (!network.context || !network.vantage)) return;
      if (isAnnouncement(frame, layer)) return;
      const way = wayOf(network, frame, layer);
      const port = way === Direction.Unknown ? undefined : portOf(network.segments.base(frame), frame);
      if (!port) return;
      const isGroup = isToGroup(frame, layer);
      if (way === Direction.Out) {
        if (isGroup) port.groupOut++;
      } else if (isGroup) port.groupIn++;
      else port.unicastIn++;
    }

    function tell(port: Port): void {
      const { base, capture, pairs, groupIn, unicastIn, groupOut, back, first, last, frames, senders } = port;
      const key = String(base);
      const isTap = port.unicastPairs > 0 || port.outPairs > 0;
      // The port itself sends back what comes in, and nothing but the context would tell which way the second went.
      const isHairpin = network.vantage?.hairpin === true;
      if (isHairpin || port.loops || isTap || pairs < thresholds.pairs || 2 * pairs < thresholds.share * groupIn) {
        withdraw(key);
        return;
      }
      // A tap doubles unicast, and what goes out, as well.
      const isNoTap = unicastIn >= 2 || groupOut - port.again >= 2;
      const isSure = isNoTap && (senders.size > 1 || back > 0);
      const { vantage } = network;
      const isBond = vantage?.kind === 'bond' || vantage?.masterKind === 'bond';
      report({
        key,
        segment: base,
        capture,
        count: pairs,
        first,
        last,
        confidence: isSure ? 'likely' : 'hint',
        title: `Broadcasts come in twice: ${pairs} pairs, and no unicast is doubled`,
        summary:
          `${pairs} broadcasts or multicasts came in twice within ${thresholds.milliseconds} ms, byte for byte, from ${senders.size === 1 ? 'one station' : `${senders.size} stations`}; ` +
          `${unicastIn} unicast frames of the same kinds came in once each. ${back > 0 ? `${back === 1 ? 'One broadcast of this machine itself' : `${back} broadcasts of this machine itself`} came back in. ` : ''}` +
          'Two uplinks of one switch take in what the network floods, and both hand it on to this machine.',
        subject: vantage ? { device: label(vantage) } : {},
        evidence: frames,
        cause: isBond
          ? 'The members of the bond are separate ports for the switch (no LACP, no static trunk), so that each of them gets what is flooded.'
          : 'A promiscuous port group or bridge behind two teamed uplinks that are separate ports for the switch: a port that takes in everything gets what each of them receives. A bond without LACP on the switch does the same.',
        remedy: [
          {
            text: 'ESXi: drop what comes in by the uplink that the machine does not use; then set promiscuous mode of the port group anew',
            commands: ['esxcli system settings advanced set -o /Net/ReversePathFwdCheckPromisc -i 1'],
          },
          {
            text: 'Bond: one trunk on both sides (the switch needs LACP on these ports too), or one active member',
            commands: ['ip link set <bond> type bond mode 802.3ad', 'ip link set <bond> type bond mode active-backup'],
          },
          {
            text: 'Kubernetes: hairpin on the veth rather than a promiscuous bridge',
            commands: ['kubelet --hairpin-mode=hairpin-veth'],
          },
        ],
        caveats: [
          ...(isNoTap ? [] : ['no unicast came in that would tell this from a tap that doubles everything']),
          ...(senders.size > 1 || back > 0
            ? []
            : ['one station alone is doubled: it may send everything twice itself']),
        ],
        wouldRaise: ['a capture at each uplink of the virtual switch: the same broadcast comes in at both'],
        context: isBond && vantage ? [`${label(vantage)} belongs to a bond`] : [],
        explains: [
          { rule: 'ethernet/reflection', key },
          { rule: 'ip/duplicate-datagrams', key: `port ${base}` },
          { rule: 'capture/duplicated-by-tap', key: String(capture) },
          ...[...port.own].map((mac) => ({ rule: 'nd/dad-reflected' as const, key: `${base} ${mac}` })),
        ],
      });
    }

    return {
      layers: { Arp: look, Icmp: look, Icmpv6: look },
      events: {
        copied(copy, frame, base) {
          const layer = countedLayer(frame);
          if (isAnnouncement(frame, layer)) return;
          const way = wayOf(network, frame, layer);
          const port = way === Direction.Unknown ? undefined : portOf(base, frame);
          if (!port) return;
          if (copies.count(copy) + 1 >= thresholds.loop) port.loops = true;
          const isGroup = isToGroup(frame, layer);
          const before = copies.firstDirection(copy);
          const wasOut = before === Direction.Unknown ? way === Direction.Out : before === Direction.Out;
          if (wasOut && isGroup && (way === Direction.In || before === Direction.Unknown)) {
            port.back++;
            if (way === Direction.In) port.groupIn--;
            else {
              port.groupOut--;
              // Only the context says that it is the machine's own: a tap would show it twice as well.
              port.again++;
            }
            if (port.own.size < MAX_SENDERS) port.own.add(formatMac(...sourceAt(frame, 0)));
            return;
          }
          if (copies.count(copy) > 1) {
            if (isGroup && way === Direction.In) port.groupIn--;
            return;
          }
          if (frame.time - copies.firstTime(copy) > thresholds.milliseconds * 1e6) return;
          if (way === Direction.Out) {
            // Answers to a question that came twice go out twice.
            if (isGroup) port.outPairs++;
          } else if (!isGroup) port.unicastPairs++;
          else {
            port.pairs++;
            if (port.pairs === 1) port.first = copies.firstTime(copy);
            port.last = frame.time;
            if (port.senders.size < MAX_SENDERS) port.senders.add(macKey(...sourceAt(frame, 0)));
            if (port.frames.length + 2 <= MAX_FRAMES)
              port.frames.push(
                ...pairOf(frame, copies.firstNumber(copy), ['comes in', 'the same frame comes in again']),
              );
          }
        },
      },
      captureEnd(capture) {
        for (const port of ports.values()) if (port.capture === capture) tell(port);
      },
    };
  },
};

/** The header of ARP or ICMP, in front of what a ping carries or an error quotes; 0 in other frames. */
function countedLayer({ kinds, readable }: Frame): number {
  for (let layer = readable - 1; layer > 0; layer--) {
    const kind = kinds[layer];
    if (kind === Protocol.Arp || kind === Protocol.Icmp || kind === Protocol.Icmpv6) return layer;
  }
  return 0;
}

/** Somebody tells all where it is, without being asked: gratuitous ARP, a neighbor advertisement to a group. */
function isAnnouncement(frame: Frame, layer: number): boolean {
  const { view, kinds, offsets, limits, readable } = frame;
  if (layer >= readable) return false;
  const at = offsets[layer];
  if (kinds[layer] === Protocol.Arp)
    return isEthernetIpv4(view, at) && view.getInt32(at + SPA) === view.getInt32(at + TPA);
  return (
    kinds[layer] === Protocol.Icmpv6 &&
    at < limits[layer] &&
    icmpv6Type(view, at) === Icmpv6Type.NeighborAdvertisement &&
    isToGroup(frame, layer)
  );
}

/** Which way a frame of ARP or ICMP went, by its record or by the host context; unknown for other frames and inside tunnels. */
function wayOf({ context, vantage }: Network, frame: Frame, layer: number): Direction {
  const { kinds, direction } = frame;
  const kind = kinds[layer];
  if (kind !== Protocol.Arp && kind !== Protocol.Icmp && kind !== Protocol.Icmpv6) return Direction.Unknown;
  // LINUX_SLL does not tell devices apart: a broadcast is there once for each that it passes.
  if (kinds[0] !== Protocol.Ethernet && kinds[0] !== Protocol.Sll2) return Direction.Unknown;
  for (let each = 1; each < layer; each++) {
    const between = kinds[each];
    if (
      between !== Protocol.Vlan &&
      between !== Protocol.Ipv4 &&
      between !== Protocol.Ipv6 &&
      between !== Protocol.Ipv6Extension
    )
      return Direction.Unknown;
  }
  if (direction !== Direction.Unknown || !context || !vantage) return direction;
  return context.localMac(vantage, ...sourceAt(frame, 0)) === 'local' ? Direction.Out : Direction.In;
}

function isToGroup({ view, kinds, offsets, readable }: Frame, layer: number): boolean {
  const at = offsets[0];
  if (kinds[0] === Protocol.Ethernet) return (view.getUint8(at) & 1) !== 0;
  const type = sll2PacketType(view, at);
  if (type === PacketType.Broadcast || type === PacketType.Multicast) return true;
  // A cooked header does not say whom an outgoing frame is for; questions are broadcast, mostly.
  return (
    type === PacketType.Outgoing &&
    kinds[layer] === Protocol.Arp &&
    layer < readable &&
    arpOperation(view, offsets[layer]) === ArpOperation.Request
  );
}
