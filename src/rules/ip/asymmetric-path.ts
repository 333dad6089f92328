import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { isVirtualRouter } from '../virtual-router.js';

const MAX_FINDINGS = 64;

interface Path {
  readonly row: number;
  readonly segment: number;
  readonly capture: number;
  readonly to: string;
  readonly from: string;
  readonly sent: string;
  readonly came: string;
  readonly targets: Set<string>;
  readonly evidence: EvidenceRef[];
  count: number;
  first: number;
  last: number;
}

/** Requests go out through one router and replies come in through another (catalogue I4). */
export const asymmetricPath: Rule = {
  meta: {
    id: 'ip/asymmetric-path',
    severity: 'info',
    summary: 'Requests leave through one router, and their replies come back through another',
    catalogue: 'I4',
    thresholds: {
      replies: {
        value: 3,
        unit: 'replies by the other way that make it likely',
        source: 'a route that changes in between gives one or two',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { pings, segments, addresses } = network;

    function tell({ segment, capture, from, to, sent, came, targets, evidence, count, first, last }: Path): void {
      const others = targets.size > 1 ? ` and ${targets.size - 1} more` : '';
      report({
        key: `${segment} ${sent} ${came}`,
        segment,
        capture,
        count,
        first,
        last,
        confidence: count >= thresholds.replies ? 'likely' : 'hint',
        title: `${from} sends to ${to}${others} through ${sent}, and replies come through ${came}`,
        summary:
          `Echo requests from ${from} to ${to}${others} go to the router ${sent}; ${count === 1 ? 'the reply comes' : `${count} replies come`} from ${came}. ` +
          'Both ways work. A capture or a stateful firewall on one of the two routers sees half of each connection.',
        subject: { source: from, destination: to, out: sent, back: came },
        evidence,
        cause: `The route of ${from} leads through ${sent}, and the network behind sends back through ${came}.`,
        remedy: [
          {
            text: 'See the way out on the sender, and the way back on the target: nothing needs to change if no firewall minds',
            commands: [`ip route get ${to}`, `ip route get ${from}`],
          },
          {
            text: `On ${from}: send through the router that replies come through`,
            commands: [`ip route replace ${to} via <address of ${came}>`],
          },
        ],
        caveats: ['one router that has several MACs (an anycast gateway, a pair of switches) looks the same'],
        wouldRaise: count >= thresholds.replies ? [] : ['more pings: a route may just have changed'],
      });
    }

    return {
      captureEnd(capture) {
        const paths = new Map<string, Path>();
        for (let row = 0; row < pings.count; row++) {
          const segment = pings.segment(row);
          if (segments.captureOf(segment) !== capture || !isAround(network, row)) continue;
          const sent = formatMac(pings.hi(row), pings.lo(row));
          const came = formatMac(pings.replyHi(row), pings.replyLo(row));
          const to = addresses.format(pings.destination(row));
          const count = pings.aroundReplies(row);
          const key = `${segment} ${sent} ${came}`;
          const path = paths.get(key);
          const evidence = pings.aroundPlaces(row).map((place, i) => ({
            capture,
            layer: addresses.isIpv4(pings.source(row)) ? 'icmp' : 'icmpv6',
            note: i % 2 === 0 ? `echo request to ${sent}` : `its reply, from ${came}`,
            ...place,
          }));
          if (path) {
            path.count += count;
            path.targets.add(to);
            path.evidence.push(...evidence);
            path.first = Math.min(path.first, pings.first(row));
            path.last = Math.max(path.last, pings.last(row));
          } else if (paths.size < MAX_FINDINGS) {
            const from = addresses.format(pings.source(row));
            const times = { first: pings.first(row), last: pings.last(row) };
            paths.set(key, {
              row,
              segment,
              capture,
              from,
              to,
              sent,
              came,
              targets: new Set([to]),
              evidence,
              count,
              ...times,
            });
          }
        }
        for (const path of paths.values()) tell(path);
      },
    };
  },
};

/** Whether replies came from another MAC than requests went to, and the target is beyond the link of both. */
function isAround({ pings, claims, bindings }: Network, row: number): boolean {
  const count = pings.aroundReplies(row);
  if (count === 0 || count < pings.replies(row) || pings.wasPassedOn(row)) return false;
  const segment = pings.segment(row);
  const destination = pings.destination(row);
  // On the link itself proxies, bonds and takeovers change MACs.
  if (claims.holder(segment, destination) >= 0) return false;
  const hi = pings.replyHi(row);
  const lo = pings.replyLo(row);
  // The pinging host itself, seen from inside.
  if (bindings.own(segment, hi, lo).includes(pings.source(row))) return false;
  // Virtual routers get packets at their virtual MAC and send from their own (RFC 5798 section 7.3, and HSRP alike).
  return !isVirtualRouter(pings.hi(row), pings.lo(row)) && !isVirtualRouter(hi, lo);
}
