import type { Device } from '../../../network/context/device.js';
import type { Value } from '../../../network/context/netfilter/packet.js';
import { comesIn } from '../../../network/context/netfilter/way.js';
import { inSettings, largerSetting } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { machineOf, packetOf } from '../../parts/firewalls/filtered.js';
import { addressText } from '../../parts/firewalls/words.js';
import { inNamespace, label } from '../../parts/question.js';
import type { Arrival } from '../../parts/vanished/arrival.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import type { Diagnosis } from '../../rule.js';

/** 127.0.0.0/8: addresses that nobody on a wire may have (RFC 1122 section 3.2.1.3). */
const LOOPBACK = 127;

/** Packets that rules translate to a loopback address, which the kernel takes from no wire (`ip_route_input_slow` in net/ipv4/route.c). */
export interface RefusedLoopback {
  readonly device: Device;
  /** What they are translated to. */
  readonly translated: string;
  readonly port: number | null;
}

/** Null where it is not so, or not known to be. For events: it goes through rules. */
export function refusedLoopback(
  network: Network,
  { namespace, devices }: Arrival,
  vanished: Vanished,
): RefusedLoopback | null {
  const [device] = devices;
  const firewall = namespace.firewall;
  if (!vanished.isIpv4 || devices.length !== 1 || !firewall?.ruleset || firewall.destinationNat.length === 0)
    return null;
  if (largerSetting(namespace, device, 'route_localnet') !== 0) return null;
  const way = comesIn(machineOf(network, namespace, firewall.ruleset), device, packetOf(network, vanished));
  // What the rules drop the rules are named for.
  if (way?.fate.kind !== 'accept' || way.fate.assumesMark) return null;
  const { isTranslated, destination, destinationPort } = way.packet;
  const translated = addressText(destination);
  if (isTranslated !== true || !isLoopback(destination) || translated === null) return null;
  return { device, translated, port: destinationPort };
}

function isLoopback(address: Value | null): boolean {
  return typeof address === 'number' && address >>> 24 === LOOPBACK;
}

export function refusedLoopbackKey({ device, translated }: RefusedLoopback): string {
  return `loopback ${label(device)} ${translated}`;
}

/** The finding of it. */
export function loopbackRefused(
  members: readonly Vanished[],
  key: string,
  { device, translated, port }: RefusedLoopback,
  router: string,
): Diagnosis {
  const [{ from, to }] = members;
  const others = members.length > 1 ? ` and ${members.length - 1} more` : '';
  const setting = `net.ipv4.conf.${printable(inSettings(device))}.route_localnet`;
  return {
    ...together(members),
    key,
    confidence: 'certain',
    title: `${router} drops packets from ${from} to ${to}${others}: its rules send them to ${translated}`,
    summary:
      `${from} sends to ${to}, which the rules of ${router} translate to ${translated} (DNAT). Packets for 127.0.0.0/8 that come in from outside ` +
      `are dropped (${setting}=0): they get there, and nothing answers.`,
    subject: { router, source: from, destination: to },
    cause: `The kernel takes packets for loopback addresses from no wire, without a word, unless \`route_localnet\` is 1 where they come in: behind translation, too.`,
    remedy: [
      {
        text: `Safest: let the program listen on ${to} or on all addresses, and take the translation away, or translate the port alone (REDIRECT)`,
        commands: [inNamespace(device, port === null ? 'ss -lntup' : `ss -lntup 'sport = :${port}'`)],
      },
      {
        text: 'Or let such packets in, until the next restart. What listens on 127.0.0.1 is then open to all who are on that link, but for what a filter drops',
        commands: [inNamespace(device, `sysctl -w ${setting}=1`)],
      },
    ],
    context: [`${label(device)}: route_localnet 0`],
  };
}
