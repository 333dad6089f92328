import { asSymptom, label, questionOf, requestFrames } from '../question.js';
import type { Rule } from '../rule.js';

/** The address that Calico gives every pod as its gateway; no host holds it, the node answers by proxy ARP (catalogue A14). */
const GATEWAY = '169.254.1.1';

/** A pod's gateway 169.254.1.1 is not answered (catalogue A14). */
export const linkLocalGatewayUnanswered: Rule = {
  meta: {
    id: 'arp/link-local-gateway-unanswered',
    severity: 'error',
    summary: 'Nobody answers for the gateway 169.254.1.1: the node’s proxy ARP is silent',
    catalogue: 'A14',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests in vain that make more than a hint', source: "the kernel's mcast_solicit" },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { spa, tpa, mac, requests, asker } = question;
          // Among link-local addresses 169.254.1.1 is a neighbour like any other (RFC 3927).
          if (tpa !== GATEWAY || spa.startsWith('169.254.')) return;
          if (resolutions.sweeps(question.segment, resolutions.hi(row), resolutions.lo(row))) return;
          const sees = network.seesAnswersTo(row);
          if (sees !== 'yes' && resolutions.retries(row) < Math.min(requests, thresholds.requests) - 1) return;
          report({
            ...question,
            confidence: requests >= thresholds.requests ? (sees === 'no' ? 'likely' : 'certain') : 'hint',
            title: `${spa} gets no answer from its gateway ${GATEWAY}: the node does not answer for it`,
            summary:
              `${spa} (${mac}) asks who has ${GATEWAY} ${requests} times in vain. No host holds this address: the node at the other end of ` +
              'the pod’s cable answers for it by proxy ARP, and here it does not. Nothing leaves the pod.',
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            cause:
              'The node answers by proxy only if proxy_arp is on at the host side of the cable (cali…) and the node has a route to the address: ' +
              'a default route is enough, without one it stays silent.',
            remedy: [
              {
                text: 'On the node: is there a route to the address',
                commands: [`ip route get ${GATEWAY}`, 'ip route show default'],
              },
              {
                text: 'Switch proxy ARP on at the host side of the cable; calico-node does it when it starts',
                commands: ['sysctl -w net.ipv4.conf.<cali device>.proxy_arp=1'],
              },
              {
                text: 'If the node has no default route, give it one: the real gateway, or for a closed network one that leads nowhere',
                commands: [
                  'ip route add default via <gateway of the node>',
                  'ip route add blackhole default metric 4294967295',
                ],
              },
            ],
            caveats: resolutions.recovered(row) ? ['a later request was answered: the fault passed'] : [],
            wouldRaise: ['the same on the node, at the host side of the cable: do the requests arrive there?'],
            context: asker ? [label(asker)] : [],
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
