import { asSymptom, label, modeOf, questionOf, requestFrames } from '../parts/question.js';
import { asRepeated, repeatedFrames, repeatedSpan } from '../parts/repeated.js';
import type { Rule } from '../rule.js';
import { answeredAtOtherPort, answeredUnheard, CURES, ipvlan } from './egress-filtered.js';
import { childWith, isInside, isServed } from './parts/child.js';

const MAX_QUESTIONS = 1000;

/** What is sent to a macvlan child does not reach it, while what it sends arrives (catalogue B5). */
export const ingressFiltered: Rule = {
  meta: {
    id: 'macvlan/ingress-filtered',
    severity: 'error',
    summary: 'The network does not deliver frames for the MAC of a macvlan child to its host',
    catalogue: 'B5',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests, in vain or again though answered', source: "the kernel's mcast_solicit" },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions, stations } = network;
    const repeated = new Set<number>();

    /** At the target: it answers, and the child asks on. */
    function atTarget(row: number): void {
      if (!network.context || resolutions.repeats.count(row) + 1 < thresholds.requests) return;
      const question = questionOf(network, row);
      const { segment, spa, tpa, mac } = question;
      const both = childWith(network, resolutions.hi(row), resolutions.lo(row));
      if (!both || isInside(network, both, question.target) || !isServed(network, question, both.parent)) return;
      const { child, parent } = both;
      // On the child's own machine an answer that is seen did arrive.
      const { vantage } = network;
      if (!vantage || vantage.namespace === child.namespace || vantage.namespace === parent.namespace) return;
      report({
        ...question,
        ...repeatedSpan(network, row),
        key: `again ${question.key}`,
        segment,
        confidence: 'likely',
        title: `What is sent to ${label(child)} does not reach it, what is sent to its host does`,
        summary:
          `${spa} (${mac}) asks who has ${tpa}, and each time an answer for this MAC is sent; that it asks on shows that none arrives. ` +
          `${label(parent)}, which carries it, asked the same from its own MAC ${parent.mac?.text ?? ''} and was content with one answer: the virtual switch or the port delivers its own MAC alone.`,
        subject: { mac, device: label(child), ip: tpa },
        evidence: repeatedFrames(network, row),
        cause: CAUSE,
        remedy: [...CURES, ipvlan(network.context, both)],
        wouldRaise: [`a capture on ${label(parent)}: the answers do not come in there`],
        context: [modeOf(child)],
        explains: [asRepeated(question)],
      });
    }

    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const both =
            question.requests < thresholds.requests
              ? null
              : childWith(network, resolutions.hi(row), resolutions.lo(row));
          if (!both || isInside(network, both, question.target)) return;
          const { segment, spa, tpa, mac } = question;
          const own = stations.find(segment, resolutions.hi(row), resolutions.lo(row));
          if (own < 0 || stations.wasWrittenTo(own) || !isServed(network, question, both.parent)) return;
          if (!answeredUnheard(network, question, both, thresholds.requests)) {
            withdraw(question.key);
            return;
          }
          const { child, parent } = both;
          report({
            ...question,
            confidence: 'likely',
            title: `What is sent to ${label(child)} does not reach ${label(parent)}, which carries it`,
            summary:
              `${spa} asks who has ${tpa}, ${question.requests} times in vain, while ${label(parent)} is answered. ` +
              (answeredAtOtherPort(network, question)
                ? `${tpa} answers at another port of this capture, `
                : `${spa} was asked for itself, answered once, and was not asked again, `) +
              `so its frames arrive. But no unicast frame for ${mac} ever comes in: the virtual switch or the port delivers its own MAC alone.`,
            subject: { mac, device: label(child), ip: tpa },
            evidence: requestFrames(network, question),
            cause: CAUSE,
            remedy: [...CURES, ipvlan(network.context, both)],
            wouldRaise: [`a capture at ${tpa}: it answers, and the answers do not come here`],
            context: [modeOf(child)],
            explains: asSymptom(question),
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
        askedAgain(row) {
          if (repeated.size < MAX_QUESTIONS) repeated.add(row);
          atTarget(row);
        },
      },
      // That its host was served may have been seen later.
      captureEnd() {
        for (const row of repeated) atTarget(row);
        repeated.clear();
      },
    };
  },
};

const CAUSE =
  'The port delivers unicast for one MAC only: vSphere “Promiscuous mode: Reject” without MAC learning, Hyper-V without MAC spoofing, a network card whose filter lacks the child’s MAC.';
