import { fullTracking, type Tracking } from '../../network/context/connection-tracking.js';
import type { Device, Namespace } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import type { Confidence, Remedy } from '../rule.js';
import type { FilteredTarget } from './firewalls/filtered-target.js';
import { inNamespace, label } from './question.js';
import { arrivalOf } from './vanished/arrival.js';
import type { Vanished } from './vanished/requests.js';

/** A machine of the host context whose connection tracking has no room for new connections, in words. */
export interface FullTable {
  readonly confidence: Confidence;
  readonly cause: string;
  readonly remedy: readonly Remedy[];
  readonly caveats: readonly string[];
  readonly wouldRaise: readonly string[];
  readonly context: readonly string[];
}

/** Null where there is room, or that is not known. */
export function fullTable(namespace: Namespace, device: Device): FullTable | null {
  const tracking = fullTracking(namespace);
  if (!tracking) return null;
  const { count, max } = tracking;
  const name = printable(namespace.name);
  const isFull = count >= max;
  return {
    confidence: isFull ? 'certain' : 'likely',
    cause:
      `The connection tracking of ${name} has room for ${max} connections and holds ${count}: the kernel drops the first packet of each ` +
      'new one ("nf_conntrack: table full, dropping packet" in dmesg). Connections that it holds already go on.',
    remedy: remedyOf(tracking, device),
    caveats: isFull
      ? []
      : ['that it was full when the packets came is concluded from how full it was when the host was asked'],
    wouldRaise: isFull ? [] : ['`conntrack -S` on that machine: does `drop` grow?'],
    context: [`${name}: nf_conntrack_count ${count}, nf_conntrack_max ${max}`],
  };
}

/** The maximum is that of the whole machine, which its own namespace alone may set. */
function remedyOf({ max }: Tracking, device: Device): Remedy[] {
  const setting = `net.netfilter.nf_conntrack_max`;
  return [
    {
      text: 'Make room, on the machine itself rather than in a namespace of it: now and after a restart (with Kubernetes by --conntrack-max-per-core of kube-proxy)',
      commands: [`sysctl -w ${setting}=${4 * max}`, `echo '${setting} = ${4 * max}' > /etc/sysctl.d/90-conntrack.conf`],
    },
    {
      text: 'See who fills it: a scan, a flood, or connections that never end',
      commands: [inNamespace(device, 'conntrack -L | grep -oE "src=[^ ]+" | sort | uniq -c | sort -rn | head')],
    },
  ];
}

/** What the host context adds to the silence of a host whose connection tracking has no room for what is asked of it. */
export function fullAtTarget(network: Network, vanished: Vanished | null): FilteredTarget | null {
  const { context, addresses } = network;
  if (!context || !vanished || vanished.isAnsweredBeyond) return null;
  const [device, ...others] = context.devicesByIp(addresses.words(vanished.destination));
  const namespace = device && context.namespaces.get(device.namespace);
  if (!namespace || others.some((each) => each.namespace !== device.namespace)) return null;
  const full = fullTable(namespace, device);
  if (!full) return null;
  const arrives = arrivalOf(network, vanished)?.namespace === namespace;
  return {
    ...full,
    confidence: arrives ? full.confidence : 'likely',
    clause: `: the connection tracking of ${label(device)} is full`,
    caveats: [...full.caveats, ...(arrives ? [] : [`that the requests get to ${vanished.to} is not in this capture`])],
    wouldRaise: arrives ? full.wouldRaise : [`a capture at ${vanished.to}: do the requests arrive?`],
  };
}
