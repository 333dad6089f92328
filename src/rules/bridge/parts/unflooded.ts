import { macKey } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { inNamespace, label } from '../../parts/question.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import { vanishing } from '../../parts/vanished/vanished.js';
import { applying } from '../../parts/words.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { cureOfDeaf, getsNothingFor } from './port-policy.js';

/**
 * Pings and SYNs in vain to a host behind a port that gets only what is for MACs which the bridge has there (`flood off`), and it has
 * not the one that they go to: the host was silent too long, or the port does not learn. So it is with the answers, where that is the port of who asks.
 */
export function unflooded(rule: RuleContext): Handlers {
  const { network } = rule;
  return vanishing(
    rule,
    (vanished) => {
      const port = vanished.isAnsweredBeyond ? null : portOf(network, vanished);
      const key = `${vanished.segment} ${vanished.from} ${vanished.to}`;
      return port ? `unflooded ${key}` : deafAsker(network, vanished) && `unanswered ${key}`;
    },
    (members) => {
      const port = members[0].isAnsweredBeyond ? null : portOf(network, members[0]);
      return port ? tell(network, members, port) : tellAnswers(members, deafAsker(network, members[0]) as DeafAsker);
    },
    { beyond: true },
  );
}

/** Who asks, if no answer passes its own port, and that port. */
interface DeafAsker {
  readonly asker: Device;
  readonly port: Device;
}

function deafAsker({ context, addresses, vantage }: Network, { source }: Vanished): DeafAsker | null {
  const holders = context?.devicesByIp(addresses.words(source)) ?? [];
  const [asker] = holders;
  const port = holders.length === 1 ? context?.switchPort(asker) : null;
  if (!port?.master || !getsNothingFor(port, asker)) return null;
  // What is seen at the bridge itself or at another port of it lacks answers for another reason.
  return vantage === null || vantage === asker || vantage === port ? { asker, port } : null;
}

function tellAnswers(members: readonly Vanished[], { asker, port }: DeafAsker): Diagnosis {
  const [{ segment, from, to, isAnsweredBeyond }] = members;
  const all = together(members);
  const mac = asker.mac?.text ?? '';
  const name = printable(port.name);
  return {
    key: `unanswered ${segment} ${from} ${to}`,
    ...all,
    confidence: isAnsweredBeyond ? 'certain' : 'likely',
    title: `${from} gets no answers from ${to}: bridge port ${name} gets nothing for MACs that the bridge has no entry for`,
    summary:
      `${from} sends ${all.count} requests to ${to}, in vain. ${label(port)}, towards ${from}, learns nobody and is not flooded to ` +
      `(learning off, flood off), and the bridge has no entry for ${mac} there: what is sent to it, as each answer, is dropped.`,
    subject: { source: from, destination: to, mac },
    cause: 'Neither flooding nor learning is on at that port: only entries made by hand lead there.',
    remedy: cureOfDeaf(port, mac),
    caveats: isAnsweredBeyond ? [] : [`that ${to} answers is not in this capture`],
    wouldRaise: isAnsweredBeyond ? [] : [`a capture at ${to}: do the requests arrive, and does a reply leave?`],
    context: [`${label(port)}: flood off, learning off`],
  };
}

/** The port that drops what goes to that MAC, null if none is known to. */
function portOf({ context, stations, vantage }: Network, { segment, hi, lo }: Vanished): Device | null {
  if (!context || hi < 0) return null;
  const holders = context.devicesByMac(hi, lo);
  const port = holders.length === 1 ? context.switchPort(holders[0]) : null;
  // What is seen behind the port passed it.
  if (!port || vantage === port || vantage === port.peer) return null;
  if (port.flood !== false || !port.master || port.learned.has(macKey(hi, lo))) return null;
  const station = stations.find(segment, hi, lo);
  // Whoever speaks is learned, where the port learns, and may have been forgotten only since.
  const isHeard = station >= 0 && stations.sent(station) > 0;
  return isHeard && port.learning !== false ? null : port;
}

function tell({ context }: Network, members: readonly Vanished[], port: Device): Diagnosis {
  const [{ segment, from, to, hi, lo }] = members;
  const all = together(members);
  const mac = formatMac(hi, lo);
  const name = printable(port.name);
  const isDeaf = port.learning === false;
  const ports = (port.master && context?.portsOf(port.master)) ?? [];
  const knowsEntries = ports.some(({ learned }) => learned.size > 0);
  const what = applying([
    members.some(({ protocol }) => protocol !== 'tcp') && 'pings',
    members.some(({ protocol }) => protocol === 'tcp') && 'SYNs',
  ]).join(' and ');
  return {
    key: `unflooded ${segment} ${from} ${to}`,
    ...all,
    confidence: knowsEntries ? 'likely' : 'hint',
    title: `${from} cannot reach ${to}: bridge port ${name} gets nothing for MACs that the bridge did not learn there`,
    summary:
      `${all.count} ${what} from ${from} to ${to} go to ${mac}, in vain. ${label(port)}, towards ${to}, is not flooded to (flood off), and the bridge has no entry for that MAC there` +
      `${isDeaf ? ', nor learns any (learning off)' : ''}: it drops them.`,
    subject: { source: from, destination: to, mac },
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
    caveats: isDeaf ? [] : ['the entry may have been there when they passed, and aged since'],
    wouldRaise: [`a capture at ${port.name}: they do not leave there`],
    context: [`${label(port)}: flood off${isDeaf ? ', learning off' : ''}`],
  };
}
