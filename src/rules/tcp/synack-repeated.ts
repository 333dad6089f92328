import { Attempt } from '../../network/flows/handshake-columns.js';
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
} from '../parts/connections/connection.js';
import { type OwnDrop, ownFirewallDrop } from '../parts/firewalls/own-firewall.js';
import { times } from '../parts/words.js';
import type { Diagnosis, Rule } from '../rule.js';
import { disowned, disownedSymptoms } from './parts/disowned-words.js';
import { droppedByClient, lostAnswers, type Shown } from './parts/synack-words.js';

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
        isDisowned(row) ||
        (handshakes.state(row) === Attempt.Waiting &&
          handshakes.answers(row) >= 2 &&
          (!handshakes.wasAnsweredElsewhere(row) || isWaitingEverywhere(connection)) &&
          !isToldAt(connection));
      if (isStuck && legIsSilent(row)) {
        tell(pairs.add(connection));
        return;
      }
      const left = pairs.drop(connection);
      if (left === null) return;
      if (left.length === 0) withdraw(connection.key);
      else tell(left);
    }

    function isDisowned(row: number): boolean {
      const state = handshakes.state(row);
      return handshakes.disowned(row) > 0 && (state === Attempt.Waiting || state === Attempt.Aborted);
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
      if (asked(row).some((other) => handshakes.syns(other) >= 2)) return true;
      const elapsed = handshakes.lastAnswer(row) - handshakes.firstAnswer(row);
      return answers > 1 + Math.floor(Math.log2(1 + elapsed / (thresholds.timeout * 1e9)) + 0.1);
    }

    /** Where the SYNs are seen that pass another device of the machine than their answers. */
    function asked(row: number): number[] {
      if (handshakes.syns(row) > 0) return [];
      const { segments } = network;
      const capture = segments.captureOf(handshakes.segment(row));
      return handshakes
        .askedElsewhere(row)
        .filter((other) => segments.captureOf(handshakes.segment(other)) === capture);
    }

    function tell(attempts: Connection[], symptoms: Diagnosis['explains'] = []): void {
      if (attempts.length === 0) return;
      const foreign = attempts.filter(({ row }) => isDisowned(row));
      const connections = foreign.length > 0 ? foreign : attempts;
      const [connection] = connections;
      const { key, segment, capture, client, server, port } = connection;
      const rows = connections.map(({ row }) => row);
      const syns = rows.reduce((sum, row) => sum + handshakes.syns(row), 0);
      const answers = rows.reduce((sum, row) => sum + handshakes.answers(row), 0);
      const shown = {
        ports: portsOf(connections),
        isReal: rows.some(clientAsksAgain),
        isPassing: rows.every((row) => handshakes.lastEstablished(row) > handshakes.firstAnswer(row)),
        atClient: connections.some((each) => isAtClient(network, each)),
        atServer: connections.some((each) => isAtServer(network, each)),
      };
      report({
        key,
        segment,
        capture,
        count: answers,
        first: Math.min(...rows.map((row) => handshakes.firstAnswer(row))),
        last: Math.max(...rows.map((row) => handshakes.lastAnswer(row))),
        summary:
          `${server} answers ${client} from TCP ${shown.ports} with SYN-ACK, ${answers} times, and no ACK follows. ` +
          (syns > 0
            ? `${client} sends its SYN ${times(syns)}: it does not get the answers, or drops them.`
            : 'The SYNs themselves do not pass here: the two directions take different ways.'),
        evidence: [
          ...synFrames(network, connections, `SYN ${client} > ${server}`),
          ...answerFrames(network, connections, `SYN-ACK ${server} > ${client}, not acknowledged`),
        ],
        ...(foreign.length > 0 ? disowned(network, foreign, shown) : lost(connection, shown)),
        subject: { client, server, port },
        explains: [
          ...rows
            .flatMap((row) => [handshakes.firstLeg(row), ...asked(row)])
            .filter((leg) => leg >= 0)
            .map((leg) => ({ rule: 'tcp/syn-unanswered', key: connectionOf(network, leg).key }) as const),
          ...symptoms,
        ],
      });
    }

    function lost(connection: Connection, shown: Shown) {
      const own = shown.isPassing ? null : ownDrop(network, connection);
      return own ? droppedByClient(own, connection, shown) : lostAnswers(network, connection, shown);
    }

    return {
      events: { connecting: look },
      // What else comes of it is known by then.
      captureEnd(capture) {
        for (const connections of pairs.of(capture)) {
          const foreign = connections.filter(({ row }) => isDisowned(row));
          if (foreign.length > 0) tell(foreign, disownedSymptoms(network, foreign));
        }
      },
    };
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
