import { Claim } from '../../network/bindings.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { setting } from '../setting.js';

const MAX_TOLD = 1000;
/** Length of an ARP packet for IPv4 over Ethernet, in bytes. */
const ARP_LENGTH = 28;

/** A probe and its answer, in words. */
export function probeOf(network: Network, row: number) {
  const { probes, addresses, segments } = network;
  const segment = probes.segment(row);
  const capture = segments.captureOf(segment);
  const ip = addresses.format(probes.address(row));
  const prober = formatMac(probes.hi(row), probes.lo(row));
  const holder = formatMac(probes.holderHi(row), probes.holderLo(row));
  const place = { capture, layer: 'arp', offset: probes.offset(row), length: ARP_LENGTH };
  const evidence: EvidenceRef[] = [
    { ...place, frame: probes.probeFrame(row), note: `${prober} asks whether ${ip} is free` },
    { ...place, frame: probes.answerFrame(row), note: `${ip} is at ${holder}` },
  ];
  const time = probes.time(row);
  return {
    key: `${segment} ${prober} ${ip}`,
    segment,
    capture,
    ip,
    prober,
    holder,
    evidence,
    count: 1,
    first: time,
    last: time,
  };
}

/**
 * An address was found in use (catalogue A5). Finding it out is what probes are for: as long as the prober leaves
 * the address alone this is information; it is an error once it uses it.
 */
export const probeAnswered: Rule = {
  meta: {
    id: 'arp/probe-answered',
    severity: 'error',
    summary: 'A host probes whether an address is free, and another one answers',
    catalogue: 'A5',
    thresholds: {
      patience: setting('probeAnswer'),
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { probes, bindings, segments } = network;
    const answered = new Set<number>();

    function tell(row: number): void {
      const { ip, prober, holder, ...rest } = probeOf(network, row);
      // A station that asks for the address itself answers in another's name.
      const owner = bindings.find(rest.segment, probes.holderHi(row), probes.holderLo(row), probes.address(row));
      if (owner >= 0 && (bindings.claims(owner) & Claim.Asked) !== 0) {
        withdraw(rest.key);
        return;
      }
      const own = bindings.find(rest.segment, probes.hi(row), probes.lo(row), probes.address(row));
      const uses = own >= 0 && (bindings.claims(own) & ~Claim.Asked) !== 0;
      report({
        ...rest,
        confidence: 'certain',
        severity: uses ? 'error' : 'info',
        title: uses
          ? `${prober} uses ${ip}, which ${holder} holds`
          : `${ip} is in use: ${holder} answers the probe of ${prober}`,
        summary:
          `${prober} asks, without an address of its own, whether ${ip} is free (RFC 5227 section 2.1.1), and ${holder} says that it holds it. ` +
          (uses ? `${prober} uses the address all the same.` : `${prober} does not use it: the probe did its work.`),
        subject: { ip, mac: prober, holder },
        cause: `${ip} was given to both: a static address inside a DHCP range, two address managers, or a copied configuration.`,
        remedy: [
          { text: 'Give one of them another address', commands: [`arping -D -c 2 -I <device> ${ip}`] },
          {
            text: 'Keep static addresses out of the dynamic range',
            commands: ['docker network create --ip-range <range> …'],
          },
        ],
        caveats: ['a proxy that answers for the whole subnet would look alike with one probe only'],
        wouldRaise: [],
      });
    }

    return {
      events: {
        probeAnswered(row) {
          if (answered.size === MAX_TOLD || network.now - probes.time(row) > thresholds.patience * 1e9) return;
          answered.add(row);
          tell(row);
        },
      },
      captureEnd(capture) {
        for (const row of answered) if (segments.captureOf(probes.segment(row)) === capture) tell(row);
      },
    };
  },
};
