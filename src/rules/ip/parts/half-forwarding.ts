import type { Device } from '../../../network/context/device.js';
import { comesIn } from '../../../network/context/netfilter/way.js';
import { forwards, inSettings, wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { machineOf, packetOf } from '../../parts/firewalls/filtered.js';
import { addressText } from '../../parts/firewalls/words.js';
import { inNamespace, label } from '../../parts/question.js';
import { type Arrival, holds } from '../../parts/vanished/arrival.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import type { Diagnosis } from '../../rule.js';

/** Forwarding that is off where the addresses alone do not show that packets need it. */
export interface HalfForwarding {
  /** Where packets come in that are not forwarded. */
  readonly device: Device;
  /** The answers, which come in where the requests leave; else the requests, after translation. */
  readonly isBack: boolean;
  /** What a rule translates the destination to; null where none does. */
  readonly translated: string | null;
}

/** Null where packets and answers are forwarded, for all that is known, or where the addresses show that they are not. For events: it goes through rules. */
export function halfForwarding(network: Network, arrival: Arrival, vanished: Vanished): HalfForwarding | null {
  const { namespace, devices } = arrival;
  const [device] = devices;
  const family = vanished.isIpv4 ? 4 : 6;
  const isOwn = holds(network, arrival, vanished.destination);
  const firewall = namespace.firewall;
  if (devices.length !== 1 || (isOwn && !firewall?.destinationNat.length)) return null;
  const isOn = forwards(namespace, device, family);
  if (isOn === null || (!isOn && !isOwn)) return null;
  // All devices alike: then there is nothing to find out about the other one.
  if (isOn && [...namespace.devices.values()].every((each) => forwards(namespace, each, family) !== false)) return null;
  if (!firewall?.ruleset || firewall.ruleset.bases.length === 0)
    return isOwn ? null : behind(network, arrival, vanished);
  const way = comesIn(machineOf(network, namespace, firewall.ruleset), device, packetOf(network, vanished));
  if (!way) return null;
  const { fate, packet } = way;
  if (packet.isLocal !== false || packet.isTranslated === null || fate.assumesMark || fate.assumesDevice) return null;
  const translated = packet.isTranslated ? addressText(packet.destination) : null;
  // Whether to forward is decided behind the rules that translate, which let these through if it is known where they leave, and ahead of those for
  // what is forwarded, which have seen nothing.
  if (!isOn) return packet.output !== null && translated !== null ? { device, isBack: false, translated } : null;
  const output = namespace.devices.get(packet.output?.name ?? '');
  if (fate.kind !== 'accept' || !output || forwards(namespace, output, family) !== false) return null;
  return { device: output, isBack: true, translated };
}

/** Without rules: the device that the route leads to. */
function behind(network: Network, { namespace }: Arrival, vanished: Vanished): HalfForwarding | null {
  const { kind, routes } = wayTo(namespace, network.addresses.words(vanished.destination));
  const device = kind === 'routed' && routes.length === 1 ? namespace.devices.get(routes[0].dev ?? '') : undefined;
  if (!device || forwards(namespace, device, vanished.isIpv4 ? 4 : 6) !== false) return null;
  return { device, isBack: true, translated: null };
}

export function halfForwardingKey({ device, isBack }: HalfForwarding): string {
  return `${isBack ? 'back' : 'translated'} ${label(device)}`;
}

/** The finding of it. */
export function halfForwarded(
  members: readonly Vanished[],
  key: string,
  { device, isBack, translated }: HalfForwarding,
  { router, setting }: { router: string; setting: string },
): Diagnosis {
  const [{ from, to, isAnsweredBeyond }] = members;
  const others = members.length > 1 ? ` and ${members.length - 1} more` : '';
  const nat = translated === null ? '' : `, which its rules translate to ${translated} (DNAT)`;
  const enable = `sysctl -w ${setting}=1`;
  const what = isBack ? `answers of ${to} to ${from}` : `packets from ${from} to ${to}`;
  return {
    ...together(members),
    key,
    confidence: isBack && !isAnsweredBeyond ? 'likely' : 'certain',
    title: `${router} does not forward ${what}${others}: forwarding is off on ${printable(device.name)}`,
    summary: isBack
      ? `${from} sends to ${to} through ${router}${nat}. It passes the packets on by ${printable(device.name)}, and forwards nothing that comes in there (${setting}=0): the answers end there.`
      : `${from} sends to ${router}${nat}. ${translated} is no address of that machine, and forwarding is off where the packets come in (${setting}=0).`,
    subject: { router, source: from, destination: to },
    cause: `${setting} is 0 where ${isBack ? 'the answers' : 'the packets'} come in: a host drops what is not for itself, without a word${translated === null ? '' : ', and after translation it is not'}.`,
    remedy: [
      {
        text: 'On the router: let it forward what comes in there. It lasts until the next restart, or until its namespace is made anew',
        commands: [inNamespace(device, enable)],
      },
    ],
    caveats: isBack && !isAnsweredBeyond ? ['that answers come in there is not in this capture'] : [],
    wouldRaise: isBack && !isAnsweredBeyond ? [`a capture at ${label(device)}: do answers come in?`] : [],
    context: [`${label(device)}: forwarding off`],
  };
}

export function everywhere(isIpv4: boolean): string {
  return isIpv4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding';
}

/** The setting that is off: of all devices, or of the one where packets come in, which setting all of them again does not change. */
export function settingOf({ namespace, devices: [device] }: Arrival, isIpv4: boolean): string {
  const all = everywhere(isIpv4);
  if (!isIpv4 || namespace.sysctl.get(all) !== '1') return all;
  return `net.ipv4.conf.${printable(inSettings(device))}.forwarding`;
}
