import type { Network } from '../../../network/network.js';
import type { FilteredTarget } from '../../parts/firewalls/filtered-target.js';
import { inNamespace, label } from '../../parts/question.js';
import { arrivalOf } from '../../parts/vanished/arrival.js';
import type { Vanished } from '../../parts/vanished/requests.js';

/** What the host context adds to the silence of a host that is told to answer no echo requests (kernel: icmp_echo_ignore_all in ip-sysctl.rst). */
export function ignoresEcho(network: Network, vanished: Vanished | null): FilteredTarget | null {
  const { context, addresses } = network;
  if (!context || !vanished) return null;
  const holders = context.devicesByIp(addresses.words(vanished.destination));
  const [device] = holders;
  const namespace = device && context.namespaces.get(device.namespace);
  if (!namespace || holders.some((each) => each.namespace !== device.namespace)) return null;
  const knob = vanished.isIpv4 ? 'net.ipv4.icmp_echo_ignore_all' : 'net.ipv6.icmp.echo_ignore_all';
  if (namespace.sysctl.get(knob) !== '1') return null;
  const { to } = vanished;
  const arrives = arrivalOf(network, vanished)?.namespace === namespace;
  return {
    confidence: arrives ? 'certain' : 'likely',
    clause: `: ${to} is told to answer no pings`,
    cause: `${knob} is 1 on ${label(device)}: its kernel drops echo requests without a word. Whatever else is sent to ${to} it takes.`,
    remedy: [
      { text: `If ${to} is to answer: until the next restart`, commands: [inNamespace(device, `sysctl -w ${knob}=0`)] },
    ],
    caveats: arrives ? [] : [`that the requests get to ${to} is not in this capture`],
    wouldRaise: arrives ? [] : [`a capture at ${to}: do the requests arrive?`],
    context: [`${label(device)}: ${knob} 1`],
  };
}
