import { asSymptom, inNamespace, modeOf, questionOf, requestFrames, selfReplyFrames } from '../parts/question.js';
import { REQUESTS } from '../parts/usual-thresholds.js';
import type { Rule } from '../rule.js';
import { ipvlanPair } from './parts/siblings.js';

/** ipvlan l2 in VEPA mode: the sibling answers onto the wire, to its own MAC, and nothing brings it back (catalogue C1, 4.2). */
export const vepaNoReflection: Rule = {
  meta: {
    id: 'ipvlan/vepa-no-reflection',
    severity: 'error',
    summary: 'ipvlan VEPA without reflective relay (hairpin): children of one device cannot reach each other',
    catalogue: 'C1',
    silence: true,
    thresholds: {
      rounds: { value: 2, unit: 'rounds of question and answer to self', source: 'one may be a lonely stray frame' },
      requests: { ...REQUESTS, unit: 'requests in vain, where the host context shows VEPA and no answers leave' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions, segments } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { context } = network;
          const { spa, tpa, mac, requests } = question;
          const pair = context && ipvlanPair(context, question);
          const parent = pair?.asker.parent;
          const relay = context && parent ? context.reflectiveRelay(parent) : 'unknown';
          const isVepa = pair?.asker.flag === 'vepa';
          // The wire sees the answer overtake its request, which ipvlan defers. In the answering child's own namespace the
          // request comes first, and the flag private looks the same there.
          const replies = isVepa ? resolutions.selfReplies(row) : resolutions.earlySelfReplies(row);
          const hasReplies = replies >= thresholds.rounds && requests >= thresholds.rounds;
          if (relay === 'on' || (pair && !isVepa) || !(hasReplies || (isVepa && requests >= thresholds.requests)))
            return;
          const children = pair ? [pair.asker, pair.target] : [];
          report({
            ...question,
            confidence: 'certain',
            title: `${spa} cannot reach ${tpa}: nothing reflects frames back (ipvlan VEPA)`,
            summary: hasReplies
              ? `${spa} asks who has ${tpa}, ${requests} times. Each time the answer leaves for the wire, from ${mac} to ${mac}: both are behind one MAC, as ipvlan children are. ` +
                'In VEPA mode only a switch that reflects frames to the port they came from could bring it back, and none does.'
              : `${spa} asks who has ${tpa}, ${requests} times in vain. Both are ipvlan children of one device in VEPA mode: unicast between them has to be reflected by the switch, and is not.`,
            subject: { ip: tpa, requester: spa, mac },
            evidence: [...requestFrames(network, question), ...selfReplyFrames(network, question)],
            cause:
              'ipvlan l2 with the vepa flag needs a switch with reflective relay (hairpin) that accepts frames whose source is their destination.',
            remedy: [
              {
                text: 'Bridge mode: siblings talk inside the host (the flag belongs to the parent, all its children change)',
                commands: pair
                  ? [inNamespace(pair.asker, `ip link set ${pair.asker.name} type ipvlan bridge`)]
                  : ['ip -d link show type ipvlan', 'ip link set <child> type ipvlan bridge'],
              },
              {
                text: 'Or reflective relay at the switch port facing this host; many switches drop frames with equal addresses even so',
                commands: ['bridge link set dev <switch port> hairpin on'],
              },
            ],
            caveats:
              segments.sawInbound(question.segment) || pair
                ? []
                : ['direction is unknown in this file; no copy of the answers is in it'],
            wouldRaise: pair ? [] : ['`ip -d link` of the host (--context): ipvlan mode l2 with flag vepa'],
            context: children.map(modeOf),
            explains: [
              ...asSymptom(question),
              ...(hasReplies ? [{ rule: 'ethernet/same-mac' as const, key: `${question.segment} ${mac}` }] : []),
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
