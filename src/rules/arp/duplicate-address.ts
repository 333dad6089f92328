import type { Device } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { CHADDR, DhcpMessage, dhcpMessageType, YIADDR } from '../../wire/dhcp.js';
import { inOrder } from '../dhcp/parts/client.js';
import { confidenceBy } from '../parts/confidence.js';
import { connectionOf } from '../parts/connections/connection.js';
import { onlyOf } from '../parts/device-argument.js';
import { setting } from '../parts/setting.js';
import type { Remedy, Rule } from '../rule.js';
import { areTwoHosts, type Claimants, Contests, contestOf, kindOf } from './parts/claimants.js';
import { doubleNeighbor } from './parts/double-neighbor.js';
import { givenTwice } from './parts/given-twice.js';
import { areBoth, causeOf, DoubleLeases, type LeasedTwice, remediesOf, toldByDhcp } from './parts/leased-twice.js';
import { takeFromOne } from './parts/two-holders.js';
import { probeOf } from './probe-answered.js';

const MAX_REMEMBERED = 4096;

/** Two stations hold one address (catalogue A4). */
export const duplicateAddress: Rule = {
  meta: {
    id: 'arp/duplicate-address',
    severity: 'error',
    summary: 'Two hosts hold the same address',
    catalogue: 'A4',
    thresholds: {
      changes: {
        value: 2,
        unit: 'changes of the holder within a minute of each other, without two answers to one question',
        source: 'A-B-A: one change is a move',
      },
      announced: {
        value: 4,
        unit: 'changes in a row that are more than a hint though each began with an announcement',
        source: 'who takes an address over announces it: a failover and the way back are two',
      },
      doubleAnswer: setting('doubleAnswer'),
      alternation: setting('alternation'),
      balanceUpdate: setting('balanceUpdate'),
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { addresses, claims, probes, segments } = network;
    /** Who was given which address by DHCP, as `hi lo address`. */
    const leases = new Set<string>();
    const probed = new Set<number>();
    const doubleLeases = new DoubleLeases(network);
    /** Addresses that ARP shows to be held by two, by the keys of these findings. */
    const contested = new Set<string>();

    const contests = new Contests(network, (claim, claimants) => {
      const { ip, claimant, rival, names, devices, ...rest } = contestOf(network, claim, claimants);
      const kind = kindOf(network, claimants);
      const { doubly, merged } = claimants;
      const turns = doubly || claims.changes(claim) >= thresholds.changes;
      // What a spoofer does looks like this too, and so do two nodes that answer for one; arp/spoof and arp/vip-flip take it in.
      if ((kind !== 'duplicate' && kind !== 'spoof' && (kind !== 'virtual' || !doubly)) || !turns) {
        withdraw(rest.key);
        contested.delete(rest.key);
        return;
      }
      const leasedTwice = doubleLeases.of(rest.segment, ip, [rival, claimant]);
      const isCertain =
        (leasedTwice && areBoth(leasedTwice)) || (doubly && areTwoHosts(network, claimants.a, claimants.b));
      const isPerhapsFlux = doubly && !isCertain && sendsAsFlux(network, claimants);
      const isHandedOver = !doubly && claims.silentChanges(claim) === 0 && claims.changes(claim) < thresholds.announced;
      // A cooked capture of all devices keeps no VLAN tags: one router has an address, and answers for it, in several.
      const isTagless = !doubly && segments.describe(rest.segment).deviceIndex > 0;
      if (contested.size < MAX_REMEMBERED) contested.add(rest.key);
      if (leasedTwice) withdraw(leasedTwice.key);
      report({
        ...rest,
        evidence: inOrder(rest.evidence, [
          ...(leasedTwice?.earlier.evidence ?? []),
          ...(leasedTwice?.later.evidence ?? []),
        ]),
        confidence: confidenceBy({
          certain: isCertain,
          likely: !(isHandedOver || isPerhapsFlux || merged || isTagless),
        }),
        title: `${ip} is held by two hosts: ${rival} and ${claimant}`,
        summary: doubly
          ? `One question for ${ip} got two answers: ${rival} and ${claimant} both say that it is theirs. Who asked uses whichever came last.`
          : `${rival} and ${claimant} claim ${ip} in turns within a minute: traffic for it goes now to the one, now to the other.`,
        subject: { ip, mac: rival, rival: claimant },
        cause: leasedTwice
          ? causeOf(leasedTwice)
          : 'The address was given twice: a static address inside a DHCP range, one address manager on each node, a cloned machine, ' +
            'or somebody answers in another’s name (spoofing).',
        remedy: leasedTwice ? remediesOf(leasedTwice) : remedies(ip, devices),
        caveats: [
          ...(merged
            ? [
                'the addresses that it talks to have two MACs each as well: captures of two networks that were merged look like that',
              ]
            : []),
          ...(isTagless
            ? [
                'a capture with `-i any` keeps no VLAN tags: the two may be two devices of one machine in two VLANs of a trunk',
              ]
            : []),
          ...(isHandedOver ? ['each change began with an announcement, as a failover does'] : []),
          ...(doubly || isCertain ? [] : ['an address that moves back and forth (failover) looks alike']),
          ...(doubly && !isCertain ? ['one host that answers on two of its devices (arp/flux) looks alike'] : []),
          ...(isPerhapsFlux
            ? [
                `packets come from ${claimant} alone, which answered last, while Linux keeps to the first answer: as if one host had both`,
              ]
            : []),
        ],
        wouldRaise: isCertain
          ? []
          : [
              ...(names.length === 2
                ? []
                : [`host context (--context) of the machines with ${rival} and ${claimant}: are they two?`]),
              'a ping that each of the two answers from its own MAC',
            ],
        context: names,
        explains: disownedBy(network, rest.segment, claims.address(claim)),
      });
    });

    /** Leases that no two holders tell of by ARP. */
    function tellLeases(twice: LeasedTwice | null): void {
      if (twice && !contested.has(`${twice.segment} ${twice.ip}`)) report(toldByDhcp(twice));
    }

    /** A client was given an address and finds by probing that somebody has it (RFC 2131 section 4.4.1). */
    function tellProbe(row: number): void {
      const { ip, prober, holder, key, ...rest } = probeOf(network, row);
      if (!leases.has(`${probes.hi(row)} ${probes.lo(row)} ${ip}`)) return;
      report({
        ...rest,
        key,
        confidence: 'certain',
        title: `${ip} was leased to ${prober}, but ${holder} holds it`,
        summary: `DHCP gave ${ip} to ${prober}, which probed it first, and ${holder} answered that it has the address already.`,
        subject: { ip, mac: holder, rival: prober },
        cause: 'A static address lies inside the range that the DHCP server gives from, or the server forgot a lease.',
        remedy: remedies(ip, [
          onlyOf(network.context?.devicesByMac(probes.hi(row), probes.lo(row))),
          onlyOf(network.context?.devicesByMac(probes.holderHi(row), probes.holderLo(row))),
        ]),
        explains: [{ rule: 'arp/probe-answered', key }],
      });
    }

    return {
      layers: {
        Dhcp(frame, layer) {
          const { view } = frame;
          const at = frame.offsets[layer];
          const type = dhcpMessageType(view, at, frame.limits[layer]);
          if ((type !== DhcpMessage.Offer && type !== DhcpMessage.Ack) || leases.size >= MAX_REMEMBERED) return;
          const ip = addresses.format(addresses.ipv4(view.getInt32(at + YIADDR)));
          leases.add(`${view.getUint16(at + CHADDR)} ${view.getInt32(at + CHADDR + 2)} ${ip}`);
        },
      },
      events: {
        ...contests.events,
        neighborDoubled(row) {
          const diagnosis = doubleNeighbor(network, row);
          if (diagnosis) report(diagnosis);
        },
        leased: (exchange, type) => tellLeases(doubleLeases.leased(exchange, type)),
        probeAnswered(row) {
          if (probed.size < MAX_REMEMBERED) probed.add(row);
          tellProbe(row);
        },
      },
      captureEnd(capture) {
        contests.again(capture);
        for (const twice of doubleLeases.all(capture)) tellLeases(twice);
        givenTwice(network, capture).forEach(report);
        for (const row of probed) if (segments.captureOf(probes.segment(row)) === capture) tellProbe(row);
      },
    };
  },
};

/** Connections of the address that one of its holders asks for, and the other resets. */
function disownedBy(network: Network, segment: number, address: number) {
  const { handshakes, addresses } = network;
  const keys = new Set<string>();
  if (!addresses.isIpv4(address)) return [];
  const [client] = addresses.words(address);
  for (let row = 0; row < handshakes.count; row++) {
    // Without the flag of IPv6: such rows have other numbers for their hosts.
    if (handshakes.client(row) !== client || handshakes.place(row) !== segment) continue;
    if (handshakes.resetByOther(row)) keys.add(connectionOf(network, row).key);
  }
  return [...keys].map((key) => ({ rule: 'tcp/synack-repeated', key }) as const);
}

/**
 * Whether packets from the address come only from the one that answered last, and where those for it go is not known (a cooked
 * capture). Linux uses the first of two answers for a second (`arp_process` in net/ipv4/arp.c, locktime): of two hosts the first would speak.
 */
function sendsAsFlux({ bindings }: Network, { a, b }: Claimants): boolean {
  if (bindings.delivered(a) + bindings.delivered(b) > 0) return false;
  return bindings.sourcedSince(a) > 0 && bindings.sourcedSince(b) === 0;
}

function remedies(ip: string, holders: readonly (Device | null)[]): Remedy[] {
  return [
    ...(holders.some((device) => device === null)
      ? [
          {
            text: 'Find out who has it, from another host on the link: both MACs answer',
            commands: [`arping -c 3 -I <device> ${ip}`],
          },
        ]
      : []),
    ...takeFromOne(ip, holders),
    {
      text: 'Keep ranges apart: static and dynamic, Docker and DHCP, node and node',
      commands: ['docker network create --subnet <subnet> --ip-range <part of it> …'],
    },
  ];
}
