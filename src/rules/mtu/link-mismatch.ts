import { onHost, setMtu } from '../parts/device-argument.js';
import { unansweredPings } from '../parts/ping.js';
import { label } from '../parts/question.js';
import type { Rule } from '../rule.js';
import { isLinkFault, oversizeOf, unansweredEchoes } from './parts/oversize.js';

/** Bytes of the usual Ethernet MTU, and of IPv4 or IPv6 and ICMP headers, which ping leaves out of its size. */
const USUAL = 1500;
const HEADERS = { ipv4: 28, ipv6: 48 };

/** Frames of a size that the other end of the link does not take (catalogue G3). */
export const linkMismatch: Rule = {
  meta: {
    id: 'mtu/link-mismatch',
    severity: 'error',
    summary: 'Frames are larger than the other end of the link takes: its MTU is smaller',
    catalogue: 'G3',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'big requests in vain', source: 'one or two may be lost on their way' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    /** Rows that were spoken of: a late reply excuses them. */
    const told = new Set<number>();

    function tell(row: number): void {
      const found = oversizeOf(network, row, thresholds.requests);
      if (!found || !isLinkFault(found)) {
        told.delete(row);
        withdraw(String(row));
        return;
      }
      const { key, segment, capture, from, to, passes, fails, count, first, last, evidence, narrow } = found;
      told.add(row);
      report({
        key,
        segment,
        capture,
        count,
        first,
        last,
        evidence,
        confidence: narrow ? 'certain' : 'likely',
        title: `Frames of ${fails + 14} bytes from ${from} do not reach ${to} on the same link`,
        summary: `${from} and ${to} are on one link. Pings of ${passes} bytes (IP) are answered, ${count} of ${fails} bytes are not, and nobody says why: a device on the link drops frames larger than its MTU without a word.`,
        subject: { sender: from, receiver: to, passes, fails },
        cause: narrow
          ? `${label(narrow)} has an MTU of ${narrow.mtu}.`
          : `The MTU of ${from} is larger than that of a switch, bridge or network card on the link: jumbo frames on one side only.`,
        remedy: [
          {
            text: 'See from which size on it fails',
            commands: [
              `ping -M do -c 2 -s ${(passes < USUAL && USUAL < fails ? USUAL : fails) - (to.includes(':') ? HEADERS.ipv6 : HEADERS.ipv4)} ${to}`,
              `tracepath -n ${to}`,
            ].map((command) => onHost(network, from, command)),
          },
          {
            text: 'Give every device on the link the same MTU: the larger, on switches and bridges too, or the smaller; until the next restart',
            commands: [setMtu(network, from, narrow?.mtu ?? USUAL)],
          },
        ],
        caveats: ['a target or firewall that ignores big pings looks alike'],
        explains: unansweredPings(network, segment, network.echoes.source(row), network.echoes.destination(row)),
        wouldRaise: narrow ? [] : [`\`ip link\` of ${to} and of the bridges between (--context)`],
        context: narrow ? [`${label(narrow)}: MTU ${narrow.mtu}`] : [],
      });
    }

    return {
      events: { echoesUnanswered: tell },
      captureEnd: (capture) => new Set([...told, ...unansweredEchoes(network, capture)]).forEach(tell),
    };
  },
};
