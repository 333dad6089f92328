import { pingOf } from '../parts/ping.js';
import { asSymptoms, label, type Question, questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Rule } from '../rule.js';
import { ownChild } from './parts/own-child.js';
import { contextOf, macvlanPair, type Pair } from './parts/siblings.js';

/** A host and its own macvlan children cannot talk (catalogue B3). Needs host context. */
export const hostIsolation: Rule = {
  meta: {
    id: 'macvlan/host-isolation',
    severity: 'error',
    summary: 'A host cannot reach its own macvlan children, nor they the host, by design of macvlan',
    catalogue: 'B3',
    silence: true,
    thresholds: {
      requests: REQUESTS,
    },
  },
  create({ network, report, withdraw, thresholds }) {
    /** The child and its host, if frames between the two are lost by design. */
    function pairOf(ends: Pick<Question, 'asker' | 'target'>): Pair | null {
      const pair = network.context && macvlanPair(network.context, ends);
      // In VEPA mode a reflecting switch would help, so the fault is another.
      return pair?.isParent && pair.child.mode !== 'vepa' ? pair : null;
    }

    function said(pair: Pair, from: string, to: string, isChildAsking: boolean, isIpv4: boolean) {
      const { child, other } = pair;
      const [own, far] = isChildAsking ? [to, from] : [from, to];
      return {
        title: `${from} cannot reach ${to}: a macvlan child and its host do not talk`,
        cause:
          'The device itself is no member of the bridge between its macvlan children (kernel: drivers/net/macvlan.c).',
        why:
          `${label(child)} is a child of ${label(other)}: its frames go to the wire and to its siblings, ` +
          'never to the host’s own stack, and the host’s never to a child. Third machines reach both.',
        remedy: [ownChild(pair, own, far, isIpv4)],
      };
    }

    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const pair = pairOf(question);
          if (!network.context || !pair || question.requests < thresholds.requests) return;
          const { spa, tpa, mac, isIpv4, segment } = question;
          const { why, ...words } = said(pair, spa, tpa, question.asker !== pair.other, isIpv4);
          report({
            ...question,
            ...words,
            confidence: 'certain',
            summary: `${spa} asks who has ${tpa}, ${question.requests} times in vain. ${why}`,
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            context: contextOf(network.context, pair),
            explains: [
              ...asSymptoms(network, question),
              { rule: 'macvlan/host-isolation', key: pingKey(segment, spa, tpa) },
            ],
          });
        },
        /** While the MAC is still remembered, from before there was such a child, nobody asks. */
        pingLost(row) {
          const { context, addresses, pings } = network;
          const ping = context && pingOf(network, row);
          if (!context || !ping || ping.unanswered < thresholds.requests) return;
          if (ping.replies > 0) {
            withdraw(pingKey(ping.segment, ping.from, ping.to));
            return;
          }
          const [asker, target] = [pings.source(row), pings.destination(row)].map((address) => {
            const holders = context.devicesByIp(addresses.words(address));
            return holders.length === 1 ? holders[0] : null;
          });
          const pair = asker && target && pairOf({ asker, target });
          // By way of a router the two do reach each other.
          if (!pair || pings.hi(row) !== target.mac?.hi || pings.lo(row) !== target.mac.lo) return;
          const { from, to, segment, capture, isIpv4, unanswered, first, last, evidence } = ping;
          const { why, ...words } = said(pair, from, to, asker !== pair.other, isIpv4);
          report({
            ...words,
            key: pingKey(segment, from, to),
            segment,
            capture,
            count: unanswered,
            first,
            last,
            confidence: 'certain',
            summary: `${from} pings ${to} at its MAC address, ${unanswered} times in vain. ${why}`,
            subject: { ip: to, requester: from },
            evidence,
            context: contextOf(context, pair),
            explains: [{ rule: 'icmp/echo-unanswered', key: ping.key }],
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};

function pingKey(segment: number, from: string, to: string): string {
  return `${segment} ping ${from} ${to}`;
}
