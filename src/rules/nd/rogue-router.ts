import { formatMac } from '../../wire/address.js';
import type { EvidenceRef, Rule } from '../rule.js';
import { guard } from './parts/router-guard.js';
import { RouterNames } from './parts/router-names.js';

/** Routers that a cure is printed for, at most. */
const MAX_CURES = 3;
/** Routers told together at most. */
const MAX_TOLD = 16;
/** Segments with routers, and routers of each, that are remembered: a flood of advertisements makes up thousands. */
const MAX_SEGMENTS = 1024;
const MAX_ROUTERS = 32;

/** Routers that offer different prefixes to the same hosts. */
export const rogueRouter: Rule = {
  meta: {
    id: 'nd/rogue-router',
    severity: 'warning',
    summary: 'Several IPv6 routers advertise different prefixes: hosts take addresses and default routes from each',
    catalogue: '',
    thresholds: {
      turns: {
        value: 4,
        unit: 'times that one of two stations speaks as the same router after the other',
        source: 'a virtual address that is handed over and taken back makes two',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { routers, addresses, segments } = network;
    const bySegment = new Map<number, Set<number>>();

    /** Two routers of different machines without a prefix in common. */
    function areStrangers(a: number, b: number): boolean {
      if (routers.hi(a) === routers.hi(b) && routers.lo(a) === routers.lo(b)) return false;
      const here = routers.prefixes(a);
      const there = routers.prefixes(b);
      return here.length > 0 && there.length > 0 && !here.some((prefix) => there.includes(prefix));
    }

    function tell(segment: number): void {
      const rows = [...(bySegment.get(segment) ?? [])].filter(
        (row) => routers.lifetime(row) > 0 && routers.segment(row) === segment,
      );
      const rivals = rows.filter((row) => rows.some((other) => areStrangers(row, other))).slice(0, MAX_TOLD);
      const key = `${segment}`;
      if (rivals.length < 2) {
        withdraw(key);
        return;
      }
      const capture = segments.captureOf(segment);
      const described = rivals.map((row) => ({
        row,
        ip: addresses.format(routers.address(row)),
        mac: formatMac(routers.hi(row), routers.lo(row)),
        prefixes: routers.prefixes(row).map((prefix) => addresses.format(prefix)),
      }));
      const evidence: EvidenceRef[] = described
        .flatMap(({ row, ip, prefixes }) =>
          routers.places(row).map((place) => ({
            capture,
            layer: 'icmpv6',
            note: `${ip} advertises itself with ${prefixes.join(', ')}`,
            ...place,
          })),
        )
        .sort((a, b) => a.frame - b.frame);
      const [first, second] = described;
      report({
        key,
        segment,
        capture,
        count: rivals.length,
        first: Math.min(...rivals.map((row) => routers.first(row))),
        last: Math.max(...rivals.map((row) => routers.last(row))),
        confidence: 'likely',
        title: `${rivals.length} IPv6 routers advertise different prefixes: ${described.map(({ ip }) => ip).join(', ')}`,
        summary:
          `${described.map(({ ip, mac, prefixes }) => `${ip} (${mac}) offers ${prefixes.join(', ')}`).join('; ')}. ` +
          'Each says that it is a default router. Hosts here take an address from each prefix and a default route through each, ' +
          'and may send with an address of the one through the other.',
        subject: { ip: first.ip, rival: second.ip, mac: first.mac, rivalMac: second.mac },
        evidence,
        cause:
          'A machine advertises itself that should not (a container or VM with radvd, connection sharing, a home router plugged in the wrong way), ' +
          'two networks are bridged together, or two uplinks are meant.',
        remedy: [
          {
            text: 'See which routers and prefixes a host has taken',
            commands: ['ip -6 route show default', 'ip -6 -br addr'],
          },
          ...described.slice(0, MAX_CURES).flatMap(({ row, ip, mac }) => guard(network, row, ip, mac)),
          {
            text: 'On a host that needs none of them, do not take advertisements, until the next restart',
            commands: ['sysctl -w net.ipv6.conf.<device>.accept_ra=0'],
          },
        ],
        caveats: ['two uplinks with a prefix each may be meant so (RFC 8028): then hosts need source address routing'],
        wouldRaise: ['the list of routers that are meant to be on this network'],
      });
    }

    const names = new RouterNames(network, () => thresholds.turns);

    return {
      layers: {
        Icmpv6(frame, layer) {
          const finding = names.note(frame, layer);
          if (finding) report(finding);
        },
      },
      events: {
        routerAdvertised(row) {
          const segment = routers.segment(row);
          let rows = bySegment.get(segment);
          if (rows === undefined) {
            if (bySegment.size === MAX_SEGMENTS) return;
            rows = new Set<number>();
            bySegment.set(segment, rows);
          }
          // Each is compared with each.
          if (rows.size < MAX_ROUTERS) rows.add(row);
          tell(segment);
        },
      },
      captureEnd() {
        for (const segment of bySegment.keys()) tell(segment);
      },
    };
  },
};
