import { Claim } from '../../network/bindings.js';
import { formatMac } from '../../wire/address.js';
import { CHADDR, DhcpMessage, dhcpMessageType, YIADDR } from '../../wire/dhcp.js';
import { label } from '../question.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { probeOf } from './probe-answered.js';

const MAX_REMEMBERED = 4096;

/** Two stations hold one address (catalogue A4). */
export const duplicateAddress: Rule = {
  meta: {
    id: 'arp/duplicate-address',
    severity: 'error',
    summary: 'Two hosts hold the same address',
    catalogue: 'A4',
  },
  create({ network, report, withdraw }) {
    const { bindings, claims, addresses, segments, context, probes } = network;
    /** What was seen of an address: rows of `claims` to the pair of `bindings` and the form. */
    const seen = new Map<number, { a: number; b: number; doubly: boolean }>();
    /** Who was given which address by DHCP, as `hi lo address`. */
    const leases = new Set<string>();
    const probed = new Set<number>();

    function note(a: number, b: number, claim: number, doubly: boolean): void {
      const before = seen.get(claim);
      if (seen.size < MAX_REMEMBERED || before) seen.set(claim, { a, b, doubly: doubly || (before?.doubly ?? false) });
      tell(claim);
    }

    /** Devices of the context that have both MACs and stand in one namespace: one host, not two. */
    function isOneHost(a: number, b: number): boolean {
      const here = context?.devicesByMac(bindings.hi(a), bindings.lo(a)) ?? [];
      const there = context?.devicesByMac(bindings.hi(b), bindings.lo(b)) ?? [];
      return here.some(({ namespace }) => there.some((other) => other.namespace === namespace));
    }

    function isExcused(a: number, b: number): boolean {
      for (const binding of [a, b]) {
        if (isVirtualRouter(bindings.hi(binding), bindings.lo(binding))) return true;
        // A proxy asks for the address that it answers for.
        if ((bindings.claims(binding) & Claim.Asked) !== 0) return true;
      }
      return isOneHost(a, b) || isFlux(a, b) || isFlux(b, a);
    }

    /** ARP flux: what is sent to one MAC is answered from the other, so one host has both (catalogue A7). */
    function isFlux(a: number, b: number): boolean {
      return (
        bindings.delivered(a) > 0 &&
        bindings.sourcedSince(a) === 0 &&
        bindings.sourcedSince(b) > 0 &&
        bindings.delivered(b) === 0
      );
    }

    function tell(claim: number): void {
      const pair = seen.get(claim);
      if (!pair) return;
      const { a, b, doubly } = pair;
      const segment = claims.segment(claim);
      const capture = segments.captureOf(segment);
      const ip = addresses.format(claims.address(claim));
      const key = `${segment} ${ip}`;
      if (isExcused(a, b)) {
        withdraw(key);
        return;
      }
      const macs = [b, a].map((row) => formatMac(bindings.hi(row), bindings.lo(row)));
      const evidence: EvidenceRef[] = claims
        .frames(claim)
        .map((place) => ({ capture, layer: 'arp', note: `claim of ${ip}`, ...place }));
      const last = claims.last(claim);
      report({
        key,
        segment,
        capture,
        confidence: doubly ? 'certain' : 'likely',
        title: `${ip} is held by two hosts: ${macs[0]} and ${macs[1]}`,
        summary: doubly
          ? `One question for ${ip} got two answers: ${macs[0]} and ${macs[1]} both say that it is theirs. Who asked uses whichever came last.`
          : `${macs[0]} and ${macs[1]} claim ${ip} in turns within a minute: traffic for it goes now to the one, now to the other.`,
        subject: { ip, mac: macs[0], rival: macs[1] },
        count: evidence.length,
        first: last,
        last,
        evidence,
        cause:
          'The address was given twice: a static address inside a DHCP range, one address manager on each node, a cloned machine, ' +
          'or somebody answers in another’s name (spoofing).',
        remedy: remedies(ip),
        caveats: doubly ? [] : ['an address that moves back and forth (failover) looks alike'],
        wouldRaise: context ? [] : ['`ip addr` on both hosts (--context): which of them was given the address'],
        context: deviceNames(a, b),
      });
    }

    function deviceNames(a: number, b: number): string[] {
      return [b, a].flatMap((row) =>
        (context?.devicesByMac(bindings.hi(row), bindings.lo(row)) ?? []).slice(0, 1).map(label),
      );
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
        remedy: remedies(ip),
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
        contested: (binding, rival, claim) => note(binding, rival, claim, false),
        doublyAnswered: (binding, rival, claim) => note(binding, rival, claim, true),
        probeAnswered(row) {
          if (probed.size < MAX_REMEMBERED) probed.add(row);
          tellProbe(row);
        },
      },
      captureEnd() {
        for (const claim of seen.keys()) tell(claim);
        probed.forEach(tellProbe);
      },
    };
  },
};

/** MACs that several routers share by design: VRRP and CARP, HSRP, GLBP (catalogue 2). */
function isVirtualRouter(hi: number, lo: number): boolean {
  const upper = lo >>> 16;
  if (hi === 0x0000 && (upper === 0x5e00 || upper === 0x0c07 || upper === 0x0c9f)) return true;
  return hi === 0x0007 && upper === 0xb400;
}

function remedies(ip: string) {
  return [
    {
      text: 'Find out who has it: probe, which a Linux holder answers',
      commands: [`arping -D -c 2 -I <device> ${ip}`],
    },
    {
      text: 'Give one of them another address, and tell the neighbours',
      commands: [`ip addr del ${ip}/<length> dev <device>`],
    },
    {
      text: 'Keep ranges apart: static and dynamic, Docker and DHCP, node and node',
      commands: ['docker network create --subnet <subnet> --ip-range <part of it> …'],
    },
  ];
}
