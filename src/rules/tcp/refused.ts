import { Attempt } from '../../network/flows/handshake-columns.js';
import {
  answerFrames,
  type Connection,
  connectionOf,
  Pairs,
  portsOf,
  synFrames,
} from '../parts/connections/connection.js';
import { onHost } from '../parts/device-argument.js';
import { iptablesFor } from '../parts/firewalls/netfilter.js';
import type { Rule } from '../rule.js';
import { passedOn } from './parts/passed-on.js';

/** A SYN is answered with RST (catalogue J5). */
export const refused: Rule = {
  meta: {
    id: 'tcp/refused',
    severity: 'info',
    summary: 'A host refuses TCP connections: it answers the SYN with RST',
    catalogue: 'J5',
  },
  create({ network, report }) {
    const { handshakes } = network;
    const pairs = new Pairs(network);
    return {
      events: {
        connecting(row) {
          if (handshakes.state(row) !== Attempt.Refused) return;
          // The RST passes the first place at which the SYN is seen as well.
          if (handshakes.firstLeg(row) >= 0) return;
          const connection = connectionOf(network, row);
          const connections = pairs.add(connection);
          if (connections.length === 0) return;
          const { key, segment, capture, client, server, port } = connection;
          const rows = connections.map((each) => each.row);
          const ports = portsOf(connections);
          const onward = isOnePort(connections) ? passedOn(network, connection) : null;
          report({
            key,
            segment,
            capture,
            count: connections.length,
            first: Math.min(...rows.map((each) => handshakes.first(each))),
            last: Math.max(...rows.map((each) => handshakes.lastAnswer(each))),
            confidence: 'certain',
            title: `${server} refuses TCP ${ports}: ${onward?.clause ?? 'nothing listens, or a filter resets'}`,
            summary: `${client} connects to ${server}, TCP ${ports}, and the SYN is answered with RST. The packets get there and back${onward ? '' : '; it is the service that is missing'}.`,
            subject: { client, server, port },
            evidence: [
              ...synFrames(network, connections, `SYN ${client} > ${server}`),
              ...answerFrames(network, connections, `RST ${server} > ${client}`),
            ],
            cause:
              onward?.cause ??
              `No program listens on ${ports} of ${server} (or only on another address), the address leads to another machine than it should, or a filter rejects with reset.`,
            remedy: onward?.remedy ?? [
              {
                text: `On ${server}: see who listens, and on which addresses`,
                commands: [onHost(network, server, 'ss -ltnp')],
              },
              {
                text: `On ${server}: is ${server} its own address, or should it be translated?`,
                commands: [`ip addr show to ${server}`, 'nft list ruleset', `${iptablesFor(server)} -t nat -S`].map(
                  (command) => onHost(network, server, command),
                ),
              },
              {
                text: 'On the way: look for rules that reject with reset',
                commands: ['nft list ruleset | grep -n reset'],
              },
            ],
            context: onward?.context ?? [],
          });
        },
      },
    };
  },
};

function isOnePort(connections: readonly Connection[]): boolean {
  return connections.every(({ port }) => port === connections[0].port);
}
