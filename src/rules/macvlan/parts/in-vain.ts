import type { Mac } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import type { Vanished } from '../../parts/vanished/requests.js';
import { vanishing } from '../../parts/vanished/vanished.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { macvlanPair, type Pair } from './siblings.js';

/** Pairs of devices that are remembered: no more findings of a rule are kept. */
const MAX_PAIRS = 1024;

/** A pair, and the context that shows it: a live capture takes another one now and then. */
export interface Known {
  readonly context: HostContext;
  readonly pair: Pair;
  readonly asker: Device;
  /** What is known of reflection: the switch port is without it, or no copy came back where one would be seen, or neither. */
  readonly shown: 'port' | 'silence' | null;
}

/**
 * Pings and SYNs between two devices on one card, which leave for the MAC of the other without ARP (permanent neighbour entries, or such as
 * are remembered), and which only a reflecting switch would bring there. The host context, or that no copy comes back, shows that none does.
 * @param isFit whether the pair is one of whom the rule speaks
 */
export function inVain(
  rule: RuleContext,
  isFit: (pair: Pair, asker: Device) => boolean,
  finding: (key: string, members: readonly Vanished[], known: Known) => Diagnosis,
): Handlers {
  const { network } = rule;
  const pairs = new Map<string, Known>();
  return vanishing(
    rule,
    (vanished) => {
      const known = pairOf(network, vanished, isFit);
      const key = vainKey(vanished);
      if (!known || (pairs.size === MAX_PAIRS && !pairs.has(key))) return null;
      pairs.set(key, known);
      return key;
    },
    (members) => {
      const key = vainKey(members[0]);
      return finding(key, members, pairs.get(key) as Known);
    },
  );
}

/** Key of the finding about packets from one address to another. */
export function vainKey({ segment, from, to }: Pick<Vanished, 'segment' | 'from' | 'to'>): string {
  return `vain ${segment} ${from} ${to}`;
}

/** What speaks against a conclusion where the switch is not known, and what would tell. */
export function doubtsOf(shown: Known['shown'], innocent: string): Pick<Diagnosis, 'caveats' | 'wouldRaise'> {
  if (shown === 'port') return { caveats: [], wouldRaise: [] };
  const seen = shown === null ? ' here' : ', but no copy comes back';
  return {
    caveats: [
      `the switch port is not in the host context: ${innocent}, behind a switch that reflects, looks alike${seen}`,
    ],
    wouldRaise: ['the switch in the host context (`bridge -d -j link`), or a capture on its port facing this host'],
  };
}

/** The pair that packets pass between; null where the switch reflects. */
function pairOf(
  network: Network,
  { segment, source, destination, hi, lo }: Vanished,
  isFit: (pair: Pair, asker: Device) => boolean,
): Known | null {
  const { context, addresses, vantage } = network;
  if (!context) return null;
  const [sources, targets] = [source, destination].map((address) => context.devicesByIp(addresses.words(address)));
  for (const asker of sources)
    for (const target of targets) {
      const isAtTarget = hi < 0 ? isNext(context, asker, addresses.words(destination)) : isAt(target.mac, hi, lo);
      if (!isAtTarget) continue;
      const pair = macvlanPair(context, { asker, target });
      if (!pair?.parent || !isFit(pair, asker)) continue;
      // A host may have its address on a child of its own too, and reach the other through that.
      if (pair.isParent && (sources.length > 1 || targets.length > 1)) continue;
      const relay = context.reflectiveRelay(pair.parent);
      if (relay === 'on') continue;
      if (relay === 'off') return { context, pair, asker, shown: 'port' };
      if (asker.mac && isReflected(network, segment, asker.mac)) continue;
      const isBelow = vantage !== null && (vantage === pair.parent || vantage === pair.parent.peer);
      return { context, pair, asker, shown: isBelow ? 'silence' : null };
    }
  return null;
}

/** A router's MAC leads elsewhere. */
function isAt(mac: Mac | null, hi: number, lo: number): boolean {
  return mac?.hi === hi && mac.lo === lo;
}

/** A cooked capture keeps no destinations: whether there is no router on the way the routes tell, where they are known. */
function isNext(context: HostContext, asker: Device, words: ArrayLike<number>): boolean {
  const namespace = context.namespaces.get(asker.namespace);
  const way = namespace && wayTo(namespace, words);
  return !way || way.routes.every(({ gateway, dev }) => gateway === null && (dev === null || dev === asker.name));
}

/** Whether frames of a device were seen twice at once: the switch sends them back. */
function isReflected({ stations }: Network, segment: number, { hi, lo }: Mac): boolean {
  const station = stations.find(segment, hi, lo);
  return station >= 0 && stations.doubled(station) > 0;
}
