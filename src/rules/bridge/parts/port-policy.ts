import { macKey } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { printable } from '../../../wire/printable.js';
import { inNamespace, label, type Question } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';
import type { Ports } from './ports.js';

/** A port that forwards, and does not pass what is asked or answered here all the same: its settings say so. */
export interface Policy {
  readonly port: Device;
  /** Whether it is so whatever the bridge learns. */
  readonly isSure: boolean;
  readonly title: string;
  readonly summary: string;
  readonly cause: string;
  readonly context: string;
  readonly remedy: readonly Remedy[];
}

/** Which of the two ports keeps an ARP question, or the answer to it, from passing. */
export function policyBetween(context: HostContext, { asker, target }: Ports, question: Question): Policy | null {
  const { spa, tpa } = question;
  // Solicitations go to a group: nd/multicast-filtered tells of those.
  if (question.isIpv4 && target.broadcastFlood === false) return withoutBroadcasts(target, tpa);
  return locked(context, asker, question.asker, spa) ?? locked(context, target, question.target, tpa);
}

function withoutBroadcasts(port: Device, host: string): Policy {
  return {
    port,
    isSure: true,
    title: `bridge port ${printable(port.name)} gets no broadcasts`,
    summary: `${label(port)}, towards ${host}, gets no broadcasts (bcast_flood off): what asks for ${host} never gets there.`,
    cause:
      'Flooding is off at that port (kernel: br_flood in net/bridge/br_forward.c). Who sits behind it is found only while neighbours know its MAC.',
    context: `${label(port)}: bcast_flood off`,
    remedy: [
      {
        text: 'Let the port get broadcasts',
        commands: [inNamespace(port, `bridge link set dev ${printable(port.name)} bcast_flood on`)],
      },
    ],
  };
}

/** A locked port takes frames from those MACs only that the bridge has an entry for there. */
function locked(context: HostContext, port: Device, host: Device | null, ip: string): Policy | null {
  if (port.locked !== true || !host?.mac) return null;
  const { hi, lo, text } = host.mac;
  if (port.learned.has(macKey(hi, lo))) return null;
  const name = printable(port.name);
  const knowsEntries = context.portsOf(port.master as Device).some(({ learned }) => learned.size > 0);
  return {
    port,
    isSure: knowsEntries,
    title: `bridge port ${name} is locked, and ${ip} is not let in`,
    summary: `${label(port)}, towards ${ip}, is locked: the bridge drops frames from MACs that it has no entry for there, and it has none for ${text}.`,
    cause:
      'Port security (802.1X, MAC authentication): a locked port learns nobody by itself (kernel: br_handle_frame_finish in net/bridge/br_input.c).',
    context: `${label(port)}: locked`,
    remedy: [
      {
        text: 'See why it was not let in: hostapd, or whoever authenticates at that port',
        commands: [inNamespace(port, `bridge fdb show dev ${name}`)],
      },
      {
        text: 'Let this MAC in',
        commands: [inNamespace(port, `bridge fdb replace ${text} dev ${name} master static`)],
      },
      {
        text: 'Or take everybody at that port',
        commands: [inNamespace(port, `bridge link set dev ${name} locked off learning on`)],
      },
    ],
  };
}
