import type { Device } from '../../network/context/device.js';
import { Claim } from '../../network/neighbors/bindings.js';
import { Rival } from '../../network/neighbors/probes.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { onlyOf } from '../parts/device-argument.js';
import { inNamespace, label } from '../parts/question.js';
import { setting } from '../parts/setting.js';
import type { EvidenceRef, Remedy, Rule } from '../rule.js';

const MAX_TOLD = 1000;
/** Length of an ARP packet for IPv4 over Ethernet, in bytes. */
const ARP_LENGTH = 28;

/** A probe and its answer, in words. */
export function probeOf(network: Network, row: number) {
  const { probes } = network;
  return wordsOf(network, row, probes.holderHi(row), probes.holderLo(row), probes.answerFrame(row), 'is at');
}

function wordsOf(network: Network, row: number, hi: number, lo: number, frame: number, how: string) {
  const { probes, addresses, segments } = network;
  const segment = probes.segment(row);
  const capture = segments.captureOf(segment);
  const ip = addresses.format(probes.address(row));
  const prober = formatMac(probes.hi(row), probes.lo(row));
  const holder = formatMac(hi, lo);
  const place = { capture, layer: 'arp', offset: probes.offset(row), length: ARP_LENGTH };
  const evidence: EvidenceRef[] = [
    { ...place, frame: probes.probeFrame(row), note: `${prober} asks whether ${ip} is free` },
    { ...place, frame, note: `${ip} ${how} ${holder}` },
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
    summary: 'A host probes whether an address is free, and another one has it or wants it too',
    catalogue: 'A5',
    thresholds: {
      patience: setting('probeAnswer'),
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { probes, bindings, segments } = network;
    const answered = new Set<number>();
    const rivalled = new Set<number>();

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
        remedy: remedies(ip, onlyOf(network.context?.devicesByMac(probes.holderHi(row), probes.holderLo(row)))),
        caveats: ['a proxy that answers for the whole subnet would look alike with one probe only'],
        wouldRaise: [],
      });
    }

    /** Two that want one address: RFC 5227 section 2.1.1 has both take another. */
    function tellRival(row: number): void {
      const isProbe = probes.rivalry(row) === Rival.Probe;
      const [hi, lo] = [probes.rivalHi(row), probes.rivalLo(row)];
      const how = isProbe ? 'is wanted by' : 'is claimed by';
      const { ip, prober, holder, ...rest } = wordsOf(network, row, hi, lo, probes.rivalFrame(row), how);
      const uses = (hi: number, lo: number) => {
        const binding = bindings.find(rest.segment, hi, lo, probes.address(row));
        return binding >= 0 && (bindings.claims(binding) & ~Claim.Asked) !== 0;
      };
      const isUsed = uses(probes.hi(row), probes.lo(row)) && uses(hi, lo);
      const title = () => {
        if (isUsed) return `${prober} and ${holder} both use ${ip}`;
        if (isProbe) return `${prober} and ${holder} want ${ip} at the same time`;
        return `${ip} is in use: ${holder} speaks from it while ${prober} probes`;
      };
      report({
        ...rest,
        confidence: 'certain',
        severity: isUsed ? 'error' : 'info',
        title: title(),
        summary:
          `${prober} asks, without an address of its own, whether ${ip} is free (RFC 5227 section 2.1.1), and ${holder} ` +
          `${isProbe ? 'asks the same' : 'speaks from it'} within two seconds. ` +
          (isUsed ? 'Both use it all the same.' : 'One of them at least has to do without: the probe did its work.'),
        subject: { ip, mac: prober, holder },
        cause: `${ip} was given to both: two address managers, a copied configuration, or machines that were started from one image.`,
        remedy: remedies(ip, onlyOf(network.context?.devicesByMac(hi, lo))),
        wouldRaise: [],
      });
    }

    return {
      events: {
        probeRivalled(row) {
          if (rivalled.size === MAX_TOLD) return;
          rivalled.add(row);
          tellRival(row);
        },
        probeAnswered(row) {
          if (answered.size === MAX_TOLD || network.now - probes.time(row) > thresholds.patience * 1e9) return;
          answered.add(row);
          tell(row);
        },
      },
      captureEnd(capture) {
        for (const row of rivalled) if (segments.captureOf(probes.segment(row)) === capture) tellRival(row);
        for (const row of answered) if (segments.captureOf(probes.segment(row)) === capture) tell(row);
      },
    };
  },
};

function remedies(ip: string, holder: Device | null): Remedy[] {
  return [
    holder
      ? {
          text: `Look at who has it: ${label(holder)}. Give the other another address, or this one, if it is not meant to have ${ip}`,
          commands: [inNamespace(holder, `ip addr show to ${ip}`)],
        }
      : {
          text: 'Find who has it, and give it or the other another address',
          commands: [`arping -D -c 2 -I <device> ${ip}`],
        },
    {
      text: 'Keep static addresses out of the dynamic range',
      commands: ['docker network create --ip-range <range> …'],
    },
  ];
}
