import { doesNoArp } from '../../network/context/device.js';
import { unansweredPingsTo } from '../parts/pings/ping.js';
import { asSymptom, inNamespace, label, modeOf, questionOf, requestFrames } from '../parts/question.js';
import type { Rule } from '../rule.js';

/** A host asks the wire for its own ipvlan child in mode l3 with flag vepa (catalogue C5). Needs host context. */
export const l3VepaOnLink: Rule = {
  meta: {
    id: 'ipvlan/l3-vepa-on-link',
    severity: 'error',
    summary: 'ipvlan l3 with flag vepa: the host asks the wire for its own child, and nobody can answer',
    catalogue: 'C5',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests in vain', source: "the kernel's mcast_solicit" },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { context } = network;
          const { asker: parent, target: child, spa, tpa, mac, requests, segment } = question;
          if (!context || !parent || !child || requests < thresholds.requests) return;
          if (!doesNoArp(child) || child.flag !== 'vepa' || !context.parents(child).includes(parent)) return;
          report({
            ...question,
            confidence: 'certain',
            title: `${tpa} cannot be reached from ${label(parent)} and its other children: ipvlan l3 with flag vepa`,
            summary:
              `${label(parent)} asks the wire who has ${tpa}, ${requests} times in vain. That address is on its own child ${label(child)}. With the flag vepa, what a child or the host sends to another child goes out by the routes of the host, ` +
              `and ${tpa} is on the link there; but a child in mode l3 answers no ARP, whether the switch reflects the question or not.`,
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            cause:
              'Mode l3 with flag vepa expects a router outside that sends packets back; addresses on the link of the host never come to it.',
            remedy: [
              {
                text: 'Let siblings talk inside the host (the flag belongs to the parent, all its children change)',
                commands: [inNamespace(child, `ip link set ${child.name} type ipvlan bridge`)],
              },
              {
                text: 'Or give the children a subnet of their own and route it by an outside router, which has a route back to this host',
                commands: [
                  inNamespace(parent, `ip route add <subnet of the children> via <router> dev ${parent.name}`),
                ],
              },
            ],
            context: [modeOf(child), `${label(parent)} is its parent`],
            explains: [...asSymptom(question), ...unansweredPingsTo(network, segment, resolutions.tpa(row))],
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};
