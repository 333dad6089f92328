import type { Device } from '../../../network/context/device.js';
import { confidenceBy } from '../../parts/confidence.js';
import { label } from '../../parts/question.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { doubtsOf, inVain, type Known } from './in-vain.js';
import { contextOf, kinship, type Pair, parentName } from './siblings.js';
import { vepaPicture, vepaRemedies } from './vepa-words.js';

/** Pings and SYNs between children in VEPA mode whose neighbours are known without ARP. */
export function vepaInVain(rule: RuleContext): Handlers {
  return inVain(rule, isVepa, finding);
}

function isVepa({ child, other, isParent }: Pair, asker: Device): boolean {
  return other !== asker && child.mode === 'vepa' && (isParent || other.mode === 'vepa' || other.mode === 'bridge');
}

function finding(key: string, members: readonly Vanished[], { context, pair, shown }: Known): Diagnosis {
  const [{ from, to, isIpv4 }] = members;
  const { other, isParent } = pair;
  const all = together(members);
  return {
    key,
    ...all,
    confidence: confidenceBy({ certain: shown === 'port', likely: shown === 'silence' }),
    title: `${from} cannot reach ${to}: nothing reflects frames back (macvlan VEPA)`,
    summary:
      `${from} sends ${all.count} packets to ${to}, whose MAC it has without asking, and nothing comes back. ${label(other)} ${isParent ? `is the parent of ${label(pair.child)}` : kinship(context, pair)}: ` +
      'in VEPA mode the host never hands frames from one to the other itself; only a switch that reflects them to the port they came from can, and this one does not.',
    subject: { ip: to, requester: from },
    cause: `VEPA mode on ${parentName(pair)} needs a switch with reflective relay (hairpin), and the switch has none.`,
    remedy: vepaRemedies(context, pair, { asker: pair.child, spa: from, tpa: to, isIpv4 }),
    ...doubtsOf(shown, 'a sibling that drops what it gets'),
    context: contextOf(context, pair),
    picture: isParent ? [] : vepaPicture({ spa: from, tpa: to }, pair),
  };
}
