import { andOthers, streamWords, tcpFrames, Worst } from '../parts/connections/stream.js';
import type { Rule } from '../rule.js';

/** A connection that was up is reset before either side closed it (catalogue J5). */
export const reset: Rule = {
  meta: {
    id: 'tcp/reset',
    severity: 'info',
    summary: 'A TCP connection is reset in the middle; where the RST is not from its supposed sender, it says so',
    catalogue: 'J5',
    thresholds: {
      hops: {
        value: 2,
        unit: 'hops by which the TTL of the RST differs from that of its sender’s data',
        source: 'one hop may be a change of route',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { resets } = network;
    const worst = new Worst();
    return {
      events: {
        connectionReset(row) {
          const words = streamWords(network, resets.stream(row));
          const { key, segment, capture, from, to, fromPort, toPort } = words;
          const ttl = resets.ttl(row);
          const usual = resets.usualTtl(row);
          const hops = usual === 0 ? 0 : Math.abs(ttl - usual);
          const goesOn = resets.goesOnAfter(row);
          const isForged = goesOn || hops >= thresholds.hops;
          // One that is not from its sender shows more than one that is.
          const connections = worst.add(words, resets.first(row), isForged ? 2 : 1);
          if (connections === 0) return;
          report({
            key,
            segment,
            capture,
            count: resets.resets(row),
            first: resets.first(row),
            last: resets.last(row),
            confidence: 'certain',
            title: isForged
              ? `The connection of ${from} and ${to} is reset in the middle, but hardly by ${from}`
              : `${from} resets a connection with ${to} in the middle`,
            summary:
              `In the connection ${fromPort} > ${toPort}, which was up and which neither side had closed, a RST comes from ${from}${andOthers(connections)}. ` +
              (goesOn ? `${from} goes on sending data after it: a host that resets a connection forgets it. ` : '') +
              (hops >= thresholds.hops
                ? `It has a TTL of ${ttl}, the data of ${from} one of ${usual}: it took another way. `
                : '') +
              'Programs reset too, when they close with data unread, or crash.',
            subject: { sender: from, receiver: to },
            evidence: tcpFrames(capture, resets.places(row), `RST ${fromPort} > ${toPort}`),
            cause: isForged
              ? `Something other than the TCP of ${from} made the RST: a firewall that rejects with reset, conntrack that takes packets for invalid and lets the host reset them, a proxy or a load balancer.`
              : `The program on ${from} ended or gave up the connection, its host restarted and knows it no more, or a filter between the two reset it.`,
            remedy: [
              {
                text: `On ${from} and on firewalls before it: look for rules that reject with reset, and for packets called invalid`,
                commands: ['nft list ruleset | grep -nE "reset|invalid"', 'conntrack -S'],
              },
              {
                text: 'Where NAT sees packets out of window: do not let the host reset them',
                commands: ['sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1'],
              },
              {
                text: `On ${from}: what does the program say?`,
                commands: ['journalctl -n 100', 'nstat -az TcpOutRsts'],
              },
            ],
          });
        },
      },
    };
  },
};
