import { macKey } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { type Ping, pingOf } from '../../parts/ping.js';
import { inNamespace, label, type Question } from '../../parts/question.js';
import type { Diagnosis, Remedy } from '../../rule.js';
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

/**
 * Pings in vain to a host behind a port that gets only what is for MACs which the bridge has there (`flood off`), and it has not the
 * one that they go to: the host was silent too long, or the port does not learn.
 */
export function unfloodedPing(network: Network, row: number): Diagnosis | null {
  const { context, pings, stations, vantage } = network;
  const [hi, lo] = [pings.hi(row), pings.lo(row)];
  if (!context || hi < 0) return null;
  const holders = context.devicesByMac(hi, lo);
  const port = holders.length === 1 ? context.switchPort(holders[0]) : null;
  // What is seen behind the port passed it.
  if (!port || vantage === port || vantage === port.peer || isElsewhere(network, row)) return null;
  if (port.flood !== false || !port.master || port.learned.has(macKey(hi, lo))) return null;
  const ping = pingOf(network, row);
  const station = stations.find(pings.segment(row), hi, lo);
  // Whoever speaks is learned, where the port learns, and may have been forgotten only since.
  const isHeard = station >= 0 && stations.sent(station) > 0;
  if (!ping || ping.replies > 0 || (isHeard && port.learning !== false)) return null;
  return unfloodedFinding(
    ping,
    port,
    context.portsOf(port.master).some(({ learned }) => learned.size > 0),
  );
}

/** Whether the same requests are seen at another device: the bridge passed them on. */
function isElsewhere({ pings, segments }: Network, row: number): boolean {
  const capture = segments.captureOf(pings.segment(row));
  return pings
    .elsewhere(row)
    .some((other) => pings.requests(other) > 0 && segments.captureOf(pings.segment(other)) === capture);
}

function unfloodedFinding(
  { key, row, segment, capture, from, to, mac, ...ping }: Ping,
  port: Device,
  knowsEntries: boolean,
): Diagnosis {
  const name = printable(port.name);
  const isDeaf = port.learning === false;
  return {
    key: `ping ${row}`,
    segment,
    capture,
    confidence: knowsEntries ? 'likely' : 'hint',
    title: `${from} cannot reach ${to}: bridge port ${name} gets nothing for MACs that the bridge did not learn there`,
    summary:
      `${ping.unanswered} pings from ${from} to ${to} go to ${mac}, in vain. ${label(port)}, towards ${to}, is not flooded to (flood off), and the bridge has no entry for that MAC there` +
      `${isDeaf ? ', nor learns any (learning off)' : ''}: it drops them.`,
    subject: { source: from, destination: to, mac: mac ?? '' },
    count: ping.unanswered,
    first: ping.first,
    last: ping.last,
    evidence: ping.evidence,
    cause: isDeaf
      ? 'Neither flooding nor learning is on at that port: only entries made by hand lead there.'
      : 'Flooding is off at that port, and the host behind it has not spoken since the bridge forgot it (ageing_time, 300 s).',
    remedy: [
      ...(isDeaf
        ? [{ text: 'Let the port learn', commands: [inNamespace(port, `bridge link set dev ${name} learning on`)] }]
        : []),
      {
        text: 'Make an entry by hand',
        commands: [inNamespace(port, `bridge fdb replace ${mac} dev ${name} master static`)],
      },
      { text: 'Or let the port be flooded to', commands: [inNamespace(port, `bridge link set dev ${name} flood on`)] },
    ],
    caveats: ['the entry may have been there when the pings passed, and aged since'].slice(isDeaf ? 1 : 0),
    wouldRaise: [`a capture at ${port.name}: the pings do not leave there`],
    context: [`${label(port)}: flood off${isDeaf ? ', learning off' : ''}`],
    explains: [{ rule: 'icmp/echo-unanswered', key }],
  };
}
