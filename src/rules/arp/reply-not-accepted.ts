import { macKey } from '../../network/context/address.js';
import type { Network } from '../../network/network.js';
import type { Frame } from '../../wire/frame.js';
import { Icmpv6Type, icmpv6Type } from '../../wire/icmpv6.js';
import { ipv4Destination } from '../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import { at } from '../parts/device-argument.js';
import { filteredNeighbor } from '../parts/firewalls/filtered-neighbor.js';
import { linkBelow, sourceAt } from '../parts/link.js';
import { label, type Question, questionOf } from '../parts/question.js';
import { repeatedFrames } from '../parts/repeated.js';
import { segmentAt } from '../parts/segment.js';
import type { Rule } from '../rule.js';

/** Askers watched at once for the packet that excuses them. */
const MAX_WATCHED = 1024;

/** Answered, and asked again all the same (catalogue A6). */
export const replyNotAccepted: Rule = {
  meta: {
    id: 'arp/reply-not-accepted',
    severity: 'warning',
    summary: 'A host asks again and again although it is answered: the answers do not reach it, or it refuses them',
    catalogue: 'A6',
    thresholds: {
      repetitions: {
        value: 2,
        unit: 'requests that come again though answered',
        source: 'with the first as many as the kernel sends before it gives up (mcast_solicit)',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions } = network;
    const { repeats } = resolutions;
    /** Askers by MAC, with the rows of the resolutions that they repeat. */
    const watched = new Map<number, Set<number>>();
    /** As `watched.size > 0`, which compiled code would have to call for, with each packet. */
    let watches = false;
    const told = new Set<number>();

    function watch(row: number): void {
      const key = macKey(resolutions.hi(row), resolutions.lo(row));
      const rows = watched.get(key) ?? new Set();
      if (watched.size < MAX_WATCHED) watched.set(key, rows);
      watches = true;
      if (rows.size < MAX_WATCHED) rows.add(row);
    }

    /** Whether a packet shows that the asker has learned the answer: it writes to the target, or through it. */
    function shows(frame: Frame, layer: number, link: number, row: number): boolean {
      if (segmentAt(network, frame, layer) !== resolutions.segment(row)) return false;
      const { view } = frame;
      const to = destinationOf(network, frame, layer);
      if (to.address === resolutions.tpa(row)) return true;
      if (frame.kinds[link] !== Protocol.Ethernet) return !to.isGroup;
      const holder = holderOf(network, resolutions.segment(row), resolutions.tpa(row));
      const at = frame.offsets[link];
      return holder !== null && view.getUint16(at) === holder.hi && view.getInt32(at + 2) === holder.lo;
    }

    function excuse(frame: Frame, layer: number): void {
      const link = linkBelow(frame, layer);
      if (link < 0) return;
      const key = sourceKey(frame, link);
      const rows = watched.get(key);
      if (!rows) return;
      for (const row of rows) {
        if (!shows(frame, layer, link, row)) continue;
        repeats.reset(row);
        withdraw(questionOf(network, row).key);
        rows.delete(row);
      }
      if (rows.size === 0) watched.delete(key);
      watches = watched.size > 0;
    }

    function tell(row: number): void {
      const question = questionOf(network, row);
      const misplaced = misplacedAt(network, question);
      const isTimed = repeats.isByTheClock(row) || repeats.isByProgram(row);
      const filtered = filteredNeighbor(network, question, true);
      const isFirm = filtered !== null || (!isTimed && (!repeats.hasAnswersOnly(row) || misplaced !== null));
      const { spa, tpa, mac, asker } = question;
      const times = repeats.count(row) + 1;
      report({
        ...question,
        count: times,
        first: repeats.first(row),
        last: repeats.last(row),
        confidence: isFirm ? 'likely' : 'hint',
        title: `${
          repeats.hasAnswersOnly(row)
            ? `${spa} is told again and again where ${tpa} is`
            : `${spa} asks for ${tpa} again although it is answered`
        }${filtered?.clause ?? ''}`,
        summary: repeats.hasAnswersOnly(row)
          ? `${times} answers tell ${spa} (${mac}) about a second apart where ${tpa} is; the requests pass elsewhere. Who has an answer does not ask again.`
          : `${spa} (${mac}) asks ${question.isIpv4 ? '' : 'by neighbor solicitation '}who has ${tpa} ${times} times about a second apart. An answer follows each request, and no packet ` +
            `from ${spa} to ${tpa} follows: the asking host does not get the answers, or does not take them.`,
        subject: { ip: tpa, requester: spa, mac },
        evidence: repeatedFrames(network, row),
        cause: filtered?.cause ?? misplaced ?? causeOf(network, question),
        remedy: [
          ...(filtered?.remedy ?? []),
          {
            text: 'See whether the answers reach the asking host, and what it makes of them',
            commands: [
              `tcpdump -eni ${asker?.name ?? 'any'} ${question.isIpv4 ? `arp and host ${tpa}` : `icmp6 and host ${spa}`}`,
              `ip neigh show ${tpa}`,
            ].map((command) => at(asker, command)),
          },
          {
            text: 'At the asking host: the address must sit on the device that gets the answers, not on a bridge port or under a macvlan in passthru mode',
            commands: ['ip -br addr', 'bridge link show', 'ip -d link show type macvlan'].map((command) =>
              at(asker, command),
            ),
          },
          {
            text: 'Look for filters at the asking host, and at bridges on the way back (tables of the families `arp`, `bridge` and `netdev`)',
            commands: [at(asker, 'nft list ruleset')],
          },
        ],
        caveats: [
          ...(filtered?.caveats ?? []),
          ...(isTimed && !filtered
            ? [
                repeats.isByProgram(row)
                  ? 'the requests have a target hardware address of ones, as those of arping, which asks however often it is answered'
                  : 'the requests come by the clock, each second: arping and monitoring programs ask like this',
              ]
            : []),
        ],
        wouldRaise: [`a capture at ${spa} itself: do the answers arrive there?`],
        context: [...(asker ? [label(asker)] : []), ...(filtered?.context ?? [])],
      });
    }

    return {
      layers: {
        Ipv4(frame, layer) {
          if (watches) excuse(frame, layer);
        },
        Ipv6(frame, layer) {
          if (watches && !isAdvertisement(frame, layer)) excuse(frame, layer);
        },
      },
      events: {
        askedAgain(row) {
          watch(row);
          if (repeats.count(row) < thresholds.repetitions) return;
          if (told.size < MAX_WATCHED) told.add(row);
          tell(row);
        },
      },
      // The last answer comes after the last request.
      captureEnd() {
        for (const row of told) if (repeats.count(row) >= thresholds.repetitions) tell(row);
      },
    };
  },
};

/** What the host context says of an address that another device's answers are meant for; null where it says nothing. */
function misplacedAt({ context, resolutions }: Network, { row, spa }: Question): string | null {
  const devices = context?.devicesByMac(resolutions.hi(row), resolutions.lo(row)) ?? [];
  const child = devices.find(({ mode }) => mode === 'passthru');
  const holder = devices.find(({ addresses }) => addresses.some(({ text }) => text === spa));
  if (child && holder && holder !== child)
    return `${label(child)} is in passthru mode: all that comes in for the MAC of ${label(holder)} goes to it, the answers too.`;
  if (holder?.masterKind === 'bridge')
    return `${spa} sits on ${label(holder)}, which is a bridge port: what comes in there belongs to the bridge, the answers too.`;
  return null;
}

/** From which side the capture looks: what was sent here does not arrive, or what arrives here is refused. */
function causeOf(network: Network, { row, segment, spa, tpa }: Question): string {
  const { resolutions, stations } = network;
  const asker = stations.find(segment, resolutions.hi(row), resolutions.lo(row));
  const holder = holderOf(network, segment, resolutions.tpa(row));
  const answerer = holder === null ? -1 : stations.find(segment, holder.hi, holder.lo);
  if (answerer >= 0 && stations.sentOut(answerer) && !stations.cameIn(answerer))
    return (
      `The answers of ${tpa} leave here and do not arrive: a virtual switch drops frames from source addresses that it does not know ` +
      '(forged transmits, MAC filters, port security), or a filter on the way does.'
    );
  if (asker >= 0 && stations.sentOut(asker) && !stations.cameIn(asker))
    return (
      `The answers come in here, and ${spa} does not take them: its address sits on a bridge port or below a macvlan in passthru mode, ` +
      'so that another device gets them; or a filter (nft, ebtables, arptables) drops them.'
    );
  return (
    `Either the answers get lost on their way to ${spa} (a switch that refuses the answering MAC), or they arrive and are refused: ` +
    'the address sits on a bridge port or below a macvlan in passthru mode, another VLAN, a filter.'
  );
}

/** Hardware address of the station that says the address is its own, null if none does. */
function holderOf(network: Network, segment: number, address: number): { hi: number; lo: number } | null {
  const { claims, bindings, neighborHolders: holders, addresses } = network;
  if (addresses.isIpv4(address)) {
    const holder = claims.holder(segment, address);
    return holder < 0 ? null : { hi: bindings.hi(holder), lo: bindings.lo(holder) };
  }
  const row = holders.find(segment, address);
  return row < 0 ? null : { hi: holders.hi(row), lo: holders.lo(row) };
}

/** Whom an IP packet is for: row of `Addresses`, and whether that is a group or all. */
function destinationOf({ addresses }: Network, { view, kinds, offsets }: Frame, layer: number) {
  if (kinds[layer] === Protocol.Ipv4) {
    const address = ipv4Destination(view, offsets[layer]);
    return { address: addresses.ipv4(address), isGroup: address >>> 28 === 0xe || address === -1 };
  }
  const at = offsets[layer] + IPV6_DESTINATION;
  return { address: addresses.ipv6(view, at), isGroup: view.getUint8(at) === 0xff };
}

/** An advertisement answers a question of the target, which told its MAC with it: that the asker knows it shows nothing. */
function isAdvertisement({ view, kinds, offsets, layerCount }: Frame, layer: number): boolean {
  const inner = layer + 1;
  if (inner >= layerCount || kinds[inner] !== Protocol.Icmpv6) return false;
  return icmpv6Type(view, offsets[inner]) === Icmpv6Type.NeighborAdvertisement;
}

function sourceKey(frame: Frame, link: number): number {
  return macKey(...sourceAt(frame, link));
}
