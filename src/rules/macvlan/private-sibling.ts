import { asSymptom, inNamespace, label, questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Rule } from '../rule.js';
import { contextOf, macvlanPair } from './parts/siblings.js';

/** Children in private mode do not hear each other's broadcasts (catalogue B9). Needs host context. */
export const privateSibling: Rule = {
  meta: {
    id: 'macvlan/private-sibling',
    severity: 'warning',
    summary: 'macvlan in private mode: children of one device are kept apart on purpose',
    catalogue: 'B9',
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
          const { context } = network;
          const pair = context && macvlanPair(context, question);
          if (!pair || pair.isParent || question.requests < thresholds.requests) return;
          const { child, other } = pair;
          const isPrivate = [child, other].filter(({ mode }) => mode === 'private');
          if (isPrivate.length === 0) return;
          const { spa, tpa, mac } = question;
          report({
            ...question,
            confidence: 'certain',
            title: `${spa} cannot reach ${tpa}: macvlan private mode keeps them apart`,
            summary:
              `${spa} asks who has ${tpa}, ${question.requests} times in vain. ${label(child)} and ${label(other)} are children of one device, and ` +
              `${isPrivate.length > 1 ? 'both are' : `${label(isPrivate[0])} is`} in private mode: the kernel gives such a device no broadcast of a sibling, reflected by the switch or not.`,
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            cause:
              'The mode does what it is for. Either the two should talk and the mode is wrong, or they should not ask.',
            remedy: [
              {
                text: 'If they are to talk: bridge mode',
                commands: isPrivate.map((device) =>
                  inNamespace(device, `ip link set ${device.name} type ${device.kind} mode bridge`),
                ),
              },
            ],
            caveats: [
              'private mode is no wall: behind a reflecting switch unicast between siblings passes, if they know each other’s MAC',
            ],
            context: contextOf(context, pair),
            explains: asSymptom(question),
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};
