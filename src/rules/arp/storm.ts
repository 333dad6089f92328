import { formatMac } from '../../wire/address.js';
import type { EvidenceRef, Rule } from '../rule.js';

/** Stations that are told at most, and requests that prove one. */
const MAX_TOLD = 1000;
const MAX_FRAMES = 64;

/** Rows of `resolutions` by the station that asks. */
type Asked = {
  readonly segment: number;
  readonly hi: number;
  readonly lo: number;
  readonly isIpv4: boolean;
  readonly rows: number[];
};

/** One station asks for very many addresses in a short time (catalogue A13), by ARP or, as a router that is scanned does (RFC 6583), by neighbor discovery. */
export const storm: Rule = {
  meta: {
    id: 'arp/storm',
    severity: 'warning',
    summary: 'A host asks for dozens of addresses at once: a scan, or a neighbor table that is too small',
    catalogue: 'A13',
    thresholds: {
      targets: {
        value: 50,
        unit: 'addresses asked for within the window',
        source: 'catalogue A13 (50 a second); far more than the 20 from which questions count as a sweep',
      },
      window: { value: 10, unit: 'seconds', source: 'the window in which the network model looks for sweeps' },
    },
  },
  create({ network, report, thresholds }) {
    const { resolutions, addresses, segments } = network;

    function tell({ segment, hi, lo, isIpv4, rows }: Asked): void {
      rows.sort((a, b) => resolutions.first(a) - resolutions.first(b));
      const most = mostWithin(
        rows.map((row) => resolutions.first(row)),
        thresholds.window * 1e9,
      );
      if (most < thresholds.targets) return;
      const capture = segments.captureOf(segment);
      const mac = formatMac(hi, lo);
      const spa = addresses.format(resolutions.spa(rows[0]));
      const silent = rows.filter((row) => resolutions.lastAnswer(row) === Number.NEGATIVE_INFINITY).length;
      // A bystander hears no unicast answers: to him the questions of a busy router look the same.
      const isScan = silent * 2 > rows.length && rows.some((row) => network.seesAnswersTo(row) !== 'no');
      const evidence: EvidenceRef[] = rows
        .flatMap((row) => {
          const target = addresses.format(resolutions.tpa(row));
          const note = isIpv4 ? `ARP who-has ${target}` : `neighbor solicitation for ${target}`;
          return resolutions
            .frames(row)
            .slice(0, 1)
            .map((place) => ({ capture, layer: isIpv4 ? 'arp' : 'icmpv6', note, ...place }));
        })
        .slice(0, MAX_FRAMES);
      if (evidence.length === 0) return;
      report({
        key: isIpv4 ? `${segment} ${mac}` : `${segment} ${mac} IPv6`,
        segment,
        capture,
        count: rows.length,
        first: resolutions.first(rows[0]),
        last: rows.reduce((last, row) => Math.max(last, resolutions.last(row)), 0),
        confidence: isScan ? 'likely' : 'hint',
        title: `${mac} asks for ${rows.length} addresses, ${most < rows.length ? `${most} of them ` : ''}within ${thresholds.window} s`,
        summary:
          `${mac} (${spa}) asks by ${isIpv4 ? 'ARP' : 'neighbor discovery'} who has ${rows.length} different addresses${most < rows.length ? `, up to ${most} ` : ' '}within ${thresholds.window} s; ` +
          `for ${silent < rows.length ? `${silent} of them` : 'none of them'} ${silent < rows.length ? 'no' : 'an'} answer is in this capture. ` +
          (isIpv4
            ? 'Each request is a broadcast that every host has to read.'
            : 'Each takes a place in its neighbor table, and who answers may be pushed out of it (RFC 6583).'),
        subject: { ip: spa, mac },
        evidence,
        cause:
          'A scan of the subnet (arp-scan, nmap, monitoring, a worm), a router whose subnet is scanned from outside, ' +
          'or a host whose neighbor table overflows, so that it asks again and again for hosts that it knew.',
        remedy: [
          { text: 'On that host: which program asks', commands: [`ip neigh show nud incomplete | wc -l`, 'ss -tunap'] },
          {
            text: 'On that host: does its neighbor table overflow',
            commands: ["dmesg | grep -i 'neighbor table overflow'", `ip -s -${isIpv4 ? 4 : 6} neigh show | wc -l`],
          },
          {
            text: 'If it does, make the table larger (in the initial namespace: its limits count for all)',
            commands: [
              `sysctl -w ${[8192, 32768, 65536].map((value, index) => `net.${isIpv4 ? 'ipv4' : 'ipv6'}.neigh.default.gc_thresh${index + 1}=${value}`).join(' ')}`,
            ],
          },
        ],
        caveats: ['a scan that somebody runs on purpose, such as an inventory, is no fault'],
        wouldRaise: [`\`dmesg\` and the list of programs on the host that owns ${mac}`],
      });
    }

    return {
      captureEnd(capture) {
        if (!resolutions.someSweep) return;
        const askers = new Map<string, Asked>();
        for (let row = 0; row < resolutions.count; row++) {
          const segment = resolutions.segment(row);
          const hi = resolutions.hi(row);
          const lo = resolutions.lo(row);
          if (segments.captureOf(segment) !== capture || !resolutions.sweeps(segment, hi, lo)) continue;
          // Answers that nobody asked for make rows too.
          if (resolutions.last(row) === Number.NEGATIVE_INFINITY) continue;
          const isIpv4 = addresses.isIpv4(resolutions.tpa(row));
          const key = `${segment} ${hi} ${lo} ${isIpv4}`;
          const asked = askers.get(key);
          if (asked) asked.rows.push(row);
          else if (askers.size < MAX_TOLD) askers.set(key, { segment, hi, lo, isIpv4, rows: [row] });
        }
        askers.forEach(tell);
      },
    };
  },
};

/** The most of the sorted `times` that lie within one window, both in ns. */
function mostWithin(times: readonly number[], window: number): number {
  let most = 0;
  let from = 0;
  times.forEach((time, index) => {
    while (time - times[from] > window) from++;
    most = Math.max(most, index - from + 1);
  });
  return most;
}
