import type { Mac } from '../../../network/context/address.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Network } from '../../../network/network.js';
import { label } from '../../parts/question.js';
import { together, type Vanished, vanishing } from '../../parts/vanished.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { contextOf, kinship, macvlanPair, type Pair, parentName } from './siblings.js';
import { vepaPicture, vepaRemedies } from './vepa-words.js';

/** Pairs of children that are remembered: no more findings of a rule are kept. */
const MAX_PAIRS = 1024;

/** A pair, and the context that shows it: a live capture takes another one now and then. */
interface Known {
  readonly context: HostContext;
  readonly pair: Pair;
  /** What is known of reflection: the switch port is without it, or no copy came back where one would be seen, or neither. */
  readonly shown: 'port' | 'silence' | null;
}

/**
 * Pings and SYNs between children in VEPA mode whose neighbours are known without ARP (permanent entries): they leave for the MAC of
 * the sibling, and the host context, or that no copy comes back, shows that the switch does not reflect.
 */
export function vepaInVain(rule: RuleContext): Handlers {
  const { network } = rule;
  const pairs = new Map<string, Known>();
  return vanishing(
    rule,
    (vanished) => {
      const known = pairOf(network, vanished);
      const key = `vain ${vanished.segment} ${vanished.from} ${vanished.to}`;
      if (!known || (pairs.size === MAX_PAIRS && !pairs.has(key))) return null;
      pairs.set(key, known);
      return key;
    },
    (members) => {
      const [{ segment, from, to }] = members;
      const key = `vain ${segment} ${from} ${to}`;
      return finding(key, members, pairs.get(key) as Known);
    },
  );
}

/** The child in VEPA mode that sends, and the sibling whose MAC its packets go to; null where the switch reflects. */
function pairOf(network: Network, { segment, source, destination, hi, lo }: Vanished): Known | null {
  const { context, addresses, vantage } = network;
  if (!context) return null;
  for (const asker of context.devicesByIp(addresses.words(source)))
    for (const target of context.devicesByIp(addresses.words(destination))) {
      // A router's MAC leads elsewhere; a cooked capture keeps none.
      if (hi >= 0 && (target.mac?.hi !== hi || target.mac.lo !== lo)) continue;
      const pair = macvlanPair(context, { asker, target });
      if (!pair?.parent || pair.other === asker || pair.child.mode !== 'vepa') continue;
      if (!pair.isParent && pair.other.mode !== 'vepa' && pair.other.mode !== 'bridge') continue;
      const relay = context.reflectiveRelay(pair.parent);
      if (relay === 'on') continue;
      if (relay === 'off') return { context, pair, shown: 'port' };
      if (asker.mac && isReflected(network, segment, asker.mac)) continue;
      const isBelow = vantage !== null && (vantage === pair.parent || vantage === pair.parent.peer);
      return { context, pair, shown: isBelow ? 'silence' : null };
    }
  return null;
}

/** Whether frames of a child were seen twice at once: the switch sends them back. */
function isReflected({ stations }: Network, segment: number, { hi, lo }: Mac): boolean {
  const station = stations.find(segment, hi, lo);
  return station >= 0 && stations.doubled(station) > 0;
}

function finding(key: string, members: readonly Vanished[], { context, pair, shown }: Known): Diagnosis {
  const [{ from, to, isIpv4 }] = members;
  const { other, isParent } = pair;
  const all = together(members);
  return {
    key,
    ...all,
    confidence: shown === 'port' ? 'certain' : shown === 'silence' ? 'likely' : 'hint',
    title: `${from} cannot reach ${to}: nothing reflects frames back (macvlan VEPA)`,
    summary:
      `${from} sends ${all.count} packets to ${to}, whose MAC it has without asking, and nothing comes back. ${label(other)} ${isParent ? `is the parent of ${label(pair.child)}` : kinship(context, pair)}: ` +
      'in VEPA mode the host never hands frames from one to the other itself; only a switch that reflects them to the port they came from can, and this one does not.',
    subject: { ip: to, requester: from },
    cause: `VEPA mode on ${parentName(pair)} needs a switch with reflective relay (hairpin), and the switch has none.`,
    remedy: vepaRemedies(context, pair, { asker: pair.child, spa: from, tpa: to, isIpv4 }),
    caveats:
      shown === 'port'
        ? []
        : [
            `the switch port is not in the host context: a sibling that drops what it gets, behind a switch that reflects, looks alike${shown === null ? ' here' : ', but no copy comes back'}`,
          ],
    wouldRaise:
      shown === 'port'
        ? []
        : ['the switch in the host context (`bridge -d -j link`), or a capture on its port facing this host'],
    context: contextOf(context, pair),
    picture: isParent ? [] : vepaPicture({ spa: from, tpa: to }, pair),
  };
}
