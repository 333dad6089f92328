import { onHost, setMtu } from '../parts/device-argument.js';
import { unansweredPings } from '../parts/pings/ping.js';
import { label } from '../parts/question.js';
import { isLinkFault } from '../parts/sizes/oversize.js';
import { BIG_REQUESTS, watchOversize } from '../parts/sizes/watch.js';
import type { Rule } from '../rule.js';

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
      requests: BIG_REQUESTS,
    },
  },
  create(context) {
    const { network } = context;
    return watchOversize(context, (found) => {
      if (!isLinkFault(found)) return null;
      const { row, segment, from, to, passes, fails, count, narrow } = found;
      return {
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
      };
    });
  },
};
