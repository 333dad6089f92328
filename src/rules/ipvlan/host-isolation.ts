import { type Device, doesNoArp } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { asSymptoms, inNamespace, label, modeOf, type Question, questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Remedy, Rule } from '../rule.js';

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
          // Where a switch reflects, the other side does hear the request, and the fault is another; in mode l3 the flag vepa is.
          if (!pair || context.reflectiveRelay(pair.parent) === 'on') return;
          const { child, parent } = pair;
          if (child.flag === 'vepa' && (doesNoArp(child) || context.reflectiveRelay(parent) !== 'off')) return;
          const { spa, tpa, mac } = question;
          report({
            ...question,
            confidence: 'certain',
            title: `${spa} cannot reach ${tpa}: an ipvlan child and its host do not talk`,
            summary:
              `${spa} asks who has ${tpa}, ${question.requests} times in vain. ${label(child)} is a child of ${label(parent)} and shares its MAC ${mac}: ` +
              (doesNoArp(child)
                ? `in mode ${child.mode} what it sends does come to the host, but what the host sends to it, and answers it, goes to the wire, where the host asks for it by ARP and nobody answers.`
                : 'its frames go to the wire and to its siblings, never to the host’s own stack, and the host’s never to a child. Third machines reach both.'),
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            cause: doesNoArp(child)
              ? 'The host has no way to the child but the wire: what it sends by the parent never comes to a child (kernel: drivers/net/ipvlan/ipvlan_core.c).'
              : 'The driver hands what a child sends to its siblings or to the wire, never up into the parent (kernel: drivers/net/ipvlan/ipvlan_core.c).',
            remedy: [ownChild(pair, question)],
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

interface Pair {
  readonly child: Device;
  readonly parent: Device;
}

/** A child of the host's own in the mode of the others: a port has but one, and `ip link` sets the flag of all to bridge with it. */
function ownChild({ child, parent }: Pair, { isIpv4, tpa }: Question): Remedy {
  const address = child.addresses.find(({ family }) => family === (isIpv4 ? 4 : 6))?.text ?? tpa;
  const ip = isIpv4 ? 'ip' : 'ip -6';
  const bits = isIpv4 ? 32 : 128;
  const { flag } = child;
  const loses =
    flag === null || flag === 'bridge'
      ? ''
      : ` (takes the flag ${flag} from all children: with it, they do not reach one another, nor this one)`;
  return {
    text: `Give the host a child of its own, with a free address, and reach the others through it${loses}`,
    commands: [
      `ip link add iv-host link ${parent.name} type ipvlan mode ${child.mode} bridge`,
      // Until an address of IPv6 is found to be free, no route may have it as source.
      `${ip} addr add <free address>/${bits} dev iv-host${isIpv4 ? '' : ' nodad'}`,
      'ip link set iv-host up',
      `${ip} route add ${address}/${bits} dev iv-host src <free address>`,
    ].map((command) => inNamespace(parent, command)),
  };
}

/** The two ends if one is an ipvlan child and the other the device it leans on. */
function childAndParent(context: HostContext, { asker, target }: Question): Pair | null {
  if (!asker || !target) return null;
  for (const [child, parent] of [
    [asker, target],
    [target, asker],
  ]) {
    const parents = context.parents(child);
    if (child.kind === 'ipvlan' && child.mode !== null && parents.length === 1 && parents[0] === parent)
      return { child, parent };
  }
  return null;
}
