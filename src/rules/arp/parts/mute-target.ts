import { largerSetting } from '../../../network/context/routing.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { settingsName } from '../../parts/device-argument.js';
import { inNamespace, label, type Question } from '../../parts/question.js';
import type { OwnTarget } from './own-target.js';

/** Answer nobody (kernel: Documentation/networking/ip-sysctl.rst, arp_ignore). */
const NOBODY = 8;
/** What a station says of itself; a proxy answers for an address. */
const USES = Claim.Request | Claim.Announcement;
/** The address asked for and that of who asks: who answers for more may be a proxy. */
const OWN_TWO = 2;

/** Why the machine that has the address asked for does not answer although requests reach it, as the host context or other frames show. */
export function muteTarget(network: Network, question: Question): OwnTarget | null {
  return muted(network, question) ?? sameSource(network, question) ?? sameName(network, question);
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

/** The same without host context: the MAC of the target says that the address of who asks is its own. */
function sameName(
  { addresses, bindings, claims, resolutions }: Network,
  { segment, row, spa, tpa, mac }: Question,
): OwnTarget | null {
  const holder = claims.holder(segment, resolutions.tpa(row));
  if (holder < 0) return null;
  const [hi, lo] = [bindings.hi(holder), bindings.lo(holder)];
  const other = formatMac(hi, lo);
  const binding = bindings.find(segment, hi, lo, resolutions.spa(row));
  if (binding < 0 || other === mac) return null;
  const isItself = (bindings.claims(binding) & USES) !== 0;
  const isNoProxy = bindings.own(segment, hi, lo).filter((each) => addresses.isIpv4(each)).length <= OWN_TWO;
  if (!isItself && ((bindings.claims(binding) & Claim.Reply) === 0 || !isNoProxy)) return null;
  return {
    clause: '',
    sentence: ` The MAC of ${tpa}, ${other}, says that it has ${spa} as well.`,
    cause: `${spa} seems to be on two machines. That of ${tpa} is one of them: Linux takes whoever asks from one of its own addresses for a forger, and says nothing.`,
    remedy: [
      {
        text: `On both machines: look who has ${spa}, and take it away from one`,
        commands: [`ip -br addr show to ${spa}`],
      },
    ],
    context: [],
  };
}
