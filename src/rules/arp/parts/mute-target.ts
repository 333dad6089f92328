import { largerSetting } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { settingsName } from '../../parts/device-argument.js';
import { inNamespace, label, type Question } from '../../parts/question.js';
import type { OwnTarget } from './own-target.js';

/** Answer nobody (kernel: Documentation/networking/ip-sysctl.rst, arp_ignore). */
const NOBODY = 8;

/** Why the machine that has the address asked for does not answer although requests reach it, as the host context shows. */
export function muteTarget(network: Network, question: Question): OwnTarget | null {
  return muted(network, question) ?? sameSource(network, question);
}

/** It is told to answer no ARP. */
function muted({ context }: Network, { target, tpa }: Question): OwnTarget | null {
  const namespace = target && context?.namespaces.get(target.namespace);
  if (!target || !namespace || largerSetting(namespace, target, 'arp_ignore') !== NOBODY) return null;
  const knobs = ['all', settingsName(target.name)].map((name) => `net.ipv4.conf.${name}.arp_ignore`);
  return {
    clause: '',
    sentence: ` ${label(target)} has it, and is told to answer nobody: arp_ignore is ${NOBODY} there.`,
    cause: `With arp_ignore=${NOBODY} a machine answers no ARP for its addresses. That is meant for addresses that another answers for, as of load balancers that return directly.`,
    remedy: [
      {
        text: `If ${tpa} is to be reached there: let it answer, until the next restart`,
        commands: [inNamespace(target, `sysctl -w ${knobs.map((knob) => `${knob}=0`).join(' ')}`)],
      },
    ],
    context: [`${label(target)}: arp_ignore ${NOBODY}`],
  };
}

/** It has the address of who asks, too: Linux takes packets from addresses of its own for forged (kernel: fib_validate_source in net/ipv4/fib_frontend.c). */
function sameSource({ context, addresses, resolutions }: Network, question: Question): OwnTarget | null {
  const { target, spa, tpa, row } = question;
  const holders = context?.devicesByIp(addresses.words(resolutions.spa(row))) ?? [];
  const own = holders.find((device) => device.namespace === target?.namespace);
  const other = holders.find((device) => device.namespace !== target?.namespace);
  const namespace = target && context?.namespaces.get(target.namespace);
  if (!target || !own || !other || !namespace || largerSetting(namespace, target, 'accept_local') !== 0) return null;
  const prefix = own.addresses.find(({ text }) => text === spa)?.prefixLength ?? 32;
  return {
    clause: '',
    sentence: ` ${label(target)} has ${tpa}, and its machine has ${spa} as well (${label(own)}).`,
    cause: `${spa} is on two machines. That of ${tpa} is one of them: it takes whoever asks from that address for a forger of its own, and says nothing.`,
    remedy: [
      {
        text: `Take ${spa} away from one of the two`,
        commands: [inNamespace(own, `ip addr del ${spa}/${prefix} dev ${own.name}`)],
      },
    ],
    context: [`${label(own)} holds ${spa}`, `${label(other)} holds ${spa}`],
  };
}
