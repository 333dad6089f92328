import type { Network } from '../../../network/network.js';
import { type Connection, watchFilter } from '../../parts/connections/connection.js';
import { onHost } from '../../parts/device-argument.js';
import { iptablesFor } from '../../parts/firewalls/netfilter.js';
import { type OwnDrop, ownDropConfidence, ownDropWords } from '../../parts/firewalls/own-firewall.js';
import { applying } from '../../parts/words.js';
import type { Diagnosis, Remedy } from '../../rule.js';

/** What a capture shows of SYN-ACKs that nobody acknowledges. */
export interface Shown {
  /** In words. */
  readonly ports: string;
  /** A client is there and misses them. */
  readonly isReal: boolean;
  /** Other connections of the two came up later. */
  readonly isPassing: boolean;
  /** It was taken at that end. */
  readonly atClient: boolean;
  readonly atServer: boolean;
}

type Words = Pick<Diagnosis, 'confidence' | 'title' | 'cause' | 'remedy' | 'caveats' | 'wouldRaise' | 'context'>;

/** By the host context the client's own firewall drops them. */
export function droppedByClient(own: OwnDrop, { client, server }: Connection, { ports, isReal }: Shown): Words {
  return {
    ...ownDropWords([own], client, 'SYN-ACKs', isReal),
    confidence: isReal && own.isHere ? 'certain' : ownDropConfidence(own),
    title: `The firewall of ${client} drops the SYN-ACKs of ${server} ${ports}`,
  };
}

/** They are lost on their way, or at its end. */
export function lostAnswers(network: Network, connection: Connection, shown: Shown): Words {
  const { client, server } = connection;
  const { ports, isReal, isPassing, atClient, atServer } = shown;
  const isSure = atClient || atServer ? 'certain' : 'likely';
  return {
    confidence: isReal && !isPassing ? isSure : 'hint',
    title: `${client} ${atClient ? 'ignores' : 'never acknowledges'} the SYN-ACKs of ${server} ${ports}`,
    cause: atClient
      ? `The SYN-ACKs arrive on the machine of ${client}, and a filter there drops them.`
      : `The SYN-ACKs are lost on the way from ${server} back to ${client}, or dropped at its end: a stateful firewall that never saw the SYN (asymmetric routing), a missing route, a filter on ${client}.`,
    remedy: atClient ? [filterOnClient(network, connection)] : onTheWay(network, connection),
    caveats: applying([
      !isReal && 'the client does not repeat its SYN: a scanner or a forged source address looks alike',
      isPassing && 'other connections of the same client to this port came up after it',
    ]),
    wouldRaise: [`a capture at ${atClient ? server : client}: do the SYN-ACKs arrive?`],
    context: [],
  };
}

function filterOnClient(network: Network, { client }: Connection): Remedy {
  const accept = `${iptablesFor(client)} -I INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`;
  return {
    text: `On ${client}: find the rule that drops answers, and let established connections in; until the next restart. What a rule of another nftables table than that of iptables drops stays dropped`,
    commands: ['nft list ruleset', accept].map((command) => onHost(network, client, command)),
  };
}

function onTheWay(network: Network, { client, server, port }: Connection): Remedy[] {
  return [
    {
      text: `On ${server}: see by which way answers leave; it should be the one on which the SYN came`,
      commands: [onHost(network, server, `ip route get ${client}`)],
    },
    {
      text: 'On each router and on the client: follow the SYN-ACK until it is gone',
      commands: [`tcpdump -eni any '${watchFilter(client, port)}'`],
    },
    {
      text: 'On a firewall that sees only one direction: see what it drops as invalid',
      commands: ['conntrack -S', 'nft list ruleset | grep -n invalid'],
    },
  ];
}
