import { confidenceBy } from '../parts/confidence.js';
import { stuckConnections } from '../parts/connections/connection.js';
import { at, deviceHolding } from '../parts/device-argument.js';
import { filteredNeighbor } from '../parts/firewalls/filtered-neighbor.js';
import { downHolder, setUp } from '../parts/link-down.js';
import { questionOf, requestFrames, trailOf } from '../parts/question.js';
import { saidUnreachable } from '../parts/refusals/icmp-error.js';
import type { Rule } from '../rule.js';

/** Solicited again and again and never answered (catalogue A16). */
export const unanswered: Rule = {
  meta: {
    id: 'nd/unanswered',
    severity: 'warning',
    summary: 'A host looks for an IPv6 neighbor again and again, and nobody answers',
    catalogue: 'A16',
    silence: true,
    thresholds: {
      requests: {
        value: 3,
        unit: 'solicitations in vain that make more than a hint',
        source: 'MAX_MULTICAST_SOLICIT, RFC 4861 section 10',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          if (question.isIpv4) return;
          // Somebody who looks for dozens of addresses a second scans; most of them need not exist.
          if (resolutions.sweeps(question.segment, resolutions.hi(row), resolutions.lo(row))) return;
          const { spa, tpa, mac, requests, asker, target } = question;
          const sees = network.seesAnswersTo(row);
          // A bystander hears multicast but not the unicast answers: there only a kernel's retries prove silence.
          if (sees !== 'yes' && resolutions.retries(row) < Math.min(requests, thresholds.requests) - 1) return;
          const enough = requests >= thresholds.requests;
          const title = `${spa} looks for ${tpa} and gets no answer`;
          const filtered = enough ? filteredNeighbor(network, question, false) : null;
          report({
            ...question,
            confidence: confidenceBy({ hint: !enough, certain: sees !== 'no' }),
            title: `${title}${filtered?.clause ?? ''}`,
            summary:
              `${spa} (${mac}) solicits the neighbor ${tpa}, ${requests} times, and no advertisement is in this capture. ` +
              'That it asks again after the usual second shows that none reached it.',
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            explains: [...stuckConnections(question.segment, spa, tpa), ...saidUnreachable(network, question)],
            trail: trailOf(question, title, setUp(downHolder(network, network.resolutions.tpa(row)))),
            cause:
              filtered?.cause ??
              `${tpa} does not exist or is down, the solicitation does not reach it, or its advertisement does not come back: ` +
                'from this place the three look alike. Switches that filter multicast lose solicitations and let IPv4 work.',
            remedy: [
              ...setUp(downHolder(network, network.resolutions.tpa(row))),
              ...(filtered?.remedy ?? []),
              {
                text: 'See what the asking host knows, and ask by hand while capturing at the target',
                commands: [`ip -6 neigh show ${tpa}`, `ndisc6 -r 3 ${tpa} ${deviceHolding(asker, spa)}`].map(
                  (command) => at(asker, command),
                ),
              },
              {
                text: 'At the target, or at a switch before it: look whether the solicitation arrives',
                commands: [at(target, `tcpdump -eni ${target?.name ?? 'any'} icmp6 and host ${spa}`)],
              },
            ],
            context: filtered?.context ?? [],
            caveats: [
              ...(filtered?.caveats ?? []),
              ...(sees === 'no'
                ? [
                    'no frame for the asking host is in this capture: that nothing answers is concluded from its asking again',
                  ]
                : []),
              ...(resolutions.recovered(row) ? ['a later solicitation was answered: the fault passed'] : []),
              ...(enough ? [] : ['only two solicitations, the last of them perhaps answered after the capture ended']),
            ],
            wouldRaise: [
              `a capture at ${tpa} or at its switch port: does the solicitation arrive, and does an advertisement leave?`,
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
