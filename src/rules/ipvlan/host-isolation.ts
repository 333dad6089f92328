import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { asSymptoms, inNamespace, label, modeOf, type Question, questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Rule } from '../rule.js';

/** A host and its own ipvlan children cannot talk. Needs host context. */
export const hostIsolation: Rule = {
  meta: {
    id: 'ipvlan/host-isolation',
    severity: 'error',
    summary: 'A host cannot reach its own ipvlan children, nor they the host, by design of ipvlan',
    catalogue: '',
    silence: true,
    thresholds: {
      requests: REQUESTS,
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { context } = network;
          // An answer, from the shared MAC to itself, shows that the other side heard the request.
          if (resolutions.selfReplies(row) > 0) return withdraw(question.key);
          if (!context || question.requests < thresholds.requests) return;
          const pair = childAndParent(context, question);
          // Where a switch reflects, the other side does hear the request, and the fault is another.
          if (!pair || pair.child.flag === 'vepa' || context.reflectiveRelay(pair.parent) === 'on') return;
          const { child, parent } = pair;
          const { spa, tpa, mac, isIpv4 } = question;
          const address = child.addresses.find(({ family }) => family === (isIpv4 ? 4 : 6));
          const bits = isIpv4 ? 32 : 128;
          report({
            ...question,
            confidence: 'certain',
            title: `${spa} cannot reach ${tpa}: an ipvlan child and its host do not talk`,
            summary:
              `${spa} asks who has ${tpa}, ${question.requests} times in vain. ${label(child)} is a child of ${label(parent)} and shares its MAC ${mac}: ` +
              'its frames go to the wire and to its siblings, never to the host’s own stack, and the host’s never to a child. Third machines reach both.',
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            cause:
              'The driver hands what a child sends to its siblings or to the wire, never up into the parent (kernel: drivers/net/ipvlan/ipvlan_core.c).',
            remedy: [
              {
                text: 'Give the host a child of its own, with a free address, and reach the others through it',
                commands: [
                  inNamespace(parent, `ip link add iv-host link ${parent.name} type ipvlan mode l2`),
                  inNamespace(parent, `ip addr add <free address>/${bits} dev iv-host`),
                  inNamespace(parent, 'ip link set iv-host up'),
                  inNamespace(parent, `ip route add ${address?.text ?? tpa}/${bits} dev iv-host src <free address>`),
                ],
              },
            ],
            context: [modeOf(child), `${label(parent)} is its parent`],
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

/** The two ends if one is an ipvlan child in l2 mode and the other the device it leans on. */
function childAndParent(context: HostContext, { asker, target }: Question): { child: Device; parent: Device } | null {
  if (!asker || !target) return null;
  for (const [child, parent] of [
    [asker, target],
    [target, asker],
  ]) {
    const parents = context.parents(child);
    if (child.kind === 'ipvlan' && child.mode === 'l2' && parents.length === 1 && parents[0] === parent)
      return { child, parent };
  }
  return null;
}
