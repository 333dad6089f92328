import { asSymptoms, inNamespace, label, questionOf, requestFrames } from '../question.js';
import type { Rule } from '../rule.js';
import { REQUESTS } from '../usual-thresholds.js';
import { contextOf, macvlanPair } from './siblings.js';

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
    const { context } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const pair = context && macvlanPair(context, question);
          // In VEPA mode a reflecting switch would help, so the fault is another.
          if (!context || !pair?.isParent || pair.child.mode === 'vepa' || question.requests < thresholds.requests)
            return;
          const { child, other } = pair;
          const { spa, tpa, mac } = question;
          const address = child.addresses.find(({ family }) => family === (question.isIpv4 ? 4 : 6));
          const ofChild = address?.text ?? (question.asker === child ? spa : tpa);
          const own = other.addresses.find(({ family }) => family === (question.isIpv4 ? 4 : 6));
          const bits = question.isIpv4 ? 32 : 128;
          report({
            ...question,
            confidence: 'certain',
            title: `${spa} cannot reach ${tpa}: a macvlan child and its host do not talk`,
            summary:
              `${spa} asks who has ${tpa}, ${question.requests} times in vain. ${label(child)} leans on ${label(other)}: its frames go to the wire and to its siblings, ` +
              'never to the host’s own stack, and the host’s never to a child. Third machines reach both.',
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            cause:
              'The device itself is no member of the bridge between its macvlan children (kernel: drivers/net/macvlan.c).',
            remedy: [
              {
                text: 'Give the host a child of its own and reach the others through it',
                commands: [
                  inNamespace(other, `ip link add mv-host link ${other.name} type macvlan mode bridge`),
                  inNamespace(other, `ip addr add ${own?.text ?? '<host address>'}/${bits} dev mv-host`),
                  inNamespace(other, 'ip link set mv-host up'),
                  inNamespace(other, `ip route add ${ofChild}/${bits} dev mv-host`),
                ],
              },
            ],
            context: contextOf(context, pair),
            explains: asSymptoms(network, question),
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};
