import type { Device } from '../../network/context/device.js';
import { Claim } from '../../network/neighbors/bindings.js';
import { confidenceBy } from '../parts/confidence.js';
import { downHolder, setUp } from '../parts/link-down.js';
import { asSymptom, inNamespace, label, modeOf, questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Remedy, Rule } from '../rule.js';
import { ipvlanPair, type Siblings } from './parts/siblings.js';

/** Two addresses behind one MAC do not find each other, and no answer leaves (catalogue C3). */
export const siblingUnanswered: Rule = {
  meta: {
    id: 'ipvlan/sibling-unanswered',
    severity: 'warning',
    summary: 'An ipvlan child asks for a sibling behind the same MAC, and no answer is seen',
    catalogue: 'C3',
    silence: true,
    thresholds: {
      requests: REQUESTS,
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions, bindings } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { context } = network;
          if (question.requests < thresholds.requests) return;
          const { spa, tpa, mac, segment } = question;
          const pair = context && ipvlanPair(context, question);
          const isPrivate = pair?.asker.flag === 'private';
          // Answers that leave and do not arrive speak of VEPA, unless they are seen where the driver has yet to drop them.
          if (pair?.asker.flag === 'vepa' || (resolutions.selfReplies(row) > 0 && !isPrivate)) return;
          const shares = bindings.find(segment, resolutions.hi(row), resolutions.lo(row), resolutions.tpa(row));
          // Asking for an address ties the two together as well, but is no sign that the MAC has it.
          const isShared = shares >= 0 && (bindings.claims(shares) & ~Claim.Asked) !== 0;
          // The host context knows both, and they are no siblings: a child and its host, or VLAN devices of one card.
          const areOthers = question.asker !== null && question.target !== null;
          if (!pair && (!isShared || areOthers)) return;
          const down = pair && downHolder(network, resolutions.tpa(row));
          const { title, says, cause, remedy } = reasonOf(isPrivate, pair, down, tpa);
          report({
            ...question,
            // Without context the shared MAC may as well be a router's or a host's with two addresses.
            confidence: confidenceBy({ certain: isPrivate, likely: pair !== null }),
            title: `${spa} cannot reach ${tpa} behind the same MAC${title}`,
            summary: `${spa} asks who has ${tpa}, ${question.requests} times in vain, and both ${pair ? 'are ipvlan children of one device' : `send from ${mac}, as ipvlan children of one device do`}. ${says}`,
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            cause,
            remedy,
            wouldRaise: pair ? [] : ['`ip -d link` of the host (--context): ipvlan mode and flag'],
            context: pair ? [modeOf(pair.asker), modeOf(pair.target)] : [],
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

/** Why the sibling does not answer, as far as the host context tells; `title` goes behind the fact itself. */
function reasonOf(isPrivate: boolean, pair: Siblings | null, down: Device | null, tpa: string) {
  if (isPrivate)
    return {
      title: ': ipvlan private mode keeps them apart',
      says: 'In private mode the driver drops what one sibling sends to another.',
      cause: 'The private flag of the parent: siblings are isolated from each other on purpose.',
      remedy: [bridgeMode(pair?.asker ?? null)],
    };
  const says = `In bridge mode the host hands requests from one to the other itself: ${tpa} does not answer them.`;
  if (pair && down) {
    const hanging = down === pair.target ? '' : `, and ${tpa} hangs on it`;
    const cause = `${label(down)} is down${hanging}.`;
    return { title: `: ${label(down)} is down`, says, cause, remedy: setUp(down) };
  }
  // With the flag known to be bridge, what is left is the sibling itself.
  if (pair?.asker.flag === 'bridge')
    return {
      title: '',
      says,
      cause: `${label(pair.target)} was down or without the address then, or a filter in ${pair.target.namespace} drops the requests.`,
      remedy: [seeItself(pair.target)],
    };
  return {
    title: '',
    says: 'In bridge mode a second request would not leave: either private mode drops the answer, or the sibling is down.',
    cause: 'The private flag, or a sibling that is down or gone.',
    remedy: [bridgeMode(pair?.asker ?? null)],
  };
}

function bridgeMode(child: Device | null): Remedy {
  return {
    text: 'If they are to talk: bridge mode (the flag belongs to the parent, all its children change)',
    commands: child
      ? [inNamespace(child, `ip link set ${child.name} type ipvlan bridge`)]
      : ['ip -d link show type ipvlan', 'ip link set <child> type ipvlan bridge'],
  };
}

function seeItself(target: Device): Remedy {
  return {
    text: 'See whether the sibling is up, has the address, and filters',
    commands: ['ip -br addr', 'nft list ruleset'].map((command) => inNamespace(target, command)),
  };
}
