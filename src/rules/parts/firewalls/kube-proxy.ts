import type { Place } from '../../../network/context/netfilter/fate.js';
import type { Remedy } from '../../rule.js';

/** What kube-proxy writes beside a rule that refuses or drops (pkg/proxy/iptables): namespace, service and perhaps port. */
const NO_ENDPOINTS = /^([a-z0-9-]{1,63})\/([a-z0-9-]{1,63})(?::[a-z0-9-]{1,63})? has no (local )?endpoints$/;

/** A rule by which kube-proxy says that a service has nobody to send packets to; to let them through would help nobody. */
function serviceOf({ chain, rule }: Place): { namespace: string; name: string; isLocal: boolean } | null {
  const [, namespace, name, local] = (chain.startsWith('KUBE-') && NO_ENDPOINTS.exec(rule?.comment ?? '')) || [];
  return namespace === undefined || name === undefined ? null : { namespace, name, isLocal: local !== undefined };
}

/** Why such a rule is there; null of any other. */
export function kubeCause(place: Place): string | null {
  const service = serviceOf(place);
  if (!service) return null;
  const { namespace, name, isLocal } = service;
  return isLocal
    ? `Kube-proxy drops them: no pod of the service ${namespace}/${name} is ready on this node, and the service keeps to pods of the node that was asked (externalTrafficPolicy: Local).`
    : `Kube-proxy refuses them: no pod of the service ${namespace}/${name} is ready.`;
}

/** What helps against such a rule; null of any other. */
export function kubeCure(place: Place): Remedy[] | null {
  const service = serviceOf(place);
  if (!service) return null;
  const { namespace, name, isLocal } = service;
  const see: Remedy = {
    text: isLocal
      ? 'See on which nodes it has pods: ask those, or start one here'
      : 'See which pods the service has, and why none of them is ready: its selector, or their readiness probe',
    commands: [
      `kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${name} -o wide`,
      `kubectl -n ${namespace} describe service ${name}`,
    ],
  };
  if (!isLocal) return [see];
  return [
    see,
    {
      text: 'Or let every node pass them on; pods then see the address of the node instead of that of the client',
      commands: [`kubectl -n ${namespace} patch service ${name} -p '{"spec":{"externalTrafficPolicy":"Cluster"}}'`],
    },
  ];
}
