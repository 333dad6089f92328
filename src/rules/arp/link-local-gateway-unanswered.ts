import { parseIp } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import { largerSetting, wayTo } from '../../network/context/routing.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { confidenceBy } from '../parts/confidence.js';
import { stuckConnectionsOf } from '../parts/connections/connection.js';
import { settingsName } from '../parts/device-argument.js';
import { nextRouter } from '../parts/next-router.js';
import { asSymptom, inNamespace, label, questionOf, requestFrames } from '../parts/question.js';
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
          const port = asker?.peer ?? null;
          const node = nodeOf(network, port);
          const cali = port ? printable(port.name) : '<cali device>';
          const onNode = (command: string) => (port ? inNamespace(port, command) : command);
          const isOff = node?.isOn === false;
          const home = port && network.context?.namespaces.get(port.namespace);
          const router = home ? nextRouter(network.context, [...home.devices.values()], 4) : null;
          report({
            ...question,
            confidence: confidenceBy({ hint: requests < thresholds.requests, certain: sees !== 'no' }),
            title: `${spa} gets no answer from its gateway ${GATEWAY}: the node does not answer for it`,
            summary:
              `${spa} (${mac}) asks who has ${GATEWAY} ${requests} times in vain. No host holds this address: the node at the other end of ` +
              'the pod’s cable answers for it by proxy ARP, and here it does not. Nothing leaves the pod.',
            subject: { ip: tpa, requester: spa, mac },
            evidence: requestFrames(network, question),
            cause:
              'The node answers by proxy only if proxy_arp is on at the host side of the cable (cali…) and the node has a route to the address: ' +
              'a default route is enough, without one it stays silent.' +
              (isOff ? ` Here proxy_arp is off at ${cali}.` : '') +
              (node?.isRouted === false ? ` Here the node has no route to ${GATEWAY}.` : ''),
            remedy: [
              {
                text: 'On the node: is there a route to the address',
                commands: [onNode(`ip route get ${GATEWAY}`), onNode('ip route show default')],
              },
              ...(node?.isOn
                ? []
                : [
                    {
                      text: 'Switch proxy ARP on at the host side of the cable, as calico-node does when it starts; until the pod is made anew',
                      commands: [onNode(`sysctl -w net.ipv4.conf.${settingsName(cali)}.proxy_arp=1`)],
                    },
                  ]),
              ...(node?.isRouted
                ? []
                : [
                    {
                      text: 'If the node has no default route though it is meant to have one: give it one',
                      commands: [onNode(`ip route add default via ${router?.address ?? '<gateway of the node>'}`)],
                    },
                    {
                      text: 'Or, in a closed network, a route for this address alone: it need not lead anywhere',
                      commands: [onNode(`ip route add ${GATEWAY} dev lo`)],
                    },
                  ]),
            ],
            caveats: resolutions.recovered(row) ? ['a later request was answered: the fault passed'] : [],
            wouldRaise: node
              ? []
              : ['the same on the node, at the host side of the cable: do the requests arrive there?'],
            context: [
              ...(asker ? [label(asker)] : []),
              ...(port && node?.isOn !== null ? [`${label(port)}: proxy_arp ${node?.isOn ? 'on' : 'off'}`] : []),
              ...(node?.isRouted === false ? [`${printable(port?.namespace ?? '')}: no route to ${GATEWAY}`] : []),
            ],
            // What others send to the pod arrives, and its answers cannot leave.
            explains: [...asSymptom(question), ...stuckConnectionsOf(network, question.segment, resolutions.spa(row))],
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};

/** What the host context says of the node: whether it answers by proxy at this port, and has a way to the address; null each where it does not tell. */
function nodeOf({ context }: Network, port: Device | null): { isOn: boolean | null; isRouted: boolean | null } | null {
  const namespace = port ? context?.namespaces.get(port.namespace) : undefined;
  const words = parseIp(GATEWAY)?.words;
  if (!port || !namespace || !words) return null;
  const proxies = largerSetting(namespace, port, 'proxy_arp');
  const { kind } = wayTo(namespace, words);
  return {
    isOn: proxies === null ? null : proxies > 0,
    isRouted: kind === 'unknown' ? null : kind === 'routed',
  };
}
