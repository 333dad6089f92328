import { macKey } from '../../../network/context/address.js';
import type { Device, Neighbour } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { onHost } from '../../parts/device-argument.js';
import { inNamespace, label } from '../../parts/question.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import { vanishing } from '../../parts/vanished/vanished.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { mayForward } from './static-neighbor.js';

/** A bridge that answers in the name of a host, and with what. */
interface Suppressed {
  /** Behind which the bridge takes the host to be, with `neigh_suppress`. */
  readonly port: Device;
  readonly bridge: Device;
  /** The device of the context that has the address. */
  readonly home: Device;
  /** The bridge's own entry for it, null where the context does not have it (`ip neigh` leaves out those of state NOARP, `nud all` does not). */
  readonly entry: Neighbour | null;
}

/**
 * Packets go to a MAC that a bridge with `neigh_suppress` gave out for a host (EVPN), and the host has another (kernel:
 * br_do_proxy_suppress_arp in net/bridge/br_arp_nd_proxy.c).
 */
export function suppressedNeighbors(context: RuleContext): Handlers {
  const { network } = context;
  return vanishing(
    context,
    (vanished) => {
      const found = suppressedOf(network, vanished);
      return found && keyOf(vanished, found);
    },
    (members) => tell(network, members, suppressedOf(network, members[0]) as Suppressed),
  );
}

function keyOf({ segment, to }: Vanished, { bridge }: Suppressed): string {
  return `${segment} ${bridge.namespace} ${bridge.name} ${to}`;
}

function suppressedOf(network: Network, vanished: Vanished): Suppressed | null {
  const { context, addresses, bindings } = network;
  const { hi, lo, destination, source, segment } = vanished;
  if (!context || hi < 0) return null;
  const homes = context.devicesByIp(addresses.words(destination));
  const [home] = homes;
  const mac = formatMac(hi, lo);
  if (homes.length !== 1 || !home.mac || home.mac.text === mac) return null;
  // The target's host has it too, or who has it may pass packets on.
  const others = context.devicesByMac(hi, lo);
  if (others.some((other) => other.namespace === home.namespace || mayForward(context, other, vanished.isIpv4 ? 4 : 6)))
    return null;
  // A machine that sends packets from that MAC has it.
  if (bindings.ofStation(segment, hi, lo).some((row) => (bindings.claims(row) & Claim.Source) !== 0)) return null;
  const port = portOf(context, context.devicesByIp(addresses.words(source)), macKey(hi, lo));
  const bridge = port?.master;
  if (!port || !bridge) return null;
  const entry = entryOf(context, bridge, addresses.format(destination), mac);
  const told = bindings.find(segment, hi, lo, destination);
  if (!entry && (told < 0 || (bindings.claims(told) & Claim.Reply) === 0)) return null;
  return { port, bridge, home, entry };
}

/** The port with `neigh_suppress` behind which a bridge has a MAC: the bridge of the sender, or the only one. */
function portOf(context: HostContext, senders: readonly Device[], mac: number): Device | null {
  const own = senders.length === 1 ? (context.switchPort(senders[0])?.master ?? null) : null;
  const ports = own ? context.portsOf(own) : context.devices;
  const found = ports.filter((port) => port.neighSuppress === true && port.master && port.learned.has(mac));
  return found.length === 1 ? found[0] : null;
}

/** Entries stand at the bridge, or at the device of a VLAN on it. */
function entryOf(context: HostContext, bridge: Device, ip: string, mac: string): Neighbour | null {
  const namespace = context.namespaces.get(bridge.namespace);
  const names = [bridge.name, ...context.childrenOf(bridge).map(({ name }) => name)];
  const isOf = ({ dst, dev, lladdr }: Neighbour) =>
    dst.text === ip && lladdr?.text === mac && names.includes(dev ?? '');
  return namespace?.neighbours.find(isOf) ?? null;
}

function tell(network: Network, members: readonly Vanished[], found: Suppressed): Diagnosis {
  const [{ from, to, hi, lo, isIpv4 }] = members;
  const { port, bridge, home, entry } = found;
  const all = together(members);
  const mac = formatMac(hi, lo);
  const right = home.mac?.text ?? '';
  const neigh = isIpv4 ? 'ip neigh' : 'ip -6 neigh';
  const name = printable(entry?.dev ?? bridge.name);
  const on = (command: string) => inNamespace(bridge, command);
  return {
    ...all,
    silence: true,
    key: keyOf(members[0], found),
    confidence: entry ? 'certain' : 'likely',
    title: `${label(bridge)} answers for ${to} with ${mac}, which is at ${right}`,
    summary:
      `${from} sends to ${to}, ${all.count} requests that nobody answers. They go to ${mac}. ${to} is on ${label(home)}, which has ${right}. ` +
      `${label(bridge)} answers itself for hosts behind ${printable(port.name)} (neigh_suppress) and passes no questions on to them: the wrong MAC is ${entry ? 'in its neighbour table' : 'its answer, for it has that MAC there'}.`,
    subject: { ip: to, mac, newMac: right, sender: from },
    cause:
      'The entry of the bridge is old or wrong: a daemon that spreads addresses (EVPN) did not hear of the move, or somebody made it by hand. The bridge never asks whether it still holds.',
    remedy: [
      {
        text: 'See the entry, and with EVPN (here FRR) why the bridge has it',
        commands: [on(`${neigh} show ${to} dev ${name} nud all`), on("vtysh -c 'show evpn arp-cache vni all'")],
      },
      {
        text: `Take it away, and have ${from} forget what it was told: the bridge passes the question on then`,
        commands: [on(`${neigh} del ${to} dev ${name}`), onHost(network, from, `${neigh} flush to ${to}`)],
      },
    ],
    wouldRaise: entry ? [] : [`\`${neigh} show ${to} dev ${name} nud all\` at ${label(bridge)}: does it have ${mac}?`],
    context: [
      `${label(port)}: neigh_suppress on, ${mac} behind it`,
      ...(entry ? [printable(`${label(bridge)}: ${to} lladdr ${mac} ${entry.state.join(' ')}`)] : []),
      `${label(home)}: ${to}, ${right}`,
    ],
  };
}
