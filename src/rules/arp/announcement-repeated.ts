import type { Network } from '../../network/network.js';
import { formatMac, isLocallyAdministered } from '../../wire/address.js';
import { onlyOf } from '../parts/device-argument.js';
import { label } from '../parts/question.js';
import { setting } from '../parts/setting.js';
import { isVirtualRouter } from '../parts/virtual-router.js';
import type { EvidenceRef, Rule } from '../rule.js';

/** Series told at most; they are information only. */
const MAX_TOLD = 1000;

/** Who announces what, in words; the key by which both rules about announcements know the series. */
export function announcementOf(network: Network, row: number) {
  const { announcements, addresses, segments } = network;
  const segment = announcements.segment(row);
  const capture = segments.captureOf(segment);
  const mac = formatMac(announcements.hi(row), announcements.lo(row));
  const ip = addresses.format(announcements.address(row));
  const note = `${mac} announces ${ip}`;
  const evidence: EvidenceRef[] = announcements.places(row).map((place) => ({ capture, layer: 'arp', note, ...place }));
  const count = announcements.times(row);
  return {
    key: `${segment} ${mac} ${ip}`,
    segment,
    capture,
    mac,
    ip,
    evidence,
    count,
    first: announcements.first(row),
    last: announcements.last(row),
    /** Mean pause in seconds. */
    pause: (announcements.last(row) - announcements.first(row)) / Math.max(1, count - 1) / 1e9,
  };
}

/** One address announced again and again; nobody is meant to answer (catalogue A3, 4.1). */
export const announcementRepeated: Rule = {
  meta: {
    id: 'arp/announcement-repeated',
    severity: 'info',
    summary: 'A host announces its own address again; no answer is expected',
    catalogue: 'A3',
    thresholds: {
      announcements: {
        value: 2,
        unit: 'announcements of one address',
        source: 'one alone comes with every link that goes up',
      },
      series: setting('announcementSeries'),
      stormRate: {
        value: 1.1,
        unit: 'announcements a second that are too many, where they go on',
        source: '`arping -U` and Docker announce once a second, MetalLB every 1.1 s',
      },
      stormSeconds: {
        value: 30,
        unit: 'seconds of them, from which on it is a warning',
        source: 'a failover announces for some seconds: keepalived twice five, MetalLB for 5 s',
      },
      stormAnnouncements: {
        value: 60,
        unit: 'announcements at that rate, from which on it is a warning however short they take',
        source: 'twelve times what a failover sends',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { announcements, segments } = network;
    const told = new Set<number>();

    function tell(row: number): void {
      const { mac, ip, count, pause, ...rest } = announcementOf(network, row);
      if (count < thresholds.announcements) return;
      const seconds = (rest.last - rest.first) / 1e9;
      const isStorm =
        count - 1 > thresholds.stormRate * seconds &&
        (seconds > thresholds.stormSeconds || count > thresholds.stormAnnouncements) &&
        !isVirtualRouter(announcements.hi(row), announcements.lo(row));
      // Whatever goes out or comes in with a known direction would show a reflected copy as well.
      const isDirected = segments.sawOutbound(rest.segment) || segments.sawInbound(rest.segment);
      const owner = onlyOf(network.context?.devicesByMac(announcements.hi(row), announcements.lo(row)));
      const every = `${count} times, ${pause.toFixed(3)} s apart`;
      report({
        ...rest,
        count,
        confidence: 'certain',
        ...(isStorm ? { severity: 'warning' as const } : {}),
        title: isStorm
          ? `${ip} is announced by ${mac} without end, ${every}`
          : `${ip} is announced by ${mac}, ${every}: no answer is expected`,
        summary:
          `${mac} says "${ip} is at me" ${every}, with ${ip} as sender and as target (RFC 5227 section 2.3). ` +
          'Nobody is meant to answer, so the silence is no fault: it neither proves nor refutes a failed resolution, ' +
          'a missing hairpin or a duplicate address. (A Linux host that holds the same address does not object to an announcement.)' +
          (isLocallyAdministered(announcements.hi(row))
            ? ' The MAC is locally administered, as those of containers and VMs are.'
            : ''),
        subject: { ip, mac },
        cause: isStorm
          ? 'A cluster whose nodes take the address from each other, a link that goes up and down, or a manager that announces far too often.'
          : producer(
              count,
              pause,
              announcements.zeroTha(row),
              announcements.replies(row),
              announcements.kernelGaps(row),
            ),
        remedy: [
          ...(isStorm
            ? [
                {
                  text: 'At its sender: see whether links go up and down, and what the cluster manager says',
                  commands: ['ip monitor link', 'journalctl -u keepalived -u pacemaker -n 50'],
                },
              ]
            : []),
          {
            text: isStorm
              ? 'To see a real resolution, capture with direction while one host pings another'
              : 'Nothing to cure. To see a real resolution, capture with direction while one host pings another',
            commands: ['tcpdump -eni any arp', `ping -c 3 ${ip}`],
          },
          ...(owner ? [] : [{ text: 'Who owns the MAC', commands: [`ip -d -br link | grep -i ${mac}`] }]),
        ],
        context: owner ? [`${mac} is ${label(owner)}`] : [],
        caveats: isDirected
          ? []
          : [
              'at the sender’s own port a reflecting switch would send each broadcast back at once; no copy is here, ' +
                'but without directions it is open whether this is that port',
            ],
        wouldRaise: [
          ...(isDirected ? [] : ['the same capture with directions: `tcpdump -i any`, or pcapng']),
          ...(owner
            ? []
            : ['`ip -d link` of the host (--context): which device has this MAC, and which address was given to it']),
        ],
      });
    }

    return {
      events: {
        announced(row) {
          if (told.size === MAX_TOLD) return;
          told.add(row);
          tell(row);
        },
      },
      captureEnd(capture) {
        for (const row of told) if (segments.captureOf(announcements.segment(row)) === capture) tell(row);
      },
    };
  },
};

/** Who announces like this (catalogue 2 and 4.1); every producer leaves its own mark. */
function producer(count: number, pause: number, zeroTha: number, replies: number, kernelGaps: number): string {
  if (replies === count) return 'Gratuitous replies: arping -A, or a cluster manager after a failover.';
  if (zeroTha === 0)
    return 'The target MAC in the ARP header is not zero, as a kernel would leave it: `arping -U` fills it in.';
  if (kernelGaps > 0 && kernelGaps >= count - 2)
    return (
      'The pauses are those of the kernel’s own retransmit timer: either the kernel resolves the host’s own address ' +
      '(its local route is missing), or a program made it do so.'
    );
  if (count === 2 && pause > 1.8 && pause < 2.2)
    return 'Two, 2 s apart: an announcer by RFC 5227, such as systemd-networkd or NetworkManager.';
  if (Math.abs(pause - 1.1) < 0.05) return 'Every 1.1 s: MetalLB takes the address over.';
  if (pause > 0.95 && pause < 1.05)
    return (
      'About a second apart: Docker Engine 28 and later at container start (three), `arping -S`, or a kernel that ' +
      'resolves its own address (then the address asks for itself because its local route is missing).'
    );
  return 'An announcement after a link came up, an address moved, or a cluster elected (keepalived sends bursts of five).';
}
