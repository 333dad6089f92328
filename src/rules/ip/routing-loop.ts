import type { LoopStation } from '../../network/ip/routing-loops.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { stuckConnections } from '../parts/connections/connection.js';
import { label } from '../parts/question.js';
import { setting } from '../parts/setting.js';
import type { Rule, RuleId } from '../rule.js';
import { loopCures } from './parts/loop-cures.js';

/** Circles that are judged again at the end of a capture, at most. */
const MAX_TOLD = 1000;
/** Pings that go on for so long (ns) after a circle tell whether it is over. */
const AFTER_NS = 2e9;
/** Time exceeded: ICMP type 11, ICMPv6 type 3. */
const EXCEEDED = { v4: 11, v6: 3 };

/** Routers send packets in a circle (catalogue I1). */
export const routingLoop: Rule = {
  meta: {
    id: 'ip/routing-loop',
    severity: 'error',
    summary: 'Routers send packets in a circle: the same datagram comes back with a smaller TTL',
    catalogue: 'I1',
    thresholds: {
      lifetime: setting('datagramLifetime'),
      passing: {
        value: 10,
        unit: 'seconds; a circle that is shorter, after which pings to the target are answered, is a note',
        source: 'routing protocols send in circles for a moment while they find another way (RFC 5715 section 1)',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { routingLoops: loops, segments, addresses } = network;
    const told = new Set<number>();

    function tell(row: number): void {
      const segment = loops.segment(row);
      const capture = segments.captureOf(segment);
      const [a, b] = loops.stations(row);
      const one = nameOf(network, segment, a);
      const two = b ? nameOf(network, segment, b) : 'another router';
      const from = addresses.format(loops.source(row));
      const to = addresses.format(loops.destination(row));
      const isIpv4 = addresses.isIpv4(loops.destination(row));
      const hops = isIpv4 ? 'TTL' : 'hop limit';
      const datagrams = loops.datagrams(row);
      const sightings = loops.sightings(row);
      const isOver = hasPassed(network, row, thresholds.passing);
      report({
        key: String(row),
        segment,
        capture,
        count: datagrams,
        first: loops.first(row),
        last: loops.last(row),
        confidence: 'certain',
        ...(isOver ? { severity: 'info' as const } : {}),
        title: `Packets for ${to}${loops.hasOthers(row) ? ' and others' : ''} go in a circle between ${one} and ${two}`,
        summary:
          `${datagrams === 1 ? 'One datagram' : `${datagrams} datagrams`} from ${from} to ${to}${loops.hasOthers(row) ? ' and other targets' : ''} ` +
          `passed here ${sightings} times with falling ${hops}, down to ${loops.smallestTtl(row)}: ${one} sent the same datagram again and again, and got it back each time.`,
        subject: { source: from, destination: to, routers: b ? `${one} ${two}` : one },
        evidence: loops.places(row).map((place) => ({
          capture,
          layer: isIpv4 ? 'ipv4' : 'ipv6',
          note: `${from} > ${to}, the same datagram, smaller ${hops}`,
          ...place,
        })),
        cause: `${one} holds that the way to ${to} leads to ${two}, and ${two} sends it back: default routes that point at each other, or a prefix that nobody holds any more.`,
        remedy: loopCures(network, row, to),
        caveats: isOver
          ? ['it is over: later pings are answered. Routing protocols send in circles for a moment when a link fails']
          : [],
        explains: symptomsOf(network, row),
      });
    }

    return {
      events: {
        looped(row) {
          if (told.size < MAX_TOLD) told.add(row);
          tell(row);
        },
      },
      // What was answered since shows only now.
      captureEnd(capture) {
        for (const row of told) if (segments.captureOf(loops.segment(row)) === capture) tell(row);
      },
    };
  },
};

/** Whether the way to the target was found again: the circle was short, and pings that were sent after it are answered. */
function hasPassed({ routingLoops: loops, pings, segments, now }: Network, row: number, passing: number): boolean {
  if (loops.last(row) - loops.first(row) > passing * 1e9) return false;
  const capture = segments.captureOf(loops.segment(row));
  for (let ping = 0; ping < pings.count; ping++) {
    const isSame = pings.destination(ping) === loops.destination(row) && pings.source(ping) === loops.source(row);
    if (!isSame || segments.captureOf(pings.segment(ping)) !== capture || pings.replies(ping) === 0) continue;
    if (pings.last(ping) <= loops.last(row) + AFTER_NS) continue;
    const state = pings.state(ping, now);
    if (!state || state.passed === 1) return true;
  }
  return false;
}

function nameOf({ bindings, addresses, context }: Network, segment: number, { hi, lo }: LoopStation): string {
  const [own] = bindings.own(segment, hi, lo);
  const devices = context?.devicesByMac(hi, lo) ?? [];
  if (own !== undefined) return addresses.format(own);
  return devices.length === 1 ? label(devices[0]) : formatMac(hi, lo);
}

/** What a sender notices of it: time exceeded, pings and connections without answer, in the same capture. */
function symptomsOf(network: Network, row: number): { rule: RuleId; key: string }[] {
  const { routingLoops, icmpErrors, pings, segments, addresses } = network;
  const capture = segments.captureOf(routingLoops.segment(row));
  const destination = routingLoops.destination(row);
  const found: { rule: RuleId; key: string }[] = [
    ...stuckConnections(
      routingLoops.segment(row),
      addresses.format(routingLoops.source(row)),
      addresses.format(destination),
    ),
  ];
  for (let error = 0; error < icmpErrors.count; error++) {
    const isExceeded = icmpErrors.type(error) === (icmpErrors.isV6(error) ? EXCEEDED.v6 : EXCEEDED.v4);
    if (!isExceeded || icmpErrors.destination(error) !== destination) continue;
    if (segments.captureOf(icmpErrors.segment(error)) === capture)
      found.push({ rule: 'icmp/time-exceeded', key: String(error) });
  }
  for (let ping = 0; ping < pings.count; ping++) {
    if (pings.destination(ping) === destination && segments.captureOf(pings.segment(ping)) === capture)
      found.push({ rule: 'icmp/echo-unanswered', key: String(ping) });
  }
  return found;
}
