import { confidenceBy } from '../parts/confidence.js';
import { asSymptom, inNamespace, label, questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS, SYNS } from '../parts/usual-thresholds.js';
import { together, type Vanished } from '../parts/vanished/requests.js';
import type { Diagnosis, Remedy, Rule } from '../rule.js';
import { doubtsOf, inVain, type Known, vainKey } from './parts/in-vain.js';
import { contextOf, guestHolds, kinship, macvlanPair, type Pair } from './parts/siblings.js';

const CAUSE = 'The mode does what it is for. Either the two should talk and the mode is wrong, or they should not ask.';

/** Children in private mode do not hear each other (catalogue B9). Needs host context. */
export const privateSibling: Rule = {
  meta: {
    id: 'macvlan/private-sibling',
    severity: 'warning',
    summary: 'macvlan in private mode: children of one device are kept apart on purpose',
    catalogue: 'B9',
    silence: true,
    thresholds: {
      requests: REQUESTS,
      syns: SYNS,
    },
  },
  create(context) {
    const { network, report, withdraw, thresholds } = context;
    return {
      events: {
        ...inVain(context, isPrivate, withoutAsking).events,
        unanswered(row) {
          const question = questionOf(network, row);
          const { context } = network;
          const pair = context && macvlanPair(context, question);
          if (!pair || !isPrivate(pair) || question.requests < thresholds.requests) return;
          const holds = guestHolds(network, row, pair);
          if (holds === 'no') {
            withdraw(question.key);
            return;
          }
          const { spa, tpa, mac } = question;
          const isOpen = holds === 'unknown';
          report({
            ...question,
            confidence: isOpen ? 'hint' : 'certain',
            title: titleOf(spa, tpa),
            summary:
              `${spa} asks who has ${tpa}, ${question.requests} times in vain. ${label(pair.child)} and ${label(pair.other)} are children of one device, and ` +
              `${modes(pair)} in private mode: the kernel gives such a device no broadcast of a sibling, reflected by the switch or not.`,
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            cause: CAUSE,
            remedy: [bridgeMode(pair)],
            caveats: [
              'private mode is no wall: behind a reflecting switch unicast between siblings passes, if they know each other’s MAC',
              ...(isOpen ? [`that ${tpa} is the guest behind ${label(pair.other)} is not known`] : []),
            ],
            wouldRaise: isOpen ? [`the addresses of the guest behind ${label(pair.other)}`] : [],
            context: contextOf(context, pair),
            explains: [
              ...asSymptom(question),
              { rule: 'ipvlan/l3-unreachable', key: question.key },
              { rule: 'macvlan/private-sibling', key: vainKey({ segment: question.segment, from: spa, to: tpa }) },
            ],
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};

function isPrivate({ child, other, isParent }: Pair): boolean {
  return !isParent && (child.mode === 'private' || other.mode === 'private');
}

function titleOf(from: string, to: string): string {
  return `${from} cannot reach ${to}: macvlan private mode keeps them apart`;
}

function modes({ child, other }: Pair): string {
  const [first, second] = [child, other].filter(({ mode }) => mode === 'private');
  return second ? 'both are' : `${label(first)} is`;
}

function bridgeMode({ child, other }: Pair): Remedy {
  return {
    text: 'If they are to talk: bridge mode',
    commands: [child, other]
      .filter(({ mode }) => mode !== 'bridge')
      .map((device) => inNamespace(device, `ip link set ${device.name} type ${device.kind} mode bridge`)),
  };
}

/** The sender has the MAC of its sibling, so that nobody asks: only in bridge mode does the host hand on what is sent to it. */
function withoutAsking(key: string, members: readonly Vanished[], { context, pair, shown }: Known): Diagnosis {
  const [{ from, to }] = members;
  const all = together(members);
  return {
    key,
    ...all,
    confidence: confidenceBy({ certain: shown === 'port', likely: shown === 'silence' }),
    title: titleOf(from, to),
    summary:
      `${from} sends ${all.count} packets to ${to}, whose MAC it has without asking, and nothing comes back. ${label(pair.other)} ${kinship(context, pair)}, and ${modes(pair)} in private mode: ` +
      'the host hands nothing from one to the other, and the switch does not send it back.',
    subject: { ip: to, requester: from },
    cause: CAUSE,
    remedy: [bridgeMode(pair)],
    ...doubtsOf(shown, 'a sibling that drops what it gets'),
    context: contextOf(context, pair),
  };
}
