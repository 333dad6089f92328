import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { type Flow, firstOf } from '../../../network/context/netfilter/packet.js';
import { crossesBridge, type Machine } from '../../../network/context/netfilter/way.js';
import type { Network } from '../../../network/network.js';
import { type Filtered, machineOf } from '../../parts/firewalls/filtered.js';
import { DISCOVER, offerOf } from './messages.js';

/** Ports of a bridge that are looked at. */
const MAX_PORTS = 64;
const CALLED = 'net.bridge.bridge-nf-call-iptables';

/**
 * Where the firewall of the bridge's host drops what a client asks on its way to every other port of its bridge, or what servers answer on
 * their way back (`client`: its device, or the tap of a virtual machine); null where it does not, where that is not known, or where the host may be the server itself.
 */
export function bridgeFilter(network: Network, client: Device): Filtered | null {
  const { context } = network;
  const port = client.kind === 'tun' && client.masterKind === 'bridge' ? client : (context?.switchPort(client) ?? null);
  const bridge = port?.master ?? null;
  const namespace = bridge && context?.namespaces.get(bridge.namespace);
  const ruleset = namespace?.firewall?.ruleset;
  if (!context || !port || !bridge || !ruleset || ruleset.bases.length === 0) return null;
  const others = otherPorts(context, bridge, port);
  if (others.length === 0 || others.length > MAX_PORTS) return null;
  if (bridge.addresses.some(({ family }) => family === 4)) return null;
  const machine = machineOf(network, namespace, ruleset);
  const isCalled = namespace.sysctl.get(CALLED) === '1';
  const asked = each(machine, bridge, others, DISCOVER, (to) => [port, to], isCalled);
  const answered = each(machine, bridge, others, offerOf(null), (from) => [from, port], isCalled);
  if (asked === 'open') return null;
  if (asked === 'passes') return answered === 'open' || answered === 'passes' ? null : answered;
  const back = answered === 'open' || answered === 'passes' ? null : { place: answered.place, packet: answered.packet };
  return { ...asked, back };
}

function otherPorts(context: HostContext, bridge: Device, port: Device): Device[] {
  return context.portsOf(bridge).filter((other) => other !== port && other.up);
}

/** What becomes of a message between the client's port and each of the others: all must say the same. */
function each(
  machine: Machine,
  bridge: Device,
  others: readonly Device[],
  flow: Flow,
  ends: (other: Device) => [from: Device, to: Device],
  isCalled: boolean,
): Filtered | 'passes' | 'open' {
  const { namespace, ruleset } = machine;
  let drop: Filtered | null = null;
  let passed = 0;
  for (const other of others) {
    const packet = firstOf(flow);
    const fate = crossesBridge(machine, ...ends(other), packet, isCalled);
    if (fate.kind === 'accept') passed++;
    if (fate.kind !== 'drop' || !fate.place || fate.assumesDevice) continue;
    if (drop && drop.place.rule !== fate.place.rule) return 'open';
    const any = { ...packet, source: null, destination: null };
    drop ??= { namespace, ruleset, device: bridge, place: fate.place, packet: any, isTarget: false, fate, back: null };
  }
  if (passed === others.length) return 'passes';
  const isSame = drop !== null && passed === 0;
  return isSame ? (drop as Filtered) : 'open';
}
