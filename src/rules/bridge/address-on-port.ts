import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { routesAgain } from '../parts/made-again.js';
import { asSymptoms, inNamespace, label, type Question, questionOf, requestFrames } from '../parts/question.js';
import { asRepeated, repeatedFrames, repeatedSpan } from '../parts/repeated.js';
import type { Diagnosis, Rule } from '../rule.js';

/** An address sits on a bridge port, where nothing that comes in is handed to it. Needs host context. */
export const addressOnPort: Rule = {
  meta: {
    id: 'bridge/address-on-port',
    severity: 'warning',
    summary: 'An IP address sits on a port of a bridge instead of on the bridge, and its answers are lost',
    catalogue: '',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests, in vain or again though answered', source: "the kernel's mcast_solicit" },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          if (question.requests < thresholds.requests) return;
          const diagnosis = diagnose(network, question);
          if (diagnosis)
            report({
              ...diagnosis,
              evidence: requestFrames(network, question),
              explains: asSymptoms(network, question),
            });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
        askedAgain(row) {
          if (resolutions.repeats.count(row) + 1 < thresholds.requests) return;
          const question = questionOf(network, row);
          const diagnosis = diagnose(network, question);
          if (diagnosis)
            report({
              ...diagnosis,
              ...repeatedSpan(network, row),
              evidence: repeatedFrames(network, row),
              explains: [asRepeated(question)],
            });
        },
      },
    };
  },
};

function diagnose(
  { context, addresses, resolutions }: Network,
  question: Question,
): Omit<Diagnosis, 'evidence'> | null {
  const { asker, spa, tpa, mac } = question;
  const bridge = asker?.master;
  if (!context || !asker || !bridge || asker.masterKind !== 'bridge') return null;
  const holders = context.devicesByIp(addresses.words(resolutions.spa(question.row)));
  if (!holders.includes(asker) || holders.includes(bridge)) return null;
  const length = asker.addresses.find(({ text }) => text === spa)?.prefixLength ?? 24;
  return {
    ...question,
    confidence: 'certain',
    title: `${spa} sits on ${label(asker)}, a port of ${printable(bridge.name)}: answers do not reach it`,
    summary:
      `${spa} asks who has ${tpa} from ${label(asker)}, again and again. This device is a port of the bridge ${label(bridge)}, so whatever comes in by it is handed to the bridge; ` +
      'the answer is taken there, and the question, which belongs to the port, stays open.',
    subject: { ip: spa, mac, device: label(asker) },
    cause:
      'Addresses of a host on a bridge belong to the bridge device; a port only carries frames (kernel: net/bridge/br_input.c).',
    remedy: [
      {
        text: 'Move the address to the bridge, and the routes that go with it; a connection over it is cut for a moment',
        commands: [
          inNamespace(asker, `ip addr del ${spa}/${length} dev ${asker.name}`),
          inNamespace(bridge, `ip addr add ${spa}/${length} dev ${bridge.name}`),
          inNamespace(bridge, `ip link set ${bridge.name} up`),
          ...routesAgain(context, asker, bridge.name),
        ],
      },
    ],
    context: [`${label(asker)}: ${spa}/${length}, port of ${label(bridge)}`],
  };
}
