import { printable } from '../../wire/printable.js';
import { asSymptoms, inNamespace, label, questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Rule } from '../rule.js';
import { portsBetween } from './parts/ports.js';

/** Asker and target sit behind isolated ports of one bridge. Needs host context. */
export const portIsolated: Rule = {
  meta: {
    id: 'bridge/port-isolated',
    severity: 'warning',
    summary: 'Two hosts sit behind isolated ports of one bridge, which keeps them apart',
    catalogue: '',
    silence: true,
    thresholds: {
      requests: REQUESTS,
    },
  },
  create({ network, report, withdraw, thresholds }) {
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const ports = question.requests >= thresholds.requests ? portsBetween(network, question) : null;
          if (!ports?.asker.isolated || !ports.target.isolated) return;
          const { asker, target } = ports;
          const { spa, tpa, mac } = question;
          report({
            ...question,
            confidence: 'certain',
            title: `${spa} cannot reach ${tpa}: their bridge ports are isolated from each other`,
            summary:
              `${spa} asks who has ${tpa}, ${question.requests} times in vain. ${label(asker)} and ${label(target)} are isolated ports of one bridge: ` +
              'it passes nothing from one isolated port to another. Hosts behind other ports reach both.',
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            cause: 'Port isolation, set on purpose as a rule (kernel: br_skb_isolated in net/bridge/br_private.h).',
            remedy: [
              {
                text: `If they are to talk: end the isolation of one of them, which opens it to all isolated ports`,
                commands: [inNamespace(target, `bridge link set dev ${target.name} isolated off`)],
              },
            ],
            context: [asker, target].map(
              (port) => `${label(port)}: isolated, ${printable(port.state ?? 'state unknown')}`,
            ),
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
