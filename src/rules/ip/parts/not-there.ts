import { macKey } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import { contains } from '../../../network/context/firewall-match.js';
import { inSettings } from '../../../network/context/routing.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { outdatedOf } from '../../arp/parts/outdated-neighbor.js';
import { withAnotherMac } from '../../ethernet/parts/another-mac.js';
import { at } from '../../parts/device-argument.js';
import { downAt, setUp } from '../../parts/link-down.js';
import { label } from '../../parts/question.js';
import type { Arrival } from '../../parts/vanished/arrival.js';
import { ownNextHop } from '../../parts/vanished/own-next-hop.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import type { Diagnosis } from '../../rule.js';

/**
 * Whether packets go to a machine for what it is itself taken to be: somebody knows its MAC, by ARP or by a neighbor entry, as that of the
 * target. It is no router on their way then, unless it answers ARP in the name of others.
 */
export function isTakenForTarget(network: Network, { namespace, devices }: Arrival, vanished: Vanished): boolean {
  const { context, bindings, addresses } = network;
  for (const device of devices) {
    const conf = ['all', inSettings(device)].map((part) => `net.ipv4.conf.${part}.proxy_arp`);
    if (!device.mac || conf.some((setting) => namespace.sysctl.get(setting) === '1')) return false;
  }
  const isKnown = devices.some(({ mac }) => {
    const row = mac ? bindings.find(vanished.segment, mac.hi, mac.lo | 0, vanished.destination) : -1;
    return row >= 0 && (bindings.claims(row) & Claim.Own) !== 0;
  });
  if (isKnown) return true;
  const taken = context?.lladdrsOf(addresses.words(vanished.destination)) ?? [];
  return devices.some(({ mac }) => mac !== null && taken.includes(macKey(mac.hi, mac.lo)));
}

/**
 * What cuts off the machine that packets are sent to; null if nothing does, if they were seen to come in there, or if the address that led there is
 * another machine's by now: a standby took over, and to set the former one up again cures nothing.
 */
export function cutOff(network: Network, { devices }: Arrival, vanished: Vanished): Device | null {
  const { vantage } = network;
  if (vanished.cameIn || (vantage && devices.includes(vantage))) return null;
  const down = devices.map(downAt);
  if (!down[0] || down.includes(null)) return null;
  return goesElsewhere(network, devices, vanished) || outdatedOf(network, vanished) ? null : down[0];
}

/** Whether the sender, as its host context has it, sends to the target by others than these devices. */
function goesElsewhere(network: Network, devices: readonly Device[], { source, destination }: Vanished): boolean {
  const [sender] = network.context?.devicesByIp(network.addresses.words(source)) ?? [];
  const hops = sender ? ownNextHop(network, sender, source, destination) : [];
  return hops.length > 0 && !hops.some((hop) => devices.includes(hop));
}

/** Packets go to a device that is down, or hangs on one that is. */
export function toCutOff(
  network: Network,
  members: readonly Vanished[],
  key: string,
  { devices: [device] }: Arrival,
  down: Device,
): Diagnosis {
  const [{ from, to, segment }] = members;
  // It was up, if it was heard.
  const sent = device.mac ? network.bindings.ofStation(segment, device.mac.hi, device.mac.lo | 0) : [];
  const isHeard = sent.some((row) => (network.bindings.claims(row) & (Claim.Own | Claim.Source)) !== 0);
  const what = down === device ? 'is down' : `is cut off: ${label(down)} is down`;
  return {
    ...together(members),
    key,
    confidence: isHeard ? 'likely' : 'certain',
    title: `${label(device)} ${what}, so that packets from ${from} to ${to}${more(members)} end there`,
    summary:
      `${from} sends to ${to}. The packets go to the MAC of ${label(device)}, which ${what}. ` +
      'Its MAC is still known, so that nobody asks for it by ARP, and no error says why nothing comes back.',
    subject: { device: label(device), down: label(down), source: from, destination: to },
    cause: `${label(down)} was set down, or never set up.`,
    remedy: setUp(down),
    caveats: isHeard ? [`it was up at times: frames of ${label(device)} are in the capture`] : [],
    context: [`${label(down)}: down`],
  };
}

/**
 * Whether the MAC that packets go to still names the target by ARP after the first of them: the machine of the host context lacks the address, so another
 * one speaks with its MAC.
 */
export function isDoubled(
  { claims, bindings }: Network,
  { segment, hi, lo, destination, first, isIpv4 }: Vanished,
): boolean {
  if (!isIpv4 || hi < 0 || claims.lastOf(segment, destination) <= first) return false;
  const holder = claims.holder(segment, destination);
  return holder >= 0 && bindings.hi(holder) === hi && bindings.lo(holder) === lo;
}

/** Packets go to a machine that has the MAC of the target, which is another one. */
export function macDoubled(members: readonly Vanished[], key: string, { devices: [device] }: Arrival): Diagnosis {
  const [{ from, to, hi, lo }] = members;
  const mac = formatMac(hi, lo);
  return {
    ...together(members),
    key,
    confidence: 'likely',
    title: `${label(device)} has the MAC of ${to}, which is another machine: packets from ${from} for it${more(members)} end there`,
    summary:
      `${from} sends to ${to}, and its packets come to ${label(device)} with the MAC ${mac}. That device does not have ${to}, and yet ${mac} names it as its own by ARP meanwhile. ` +
      'Two machines have this MAC: switches deliver what is for either to the one that spoke last.',
    subject: { device: label(device), mac, destination: to },
    cause: 'A cloned virtual machine, a MAC given by hand twice, or two hosts that make MACs from the same seed.',
    remedy: [
      {
        text: `Give ${label(device)} another MAC, and have it tell its neighbours at once; its connections are cut for a moment`,
        commands: withAnotherMac(device, lo),
      },
    ],
    caveats: [`${label(device)} may have had ${to} until shortly before the host context was taken`],
    wouldRaise: [`host context of the machine that has ${to}`],
    context: [`${label(device)}: ${mac}, without ${to}`],
  };
}

/** Packets go to a machine that is taken for the target, and nobody in the host context has that address. */
export function addressLost(
  network: Network,
  members: readonly Vanished[],
  key: string,
  { devices: [device] }: Arrival,
): Diagnosis {
  const [{ from, to, source, destination, isIpv4 }] = members;
  const own = device.addresses.filter(({ family }) => family === (isIpv4 ? 4 : 6)).map(({ text }) => text);
  const has = own.length === 0 ? 'no address' : own.slice(0, 3).join(', ');
  const length = prefixLength(network, source, destination);
  const ip = isIpv4 ? 'ip' : 'ip -6';
  return {
    ...together(members),
    key,
    confidence: 'certain',
    title: `${label(device)} does not have ${to}: packets from ${from} for it${more(members)} end there`,
    summary:
      `${from} sends to ${to}, and its packets go to the MAC of ${label(device)}: there ${to} is taken to be. ` +
      `But that device has ${has}, and no other in the host context has ${to}. A host drops what is not for itself, without a word.`,
    subject: { device: label(device), source: from, destination: to },
    cause:
      own.length === 0
        ? `${label(device)} never got its address, or lost it: DHCP in vain, an interface that was set up anew, a container that was made anew.`
        : `${label(device)} has another address now, and those who send to it were not told.`,
    remedy: [
      {
        text: `See what addresses it has, and ask for one again if it gets them by DHCP`,
        commands: [at(device, `ip addr show dev ${printable(device.name)}`)],
      },
      {
        text: `Give it the address, if it is to have it; lasts until the device is made anew`,
        commands: [at(device, `${ip} addr add ${to}/${length ?? '<prefix length>'} dev ${printable(device.name)}`)],
      },
    ],
    context: [`${label(device)}: ${has}`],
  };
}

function more({ length }: readonly Vanished[]): string {
  return length > 1 ? ` and ${length - 1} more` : '';
}

/** Of the network that the sender, or another in the host context, shares with the target. */
function prefixLength({ context, addresses }: Network, source: number, destination: number): number | null {
  const words = addresses.words(destination);
  const holders = context?.devicesByIp(addresses.words(source)) ?? [];
  for (const { addresses: own } of [...holders, ...(context?.devices ?? [])])
    for (const address of own) {
      const { family, words: prefix, prefixLength: length } = address;
      const isSame =
        family === (addresses.isIpv4(destination) ? 4 : 6) && length > 0 && length < (family === 4 ? 32 : 128);
      if (isSame && contains({ words: prefix, length }, words)) return length;
    }
  return null;
}
