import type { Device } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { printable } from '../../wire/printable.js';
import { inNamespace, label, questionOf } from '../parts/question.js';
import { asRepeated } from '../parts/repeated.js';
import { isVirtualRouter } from '../parts/virtual-router.js';
import type { Rule } from '../rule.js';
import { answeredByBond, bondOf } from './parts/answered-by-bond.js';
import { Contests, claimsItself } from './parts/claimants.js';

/** Sources of frames that are told at most, and sender hardware addresses that are named of one. */
const MAX_TOLD = 1000;
const MAX_NAMED = 8;

/** ARP names a hardware address that its frame does not come from (catalogue A11). */
export const senderMismatch: Rule = {
  meta: {
    id: 'arp/sender-mismatch',
    severity: 'warning',
    summary: 'ARP names another MAC than its frame comes from: answers go to a MAC that switches do not learn',
    catalogue: 'A11',
    thresholds: {
      packets: {
        value: 3,
        unit: 'ARP packets with the same two addresses',
        source: 'one or two may be damaged, or sent by hand; three are the tries of one resolution (mcast_solicit)',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { arpSenders, stations, segments, addresses, resolutions } = network;
    /** Rows of `arpSenders` by the source of the frames. */
    const sources = new Map<string, Set<number>>();
    /** Questions that were asked again though answered: the answers were lost on their way to such a MAC. */
    const repeated = new Set<number>();

    function tell(key: string, all: ReadonlySet<number>): void {
      const rows = [...all].filter((row) => arpSenders.packets(row) >= thresholds.packets && isOdd(network, row));
      if (rows.length === 0) {
        withdraw(key);
        return;
      }
      const [{ source, segment, hi, lo }] = rows.map((row) => sourceOf(network, row));
      const capture = segments.captureOf(segment);
      const unheard = rows.filter((row) => !isHeard(network, row));
      const told = unheard.length > 0 ? unheard : rows;
      const names = told.slice(0, MAX_NAMED).map((row) => nameOf(network, row));
      const list = `${names.join(', ')}${told.length > names.length ? ` and ${told.length - names.length} more` : ''}`;
      const count = told.reduce((sum, row) => sum + arpSenders.packets(row), 0);
      const [row] = told;
      const bond = bondOf(network, hi, lo);
      const victim = told.map((each) => holderOf(network, each)).find((each) => each !== null) ?? null;
      const isSent = unheard.some((each) => {
        const station = stations.find(segment, arpSenders.hi(each), arpSenders.lo(each));
        return station >= 0 && stations.wasWrittenTo(station);
      });
      report({
        key,
        segment,
        capture,
        severity: unheard.length > 0 ? 'warning' : 'info',
        confidence: bond ? 'certain' : 'likely',
        title:
          told.length === 1
            ? `ARP of ${names[0]} comes in frames from ${source}`
            : `ARP of ${told.length} senders comes in frames from ${source}: ${list}`,
        summary:
          `${count} ARP packets say that they are from ${list}, but ${source} is the source of their frames. ` +
          (unheard.length > 0
            ? `Answers go to the MAC that ARP names, and no frame comes from there: switches never learn where it is. They flood what is sent to it to all ports, or drop it.${isSent ? ' Frames to it were seen here.' : ''}`
            : 'Frames come from the MAC that ARP names as well: switches learn it, but not where this sender is.'),
        subject: {
          mac: source,
          sha: formatMac(arpSenders.hi(row), arpSenders.lo(row)),
          ...(arpSenders.spa(row) < 0 ? {} : { ip: addresses.format(arpSenders.spa(row)) }),
        },
        count,
        first: Math.min(...told.map((each) => arpSenders.first(each))),
        last: Math.max(...told.map((each) => arpSenders.last(each))),
        evidence: told.slice(0, MAX_NAMED).flatMap((each) => {
          const note = `ARP of ${nameOf(network, each)} in a frame from ${source}`;
          return arpSenders.places(each).map((place) => ({ capture, layer: 'arp', note, ...place }));
        }),
        cause: causeOf(bond, victim),
        remedy: remedies(bond, source),
        wouldRaise: bond
          ? []
          : [`\`ip -d link\` of the host that has ${source} (--context): whether it is in a bond, and in which mode`],
        context: bond ? [`${label(bond)}: bond, mode ${printable(bond.mode ?? '')}`] : [],
        explains: unheard.length === 0 ? [] : [...repeated].filter((each) => isAskedBy(each, unheard)).map(symptomOf),
      });
    }

    function isAskedBy(question: number, rows: readonly number[]): boolean {
      return rows.some(
        (row) =>
          resolutions.lo(question) === arpSenders.lo(row) &&
          resolutions.hi(question) === arpSenders.hi(row) &&
          resolutions.segment(question) === arpSenders.segment(row),
      );
    }

    function symptomOf(question: number) {
      return asRepeated(questionOf(network, question));
    }

    const contests = new Contests(network, (claim, claimants) => {
      const diagnosis = answeredByBond(network, claim, claimants);
      if (diagnosis) report(diagnosis);
    });

    return {
      events: {
        ...contests.events,
        arpFromOther(row) {
          const { segment, source } = sourceOf(network, row);
          const key = `${segment} ${source}`;
          let rows = sources.get(key);
          if (!rows) {
            if (sources.size === MAX_TOLD) return;
            rows = new Set();
            sources.set(key, rows);
          }
          if (rows.size < MAX_TOLD) rows.add(row);
          if (arpSenders.packets(row) >= thresholds.packets) tell(key, rows);
        },
        askedAgain(question) {
          if (repeated.size < MAX_TOLD) repeated.add(question);
        },
      },
      captureEnd(capture) {
        contests.again(capture);
        for (const [key, rows] of sources) tell(key, rows);
      },
    };
  },
};

function sourceOf({ arpSenders }: Network, row: number) {
  const hi = arpSenders.sourceHi(row);
  const lo = arpSenders.sourceLo(row);
  return { segment: arpSenders.segment(row), hi, lo, source: formatMac(hi, lo) };
}

/**
 * Whether it is none of those who do so by design: virtual routers, which answer for the virtual MAC with their own, and clusters
 * that share an address of a group or mask their own (Microsoft NLB). A station that also says properly that it has
 * the address sent something damaged.
 */
function isOdd(network: Network, row: number): boolean {
  const { arpSenders, bindings } = network;
  const [hi, lo] = [arpSenders.hi(row), arpSenders.lo(row)];
  const source = sourceOf(network, row);
  if (isVirtualRouter(hi, lo) || isVirtualRouter(source.hi, source.lo)) return false;
  // Bit 0 of the first byte: a group. 02:bf is the MAC of a Microsoft NLB cluster, whose hosts send from 02:01, 02:02 …
  if ((hi & 0x100) !== 0 || hi === 0x02bf || (hi | lo) === 0) return false;
  const spa = arpSenders.spa(row);
  const own = spa < 0 ? -1 : bindings.find(source.segment, source.hi, source.lo, spa);
  return own < 0 || !claimsItself(network, own);
}

/** Whether frames come from the MAC that ARP names. */
function isHeard({ arpSenders, stations }: Network, row: number): boolean {
  const station = stations.find(arpSenders.segment(row), arpSenders.hi(row), arpSenders.lo(row));
  return station >= 0 && stations.sent(station) > 0;
}

/** `10.0.0.2 (02:00:00:00:00:02)`: the sender by its ARP. */
function nameOf({ arpSenders, addresses }: Network, row: number): string {
  const sha = formatMac(arpSenders.hi(row), arpSenders.lo(row));
  return arpSenders.spa(row) < 0 ? sha : `${addresses.format(arpSenders.spa(row))} (${sha})`;
}

/** The MAC of a third station that says properly that it has the address, null if there is none. */
function holderOf({ arpSenders, claims, bindings }: Network, row: number): string | null {
  if (arpSenders.spa(row) < 0) return null;
  const holder = claims.holder(arpSenders.segment(row), arpSenders.spa(row));
  if (holder < 0) return null;
  const isNamed = bindings.hi(holder) === arpSenders.hi(row) && bindings.lo(holder) === arpSenders.lo(row);
  return isNamed ? null : formatMac(bindings.hi(holder), bindings.lo(holder));
}

function causeOf(bond: Device | null, victim: string | null): string {
  if (bond)
    return `${label(bond)} is a bond in mode ${printable(bond.mode ?? '')}: it gives frames the MAC of the slave that they leave by, those of macvlan children and of bridged guests too, and leaves the ARP inside as it is.`;
  if (victim !== null)
    return `${victim} holds the address: somebody speaks in its name, and gives a MAC that cuts the address off (netcut, arpspoof), or a device that forwards between the two rewrites MACs.`;
  return (
    'Something between the sender and here rewrites the source of frames and not the ARP inside: a bond in mode balance-alb or balance-tlb under macvlan or a bridge, ' +
    'a Wi-Fi client bridge or repeater, a bridge with source MAC translation (ebtables snat without --snat-arp). Or a tool forges ARP.'
  );
}

function remedies(bond: Device | null, source: string) {
  const name = bond ? printable(bond.name) : '<bond>';
  const at = (command: string) => (bond ? inNamespace(bond, command) : command);
  return [
    {
      text: `At the host that has ${source}: is it in a bond, and in which mode`,
      commands: [at(`ip -o link | grep -i ${source}`), at('grep -H "Bonding Mode" /proc/net/bonding/*')],
    },
    {
      text: 'A bond: a mode that leaves MACs alone (active-backup, or 802.3ad with LACP at the switch). The bond has to be down and without slaves for it',
      commands: [at(`ip link set ${name} type bond mode active-backup`)],
    },
    {
      text: 'A Wi-Fi client bridge: four addresses (WDS), at both ends',
      commands: ['iw dev <device> set 4addr on'],
    },
    {
      text: 'A bridge that translates source MACs: the ARP inside too',
      commands: [
        'ebtables -t nat -L',
        `ebtables -t nat -A POSTROUTING -o <device> -j snat --to-source ${source} --snat-arp`,
      ],
    },
  ];
}
