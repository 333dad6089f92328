import { Attempt } from '../../network/flows/handshake-columns.js';
import { formatMac } from '../../wire/address.js';
import { confidenceBy } from '../parts/confidence.js';
import {
  type Connection,
  connectionOf,
  isAtClient,
  Pairs,
  portsOf,
  synFrames,
  watchFilter,
} from '../parts/connections/connection.js';
import { onHost } from '../parts/device-argument.js';
import { filteredByTarget } from '../parts/firewalls/filtered-target.js';
import { fullAtTarget } from '../parts/full-table.js';
import { movedSince } from '../parts/pings/returned.js';
import { notRefused } from '../parts/refusals/attempts.js';
import { lostSyns } from '../parts/vanished/syns.js';
import type { Rule } from '../rule.js';
import { isBystander } from './parts/bystander.js';
import { lateAnswer } from './parts/late-answer.js';
import { otherConnections } from './parts/other-connections.js';

/** Attempts that are remembered until they come up. */
const MAX_LATE = 256;

/** A client repeats its SYN and nothing answers (catalogue J1). */
export const synUnanswered: Rule = {
  meta: {
    id: 'tcp/syn-unanswered',
    severity: 'warning',
    summary: 'A client opens a TCP connection again and again, and nothing answers its SYN',
    catalogue: 'J1',
    silence: true,
    thresholds: {
      syns: {
        value: 3,
        unit: 'SYNs in vain that make more than a hint',
        source: 'the client waited a second and more for each but the last',
      },
      silentServers: {
        value: 3,
        unit: 'silent servers of one client that others answer, from which on more are a hint: it looks for peers, or scans',
        source: 'programs that are told of peers find some of them gone',
      },
      patience: {
        value: 1,
        unit: 'seconds that the capture goes on after the last SYN, and that attempts from several ports take, for fewer SYNs to count',
        source: 'the first timeout of TCP (RFC 6298 section 2)',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { handshakes, stations } = network;
    const pairs = new Pairs(network);
    /** Rows of attempts that were answered once after SYNs in vain. */
    const late = new Set<number>();

    function look(row: number): void {
      const connection = connectionOf(network, row);
      const isUnanswered =
        handshakes.state(row) === Attempt.Waiting &&
        handshakes.answers(row) === 0 &&
        !handshakes.wasAnsweredElsewhere(row) &&
        handshakes.firstLeg(row) < 0 &&
        (handshakes.syns(row) >= thresholds.syns || network.now - handshakes.last(row) >= thresholds.patience * 1e9);
      if (isUnanswered) {
        tell(pairs.add(connection));
        return;
      }
      const answered = late.delete(row) ? lateAnswer(network, connection, thresholds.syns) : null;
      if (answered) report(answered);
      const left = pairs.drop(connection);
      if (left === null) return;
      if (left.length > 0) tell(left);
      else {
        withdraw(connection.key);
        if (handshakes.answers(row) === 1 && late.size < MAX_LATE) late.add(row);
      }
    }

    function tell(connections: Connection[]): void {
      if (connections.length === 0) return;
      const [{ key, segment, capture, client, server, port }] = connections;
      const rows = connections.map(({ row }) => row);
      const count = rows.reduce((sum, row) => sum + handshakes.syns(row), 0);
      // Programs with a short patience try again from another port, before the third SYN.
      const firsts = rows.map((row) => handshakes.first(row));
      const isEnough =
        rows.some((row) => handshakes.syns(row) >= thresholds.syns) ||
        Math.max(...firsts) - Math.min(...firsts) >= thresholds.patience * 1e9;
      const isPassing = rows.every((row) => handshakes.lastEstablished(row) > handshakes.first(row));
      const isSearch =
        pairs.ofClient(connections[0]) > thresholds.silentServers && handshakes.clientWasAnswered(rows[0]);
      const local = connections.some((each) => isAtClient(network, each));
      const isBeside = !local && connections.every((each) => isBystander(network, each));
      const ports = portsOf(connections);
      const last = Math.max(...rows.map((row) => handshakes.last(row)));
      const moved = movedAfter(connections[connections.length - 1], last);
      const lost = isEnough ? lostSyns(network, rows[0]) : null;
      const filtered = filteredByTarget(network, lost) ?? fullAtTarget(network, lost);
      const others = filtered || !isEnough ? null : otherConnections(network, connections);
      report({
        key,
        segment,
        capture,
        count,
        first: Math.min(...firsts),
        last,
        confidence:
          filtered?.confidence ??
          confidenceBy({ hint: !isEnough || isPassing || isSearch || isBeside || moved !== null, certain: local }),
        title: `${client} gets no answer from ${server} ${ports}${filtered?.clause ?? others?.clause ?? ': its SYNs are lost or ignored'}`,
        summary:
          `${client} tries to connect to ${server}, TCP ${ports}, and sends ${rows.length === 1 ? 'the same SYN' : 'SYNs'} again and again, ${count} in all${rows.length === 1 ? '' : `, in ${rows.length} attempts`}. ` +
          'Neither a SYN-ACK nor a RST for it is in this capture.' +
          (others?.says ?? nextHop(rows[rows.length - 1], segment)),
        subject: { client, server, port },
        evidence: synFrames(network, connections, `SYN ${client} > ${server}, no answer`),
        trail: {
          of: 'handshakes',
          rows,
          title: `${client} gets no answer from ${server} ${ports}`,
          asker: client,
          target: server,
          watch: watchFilter(client, port),
          cures: filtered?.remedy ?? [],
        },
        cause:
          filtered?.cause ??
          others?.cause ??
          `A filter drops the SYN (a closed port on a host that runs would answer RST), ${server} is down or lacks a route back, ` +
            'or the answer is lost on its way: from this place they look alike.',
        remedy: filtered?.remedy ??
          others?.remedy ?? [
            {
              text: `See which way each end sends, on ${client} and on ${server}`,
              commands: [
                onHost(network, client, `ip route get ${server}`),
                onHost(network, server, `ip route get ${client}`),
              ],
            },
            {
              text: `On ${server}: does the SYN arrive, and does a SYN-ACK leave?`,
              commands: [onHost(network, server, `tcpdump -eni any '${watchFilter(client, port)}'`)],
            },
            {
              text: `If it arrives and nothing leaves: a filter on ${server}, or reverse path filtering`,
              commands: [
                'nft list ruleset',
                'iptables-save | grep -i drop',
                'nstat -az TcpExtListenDrops TcpExtIPReversePathFilter',
              ].map((command) => onHost(network, server, command)),
            },
          ],
        caveats: filtered?.caveats ?? [
          ...(isEnough ? [] : ['only two SYNs: one packet may just have been lost']),
          ...(isPassing ? ['other connections of the same client to this port came up after it'] : []),
          ...(moved ? [`${moved.words} after it: the machine was started anew, or moved, and it passed`] : []),
          ...(isSearch
            ? [`other hosts answer ${client}, and several do not: it may be looking for peers that need not exist`]
            : []),
          ...(isBeside
            ? [`others get their frames here, and ${client} none: a switch may have flooded the SYNs past this place`]
            : []),
          ...(local || others
            ? []
            : ['that an answer would be in this capture is concluded from the client’s asking again']),
        ],
        wouldRaise: filtered?.wouldRaise ?? [`a capture at ${server}: does the SYN arrive, and does an answer leave?`],
        context: filtered?.context ?? [],
      });
    }

    /** The server's machine arrived somewhere after the last SYN: what was lost while it moved says nothing of now. */
    function movedAfter({ capture, serverRow, row }: Connection, last: number) {
      const target = { capture, address: serverRow, hi: handshakes.hi(row), lo: handshakes.lo(row) };
      return movedSince(network, target, last);
    }

    /** Whom the SYNs are handed to on this segment. */
    function nextHop(row: number, segment: number): string {
      const hi = handshakes.hi(row);
      const lo = handshakes.lo(row);
      if (hi < 0 || (hi | lo) === 0) return '';
      const mac = formatMac(hi, lo);
      const station = stations.find(segment, hi, lo);
      const isHeard = station >= 0 && stations.sent(station) > 0;
      return isHeard
        ? ` The SYNs go to ${mac}, which is there: other frames come from it.`
        : ` The SYNs go to ${mac}, and no frame at all from that MAC is in this capture.`;
    }

    return {
      events: { connecting: look },
      // What a client has to do with other servers is known by then, and which ports a filter refuses aloud.
      captureEnd(capture) {
        for (const connections of pairs.of(capture)) {
          const silent = notRefused(network, connections);
          tell(silent.length > 0 ? silent : connections);
        }
      },
    };
  },
};
