import { Attempt } from '../../network/flows/handshake-rows.js';
import type { Network } from '../../network/network.js';
import { Direction } from '../../wire/frame.js';
import {
  answerFrames,
  type Connection,
  connectionOf,
  isAtClient,
  isAtServer,
  legs,
  Pairs,
  portsOf,
  synFrames,
  watchFilter,
} from '../parts/connection.js';
import { onHost } from '../parts/device-argument.js';
import { iptablesFor } from '../parts/netfilter.js';
import { type OwnDrop, ownDropConfidence, ownDropWords, ownFirewallDrop } from '../parts/own-firewall.js';
import { times } from '../parts/words.js';
import type { Rule } from '../rule.js';

/** A server repeats its SYN-ACK and the client goes on asking (catalogue J2). */
export const synackRepeated: Rule = {
  meta: {
    id: 'tcp/synack-repeated',
    severity: 'warning',
    summary: 'A server answers a SYN again and again, and the connection does not come up: its answers are lost',
    catalogue: 'J2',
    silence: true,
    thresholds: {
      answers: { value: 3, unit: 'SYN-ACKs in vain that make more than a hint', source: 'one lost packet makes two' },
      timeout: {
        value: 1,
        unit: 'seconds before the first repetition of a SYN-ACK, doubled for each further: more of them come of SYNs that are not seen',
        source: 'RFC 6298 sections 2 and 5.5',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { handshakes } = network;
    const pairs = new Pairs(network);

    function look(row: number): void {
      const connection = connectionOf(network, row);
      const isStuck =
        handshakes.state(row) === Attempt.Waiting &&
        handshakes.answers(row) >= 2 &&
        (!handshakes.wasAnsweredElsewhere(row) || isWaitingEverywhere(connection)) &&
        legIsSilent(row) &&
        !isToldAt(connection);
      if (isStuck) {
        tell(pairs.add(connection));
        return;
      }
      const left = pairs.drop(connection);
      if (left === null) return;
      if (left.length === 0) withdraw(connection.key);
      else tell(left);
    }

    /** The first place at which an attempt is seen tells of it, if the SYN-ACKs are there too. */
    function legIsSilent(row: number): boolean {
      const leg = handshakes.firstLeg(row);
      return leg < 0 || (handshakes.answers(leg) === 0 && handshakes.state(leg) === Attempt.Waiting);
    }

    /** The capture of a switch or router shows the same SYN-ACKs at another port: they go on, and nothing comes of them there either. */
    function isWaitingEverywhere(connection: Connection): boolean {
      return legs(network, connection).every((leg) => handshakes.state(leg) === Attempt.Waiting);
    }

    /** SYN-ACKs alone that passed another port before: there more is known of them. */
    function isToldAt(connection: Connection): boolean {
      const { row } = connection;
      if (handshakes.syns(row) > 0) return false;
      const first = handshakes.firstAnswer(row);
      return legs(network, connection).some(
        (leg) =>
          handshakes.answers(leg) >= handshakes.answers(row) &&
          (handshakes.firstAnswer(leg) < first || (handshakes.firstAnswer(leg) === first && leg < row)),
      );
    }

    /**
     * Whether a real client is at the other end and misses the answers: it repeats its SYN. Where SYNs do not pass, more
     * SYN-ACKs than the server's own timer sends show it. Scanners and forged sources ask once.
     */
    function clientAsksAgain(row: number): boolean {
      const answers = handshakes.answers(row);
      if (answers < thresholds.answers) return false;
      if (handshakes.syns(row) > 0) return handshakes.syns(row) >= 2;
      const elapsed = handshakes.lastAnswer(row) - handshakes.firstAnswer(row);
      return answers > 1 + Math.floor(Math.log2(1 + elapsed / (thresholds.timeout * 1e9)) + 0.1);
    }

    function tell(connections: Connection[]): void {
      if (connections.length === 0) return;
      const [{ key, segment, capture, client, server, port }] = connections;
      const rows = connections.map(({ row }) => row);
      const syns = rows.reduce((sum, row) => sum + handshakes.syns(row), 0);
      const answers = rows.reduce((sum, row) => sum + handshakes.answers(row), 0);
      const isReal = rows.some(clientAsksAgain);
      const isPassing = rows.every((row) => handshakes.lastEstablished(row) > handshakes.firstAnswer(row));
      const atClient = connections.some((each) => isAtClient(network, each));
      const atServer = connections.some((each) => isAtServer(network, each));
      const ports = portsOf(connections);
      const own = isPassing ? null : ownDrop(network, connections[0]);
      const words = own && ownDropWords([own], client, 'SYN-ACKs', isReal);
      report({
        key,
        segment,
        capture,
        count: answers,
        first: Math.min(...rows.map((row) => handshakes.firstAnswer(row))),
        last: Math.max(...rows.map((row) => handshakes.lastAnswer(row))),
        confidence: own
          ? isReal && own.isHere
            ? 'certain'
            : ownDropConfidence(own)
          : !isReal || isPassing
            ? 'hint'
            : atClient || atServer
              ? 'certain'
              : 'likely',
        title: own
          ? `The firewall of ${client} drops the SYN-ACKs of ${server} ${ports}`
          : atClient
            ? `${client} ignores the SYN-ACKs of ${server} ${ports}`
            : `${client} never acknowledges the SYN-ACKs of ${server} ${ports}`,
        summary:
          `${server} answers ${client} from TCP ${ports} with SYN-ACK, ${answers} times, and no ACK follows. ` +
          (syns > 0
            ? `${client} sends its SYN ${times(syns)}: it does not get the answers, or drops them.`
            : 'The SYNs themselves do not pass here: the two directions take different ways.'),
        subject: { client, server, port },
        evidence: [
          ...synFrames(network, connections, `SYN ${client} > ${server}`),
          ...answerFrames(network, connections, `SYN-ACK ${server} > ${client}, not acknowledged`),
        ],
        cause:
          words?.cause ??
          (atClient
            ? `The SYN-ACKs arrive on the machine of ${client}, and a filter there drops them.`
            : `The SYN-ACKs are lost on the way from ${server} back to ${client}, or dropped at its end: a stateful firewall that never saw the SYN (asymmetric routing), a missing route, a filter on ${client}.`),
        remedy: words?.remedy ?? [
          ...(atClient
            ? [
                {
                  text: `On ${client}: find the rule that drops answers, and let established connections in; until the next restart. What a rule of another nftables table than that of iptables drops stays dropped`,
                  commands: [
                    onHost(network, client, 'nft list ruleset'),
                    onHost(
                      network,
                      client,
                      `${iptablesFor(client)} -I INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
                    ),
                  ],
                },
              ]
            : [
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
              ]),
        ],
        explains: rows
          .map((row) => handshakes.firstLeg(row))
          .filter((leg) => leg >= 0)
          .map((leg) => ({ rule: 'tcp/syn-unanswered', key: connectionOf(network, leg).key })),
        caveats: words?.caveats ?? [
          ...(isReal ? [] : ['the client does not repeat its SYN: a scanner or a forged source address looks alike']),
          ...(isPassing ? ['other connections of the same client to this port came up after it'] : []),
        ],
        wouldRaise: words?.wouldRaise ?? [`a capture at ${atClient ? server : client}: do the SYN-ACKs arrive?`],
        context: words?.context ?? [],
      });
    }

    return { events: { connecting: look } };
  },
};

/** What the firewall of the client makes of the SYN-ACKs. */
function ownDrop(network: Network, { row, segment, clientRow, serverRow, client, server }: Connection): OwnDrop | null {
  const { handshakes, addresses } = network;
  return ownFirewallDrop(network, {
    segment,
    source: clientRow,
    destination: serverRow,
    from: client,
    to: server,
    isIpv4: addresses.isIpv4(serverRow),
    protocol: 'tcp',
    sourcePort: handshakes.clientPort(row),
    destinationPort: handshakes.serverPort(row),
    wentOut: handshakes.synsWent(row, Direction.Out),
  });
}
