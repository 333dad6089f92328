import type { Device } from '../../network/context/device.js';
import { Claim } from '../../network/neighbors/bindings.js';
import type { Network } from '../../network/network.js';
import type { Frame } from '../../wire/frame.js';
import { Icmpv6Type, icmpv6Type, TARGET } from '../../wire/icmpv6.js';
import { printable } from '../../wire/printable.js';
import { Protocol } from '../../wire/protocol.js';
import { at as atHost } from '../parts/device-argument.js';
import { linkBelow } from '../parts/link.js';
import { asSymptom, inNamespace, label, questionOf, requestFrames } from '../parts/question.js';
import { segmentAt } from '../parts/segment.js';
import { FRESH_TTLS } from '../parts/ttl.js';
import type { EvidenceRef, Remedy, Rule } from '../rule.js';

const MAX_QUESTIONS = 1000;
/** Bytes of a neighbor solicitation or advertisement without options (RFC 4861 sections 4.3, 4.4). */
const MESSAGE_LENGTH = 24;

/** A question in vain. */
interface Pending {
  readonly row: number;
  readonly segment: number;
  /** Row of the machine in `Stations`, -1 if it was not seen yet, and the frames it had sent when the question was found in vain. */
  readonly station: number;
  readonly sent: number;
  /** A question that was sent to the machine itself, and its answer. */
  asked: EvidenceRef | null;
  answered: EvidenceRef | null;
}

/** Multicast questions for an address do not arrive, and its machine is alive (catalogue A18). */
export const multicastFiltered: Rule = {
  meta: {
    id: 'nd/multicast-filtered',
    severity: 'warning',
    summary: 'Neighbor solicitations sent to a group do not arrive, while unicast for the same machine does',
    catalogue: 'A18',
    silence: true,
    thresholds: {
      requests: {
        value: 3,
        unit: 'solicitations in vain',
        source: 'MAX_MULTICAST_SOLICIT, RFC 4861 section 10',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { resolutions, addresses, segments, stations } = network;
    const pending = new Map<number, Pending>();
    /** Segments and targets of which a hint was given. */
    const hinted = new Set<string>();
    /** Ports (base segments) where a router or switch asks for group members. */
    const queried = new Set<number>();

    /** Looks for questions to the machine itself, and their answers. */
    function note(frame: Frame, layer: number, type: number): void {
      const segment = segmentAt(network, frame, layer);
      const at = frame.offsets[layer];
      const target = addresses.ipv6(frame.view, at + TARGET);
      for (const each of pending.values()) {
        if (each.segment !== segment || resolutions.tpa(each.row) !== target) continue;
        const place = { capture: frame.capture, frame: frame.number, layer: 'icmpv6', offset: at - frame.start };
        if (type === Icmpv6Type.NeighborSolicitation) {
          if (!isUnicast(frame, layer)) continue;
          each.asked ??= { ...place, length: MESSAGE_LENGTH, note: 'the same question, sent to the machine itself' };
        } else if (each.asked) each.answered ??= { ...place, length: MESSAGE_LENGTH, note: 'and this one is answered' };
      }
    }

    function tell({ row, segment, station: known, sent, asked, answered }: Pending): void {
      const station = machineOf(network, row);
      if (resolutions.run(row) === 0 || station < 0 || network.seesAnswersTo(row) === 'no') return;
      // It has to be alive after the question.
      if (stations.sent(station) <= (station === known ? sent : 0)) return;
      const question = questionOf(network, row);
      const { context } = network;
      const port = context && question.target ? context.switchPort(question.target.parent ?? question.target) : null;
      const how = filterOf(port);
      // The host context shows the port of the target, and that it gets every multicast.
      if (how === 'none') return;
      const { spa, tpa, requests, mac } = question;
      const machine = stations.format(station);
      const hasQueries = queried.has(segments.baseOf(segment));
      // A bridge that knows of no querier floods, snooping or not (kernel: `br_multicast_querier_exists`).
      const snoops = how === 'bridge' && (hasQueries || port?.master?.multicastQuerier === true);
      const isSure = answered !== null || how === 'port' || snoops;
      // One hint for a target, whoever looks for it.
      const target = `${segment} ${tpa}`;
      if (!isSure && hinted.has(target)) return;
      if (!isSure && hinted.size < MAX_QUESTIONS) hinted.add(target);
      report({
        ...question,
        confidence: isSure ? 'likely' : 'hint',
        title: `${tpa} is alive and does not hear who looks for it: multicast is filtered`,
        summary:
          `${spa} (${mac}) solicits ${tpa} at its multicast group, ${requests} times in vain. ${machine}, which has the address, sends frames all the while` +
          `${answered ? ', and the same question sent to it alone is answered' : ''}. ` +
          `${hasQueries ? 'Queries for group members (MLD) are seen here.' : 'No query for group members (MLD) is in this capture.'}`,
        subject: { ip: tpa, requester: spa, mac: machine },
        evidence: [...requestFrames(network, question), ...(asked && answered ? [asked, answered] : [])],
        cause:
          how === 'port'
            ? 'The switch port of the target gets no multicast that nobody on it asked for (mcast_flood off).'
            : 'A switch passes multicast on to those ports only from which it heard a report for the group (MLD snooping), and it heard none from the target: ' +
              'its report is lost or filtered, or nobody asks for reports any more (no MLD querier) and the group has aged.',
        remedy: remedyOf(port, how, question.target),
        caveats: isSure
          ? []
          : [`a firewall at ${tpa} that drops solicitations, or an address that was taken away there, looks alike`],
        wouldRaise: isSure
          ? [`a capture at ${tpa}: the solicitations do not arrive`]
          : [
              `a capture at ${tpa}: the solicitations do not arrive`,
              'the host context of the switch (--context): mcast_snooping, mcast_flood',
            ],
        context: port && how ? [contextOf(port, how)] : [],
        explains: asSymptom(question).filter(({ rule }) => rule !== 'nd/multicast-filtered'),
      });
    }

    return {
      layers: {
        Icmpv6(frame, layer) {
          const type = icmpv6Type(frame.view, frame.offsets[layer]);
          if (type === Icmpv6Type.ListenerQuery) {
            if (queried.size < MAX_QUESTIONS) queried.add(segments.base(frame));
          } else if (
            pending.size > 0 &&
            (type === Icmpv6Type.NeighborSolicitation || type === Icmpv6Type.NeighborAdvertisement)
          )
            note(frame, layer, type);
        },
      },
      events: {
        unanswered(row) {
          if (addresses.isIpv4(resolutions.tpa(row)) || resolutions.requests(row) < thresholds.requests) return;
          const segment = resolutions.segment(row);
          if (resolutions.sweeps(segment, resolutions.hi(row), resolutions.lo(row))) return;
          const station = machineOf(network, row);
          if (pending.has(row) || pending.size === MAX_QUESTIONS) return;
          const sent = station < 0 ? 0 : stations.sent(station);
          pending.set(row, { row, segment, station, sent, asked: null, answered: null });
        },
      },
      captureEnd(capture) {
        for (const [row, each] of pending) {
          if (segments.captureOf(each.segment) !== capture) continue;
          tell(each);
          pending.delete(row);
        }
      },
    };
  },
};

/**
 * The station that has the target of a question: the one that sends from it, else the one whose MAC is in it (modified
 * EUI-64, RFC 4291 appendix A). -1 where none is known, or it is the asker itself.
 */
function machineOf({ resolutions, bindings, stations, addresses }: Network, row: number): number {
  const segment = resolutions.segment(row);
  const tpa = resolutions.tpa(row);
  const users = bindings.of(segment, tpa).filter((binding) => (bindings.claims(binding) & Claim.Source) !== 0);
  // A router that passes its packets on is not its machine. What is for the link only (reports of MLD) has a hop limit of 1.
  if (users.length === 1 && ![1, ...FRESH_TTLS].includes(bindings.ttl(users[0]))) users.pop();
  if (users.length > 1) return -1;
  let hi = 0;
  let lo = 0;
  if (users.length === 1) {
    hi = bindings.hi(users[0]);
    lo = bindings.lo(users[0]);
  } else {
    const [, , upper, lower] = addresses.words(tpa);
    if ((upper & 0xff) !== 0xff || lower >>> 24 !== 0xfe) return -1;
    hi = (upper >>> 16) ^ 0x0200;
    lo = ((upper & 0xff00) << 16) | (lower & 0xffffff);
  }
  if (hi === resolutions.hi(row) && lo === resolutions.lo(row)) return -1;
  return stations.find(segment, hi, lo);
}

/** What the host context says of the target's switch port: it keeps multicast away, the bridge snoops, or neither; null where it is silent. */
function filterOf(port: Device | null): 'port' | 'bridge' | 'none' | null {
  if (!port) return null;
  if (port.multicastFlood === false) return 'port';
  const snooping = port.master?.multicastSnooping ?? null;
  if (snooping === true) return 'bridge';
  return snooping === false && port.multicastFlood === true ? 'none' : null;
}

function contextOf(port: Device, how: 'port' | 'bridge' | 'none'): string {
  if (how === 'port') return `switch port ${label(port)}: mcast_flood off`;
  return `${port.master ? label(port.master) : 'the bridge'}: mcast_snooping on`;
}

function remedyOf(port: Device | null, how: 'port' | 'bridge' | 'none' | null, target: Device | null): Remedy[] {
  const bridge = port?.master ?? null;
  const at = (command: string) => (bridge ? inNamespace(bridge, command) : printable(command));
  const name = bridge?.name ?? '<bridge>';
  const portName = port?.name ?? '<port of the target>';
  const open = {
    text: 'Let the port have all multicast; lasts until it is made anew',
    commands: [at(`bridge link set dev ${portName} mcast_flood on`)],
  };
  if (how === 'port') return [open];
  return [
    {
      text: 'See which groups the switch knows, and at which ports (Linux bridge)',
      commands: [at(`bridge mdb show dev ${name}`)],
    },
    {
      text: 'Send all multicast to all ports; lasts until the bridge is made anew',
      commands: [at(`ip link set ${name} type bridge mcast_snooping 0`)],
    },
    {
      text: 'Or keep snooping, and let the bridge ask for group members',
      commands: [at(`ip link set ${name} type bridge mcast_querier 1`)],
    },
    {
      text: 'Or see that the target may send its reports: firewalls must let ICMPv6 types 131 and 143 out',
      commands: [
        atHost(
          target,
          `tcpdump -eni ${target ? printable(target.name) : 'any'} "icmp6 && (ip6[40] == 143 || ip6[48] == 143 || ip6[48] == 131)"`,
        ),
      ],
    },
  ];
}

/** Whether the frame was sent to one station; a cooked header of an outgoing frame does not say. */
function isUnicast(frame: Frame, layer: number): boolean {
  let ip = layer - 1;
  while (ip > 0 && frame.kinds[ip] === Protocol.Ipv6Extension) ip--;
  if (frame.kinds[ip] !== Protocol.Ipv6 || linkBelow(frame, ip) < 0) return false;
  // The first byte of the IPv6 destination: ff is a group.
  return frame.view.getUint8(frame.offsets[ip] + 24) !== 0xff;
}
