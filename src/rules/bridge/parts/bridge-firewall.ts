import type { Device, Namespace } from '../../../network/context/device.js';
import { answerTo, crossesBridge } from '../../../network/context/netfilter/way.js';
import type { Network } from '../../../network/network.js';
import { type Filtered, machineOf, packetOf } from '../../parts/firewalls/filtered.js';
import type { Vanished } from '../../parts/vanished/requests.js';

/**
 * What the firewall of a bridge's host does with requests from one port to another. `isCalled`: bridged packets go to the
 * firewall for routed ones. `open` where that is not known of the rules.
 */
export function bridgeFate(
  network: Network,
  namespace: Namespace,
  from: Device,
  to: Device,
  vanished: Vanished,
  isCalled: boolean,
): Filtered | 'passes' | 'open' {
  const ruleset = namespace.firewall?.ruleset;
  if (!ruleset || !from.master) return 'open';
  const machine = machineOf(network, namespace, ruleset);
  const packet = packetOf(network, vanished);
  const fate = crossesBridge(machine, from, to, packet, isCalled);
  if (fate.kind === 'accept') return 'passes';
  if (fate.kind !== 'drop' || !fate.place) return 'open';
  const answer = answerTo(packet);
  const back = crossesBridge(machine, to, from, answer, isCalled);
  return {
    namespace,
    ruleset,
    device: from.master,
    place: fate.place,
    packet,
    isTarget: false,
    fate,
    back: back.kind === 'drop' && back.place ? { place: back.place, packet: answer } : null,
  };
}
