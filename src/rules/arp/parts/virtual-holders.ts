import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { onlyOf } from '../../parts/device-argument.js';
import type { Diagnosis } from '../../rule.js';
import { takeFromOne } from './two-holders.js';

type Answer = Pick<Diagnosis, 'cause' | 'remedy'>;

/**
 * Why several nodes answer for an address that one should answer for at a time, and what to do; `nodes` are rows of `bindings`. VRRP tells
 * which of them may.
 */
export function answerFor(network: Network, segment: number, address: number, nodes: readonly number[]): Answer {
  const { bindings, virtualRouters: routers, addresses, context } = network;
  const ip = addresses.format(address);
  const serving = routers.serving(segment, address);
  const speaks = (node: number) =>
    serving.some((router) => bindings.find(segment, bindings.hi(node), bindings.lo(node), routers.source(router)) >= 0);
  const strangers = nodes.filter((node) => !speaks(node));
  if (serving.length === 0 || strangers.length !== 1) return anyAnswer(ip);
  const [stranger] = strangers;
  const mac = formatMac(bindings.hi(stranger), bindings.lo(stranger));
  const device = onlyOf(context?.devicesByMac(bindings.hi(stranger), bindings.lo(stranger)));
  return {
    cause:
      `${ip} is a virtual address: routers advertise it by VRRP (id ${routers.id(serving[0])}). ${mac} advertises nothing and answers for it as well: ` +
      'it was given the address by hand, or is a router of the group whose advertisements do not get here.',
    remedy: [
      { text: 'On each node: who has the address', commands: [`ip -br addr show to ${ip}`] },
      ...takeFromOne(ip, [device]),
    ],
  };
}

/** Where no protocol is seen that hands the address around. */
function anyAnswer(ip: string): Answer {
  return {
    cause:
      'A service or virtual address that one node should answer for at a time. Others answer as well: kube-proxy with IPVS binds it on every node (strictARP is off), ' +
      'a real server of LVS has it on lo with arp_ignore=0, the nodes of keepalived or MetalLB do not hear each other, or it was given to two hosts by hand.',
    remedy: [
      { text: 'On each node: who has the address', commands: [`ip -br addr show to ${ip}`] },
      {
        text: 'Kubernetes with kube-proxy in IPVS mode: let it set strictARP, and restart it',
        commands: [
          'kubectl -n kube-system get configmap kube-proxy -o yaml | grep -i strictARP',
          'kubectl -n kube-system get configmap kube-proxy -o yaml | sed "s/strictARP: false/strictARP: true/" | kubectl apply -f -',
          'kubectl -n kube-system rollout restart daemonset kube-proxy',
        ],
      },
      {
        text: 'LVS, or addresses on lo: answer only for addresses of the device that was asked',
        commands: ['sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2'],
      },
      {
        text: 'keepalived and MetalLB: whether the nodes hear each other, and who believes that it leads',
        commands: [
          'journalctl -u keepalived -n 50',
          "kubectl -n metallb-system logs -l component=speaker | grep -e serviceAnnounced -e 'memberlist'",
        ],
      },
    ],
  };
}
