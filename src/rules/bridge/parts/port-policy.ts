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
  /** Whether it is the answer that does not pass, at the port of who asks. */
  readonly losesAnswers?: boolean;
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
  return (
    locked(context, asker, question.asker, spa) ??
    locked(context, target, question.target, tpa) ??
    deaf(context, asker, question.asker, spa)
  );
}

/** A port that neither learns nor is flooded to gets only what is for the MACs that the bridge has an entry for there: no answer to who asks behind it. */
function deaf(context: HostContext, port: Device, host: Device | null, ip: string): Policy | null {
  if (!host?.mac || !getsNothingFor(port, host)) return null;
  const { text } = host.mac;
  const name = printable(port.name);
  return {
    port,
    isSure: knowsEntries(context, port),
    losesAnswers: true,
    title: `bridge port ${name}, towards ${ip}, gets nothing for MACs that the bridge has no entry for`,
    summary:
      `${label(port)}, towards ${ip}, learns nobody and is not flooded to (learning off, flood off), and the bridge has no entry for ${text} there: ` +
      `broadcasts of ${ip} pass, and what is sent to it, as each answer, is dropped.`,
    cause: 'Neither flooding nor learning is on at that port: only entries made by hand lead there.',
    context: `${label(port)}: flood off, learning off`,
    remedy: cureOfDeaf(port, text),
  };
}

/** Whether a bridge passes nothing to a port for the MAC of a host behind it, whatever that host sends: it neither learns nor floods there. */
export function getsNothingFor(port: Device, { mac }: Device): boolean {
  return mac !== null && port.learning === false && port.flood === false && !port.learned.has(macKey(mac.hi, mac.lo));
}

export function cureOfDeaf(port: Device, mac: string): Remedy[] {
  const name = printable(port.name);
  return [
    { text: 'Let the port learn', commands: [inNamespace(port, `bridge link set dev ${name} learning on`)] },
    {
      text: 'Or make an entry by hand',
      commands: [inNamespace(port, `bridge fdb replace ${mac} dev ${name} master static`)],
    },
    { text: 'Or let the port be flooded to', commands: [inNamespace(port, `bridge link set dev ${name} flood on`)] },
  ];
}

/** Whether the host context has the entries of a port's bridge. */
function knowsEntries(context: HostContext, port: Device): boolean {
  return context.portsOf(port.master as Device).some(({ learned }) => learned.size > 0);
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
  return {
    port,
    isSure: knowsEntries(context, port),
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
