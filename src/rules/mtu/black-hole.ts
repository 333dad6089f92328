import { pairKey } from '../parts/connections/connection.js';
import { at, onHost, setMtu } from '../parts/device-argument.js';
import { clampFor, letTooBigPass } from '../parts/firewalls/netfilter.js';
import { unansweredPings } from '../parts/pings/ping.js';
import { label } from '../parts/question.js';
import { culprits } from '../parts/sizes/culprits.js';
import { narrowAt } from '../parts/sizes/narrow-way.js';
import { isLinkFault } from '../parts/sizes/oversize.js';
import { BIG_REQUESTS, watchOversize } from '../parts/sizes/watch.js';
import type { Rule } from '../rule.js';

/** Big packets vanish on the path, and nobody says so (catalogue G2). */
export const blackHole: Rule = {
  meta: {
    id: 'mtu/black-hole',
    severity: 'error',
    summary: 'Big packets vanish on the path while small ones pass, and no router says so',
    catalogue: 'G2',
    silence: true,
    thresholds: {
      requests: BIG_REQUESTS,
    },
  },
  create(context) {
    const { network } = context;
    return watchOversize(context, (found) => {
      if (isLinkFault(found)) return null;
      const { row, segment, from, to, passes, fails, count } = found;
      const suspects = culprits(passes, fails);
      const narrow = narrowAt(network, network.echoes.source(row), network.echoes.destination(row), passes, fails);
      return {
        confidence: 'likely',
        title: `Packets of ${fails} bytes from ${from} vanish on the way to ${to}, smaller ones pass`,
        summary:
          `Pings of ${passes} bytes (IP) from ${from} to ${to} are answered; ${count} of ${fails} bytes are not, and no ICMP message about their size is in this capture. ` +
          'Such a path lets connections open and then hang: TLS after the first message, large downloads, SSH at key exchange.',
        subject: { sender: from, receiver: to, passes, fails },
        cause:
          `Somewhere on the path the limit lies between ${passes} bytes, which pass, and ${fails}, which do not; the message about it is not sent or is dropped.` +
          (narrow ? ` ${label(narrow)} has an MTU of ${narrow.mtu}.` : '') +
          (suspects.length > 0 ? ` Usual limits in that range: ${suspects.map(({ words }) => words).join(', ')}.` : ''),
        remedy: [
          { text: 'Find the size from which on it fails', commands: [onHost(network, from, `tracepath -n ${to}`)] },
          {
            text: 'Make packets small enough where they start, in containers and guests too; until the next restart',
            commands: [setMtu(network, from, narrow?.mtu ?? suspects[0]?.mtu ?? passes)],
          },
          {
            text: `On ${narrow ? label(narrow) : 'the router with the small MTU'}: let TCP learn the size from the start, in both directions; until the next restart`,
            commands: [at(narrow, clampFor(to))],
          },
          {
            text: 'Let the messages about sizes pass on firewalls (made by iptables; what a rule of another nftables table drops stays dropped)',
            commands: [letTooBigPass(to, 'FORWARD')],
          },
        ],
        caveats: ['a target or firewall that ignores big pings looks alike'],
        explains: [
          ...unansweredPings(network, segment, network.echoes.source(row), network.echoes.destination(row)),
          { rule: 'tcp/big-segments-stall', key: pairKey(segment, from, to) },
          { rule: 'tcp/big-segments-stall', key: pairKey(segment, to, from) },
        ],
        wouldRaise: [`a capture behind the hole, at ${to}: do the big packets arrive?`],
      };
    });
  },
};
