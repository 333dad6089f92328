import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { asSymptoms, label, questionOf, requestFrames } from '../parts/question.js';
import { REQUESTS, SYNS } from '../parts/usual-thresholds.js';
import { together, type Vanished } from '../parts/vanished/requests.js';
import type { Diagnosis, Rule } from '../rule.js';
import { doubtsOf, inVain, type Known, vainKey } from './parts/in-vain.js';
import { joined } from './parts/own-child.js';
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
      syns: SYNS,
    },
  },
  create(context) {
    const { network, report, withdraw, thresholds } = context;
    return {
      events: {
        ...inVain(context, isIsolated, withoutAsking).events,
        unanswered(row) {
          const question = questionOf(network, row);
          const { context } = network;
          const pair = context && macvlanPair(context, question);
          if (!pair || !isIsolated(pair) || question.requests < thresholds.requests) return;
          if (isReflectedTo(pair, question.asker, context)) return;
          const { spa, tpa, mac, isIpv4, segment } = question;
          const { why, ...words } = said(context, pair, spa, tpa, question.asker !== pair.other, isIpv4);
          report({
            ...question,
            ...words,
            confidence: 'certain',
            summary: `${spa} asks who has ${tpa}, ${question.requests} times in vain. ${why}`,
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            context: contextOf(context, pair),
            explains: [
              ...asSymptoms(network, question),
              { rule: 'macvlan/host-isolation', key: vainKey({ segment, from: spa, to: tpa }) },
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

function isIsolated({ child, isParent }: Pair): boolean {
  // In VEPA mode a reflecting switch would help, so the fault is another.
  return isParent && child.mode !== 'vepa';
}

/** Whether a question reaches the other by way of the switch: what a private child sent comes back to itself alone. */
function isReflectedTo({ child, other }: Pair, asker: Device | null, context: HostContext): boolean {
  return context.reflectiveRelay(other) === 'on' && (asker === other || child.mode !== 'private');
}

function said(context: HostContext, pair: Pair, from: string, to: string, isChildAsking: boolean, isIpv4: boolean) {
  const { child, other } = pair;
  const [own, far] = isChildAsking ? [to, from] : [from, to];
  return {
    title: `${from} cannot reach ${to}: a macvlan child and its host do not talk`,
    cause: 'The device itself is no member of the bridge between its macvlan children (kernel: drivers/net/macvlan.c).',
    why:
      `${label(child)} is a child of ${label(other)}: its frames go to the wire and to its siblings, ` +
      'never to the host’s own stack, and the host’s never to a child. Third machines reach both.',
    remedy: joined(context, pair, own, far, isIpv4),
  };
}

/** While the MAC is still remembered, from before there was such a child, or with a permanent entry, nobody asks. */
function withoutAsking(key: string, members: readonly Vanished[], { context, pair, asker, shown }: Known): Diagnosis {
  const [{ from, to, isIpv4 }] = members;
  const { why, ...words } = said(context, pair, from, to, asker !== pair.other, isIpv4);
  const all = together(members);
  return {
    key,
    ...words,
    ...all,
    confidence: shown === 'port' ? 'certain' : 'likely',
    summary: `${from} sends ${all.count} packets to the MAC address of ${to} in vain. ${why}`,
    subject: { ip: to, requester: from },
    ...doubtsOf(shown, `${to}, if it drops what it gets`),
    context: contextOf(context, pair),
  };
}
