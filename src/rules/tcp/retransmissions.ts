import { andOthers, isToldMtu, streamWords, tcpFrames, Worst } from '../parts/connections/stream.js';
import type { Rule } from '../rule.js';
import { afterRest } from './parts/after-rest.js';

/** A notable part of the data of a connection is sent again (catalogue J7). */
export const retransmissions: Rule = {
  meta: {
    id: 'tcp/retransmissions',
    severity: 'info',
    summary: 'A notable part of TCP data is sent again: packets are lost or damaged on the way',
    catalogue: 'J7',
    thresholds: {
      segments: {
        value: 3,
        unit: 'segments of one connection that are sent again',
        source: 'fewer are a loss now and then',
      },
      share: {
        value: 0.01,
        unit: 'of the segments of a connection',
        source: 'a rule of thumb: from there on connections become slow',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const table = network.retransmissions;
    const worst = new Worst();
    return {
      events: {
        retransmitted(row) {
          const words = streamWords(network, table.stream(row));
          const { key, segment, capture, from, to, fromPort, toPort } = words;
          const repeated = table.repetitions(row);
          // What the receiver had already was overtaken or came late, but was not lost.
          const lost = repeated - table.needless(row);
          const all = table.sent(row);
          if (lost < thresholds.segments || lost < all * thresholds.share || isToldMtu(network, words)) {
            if (worst.drop(words)) withdraw(key);
            return;
          }
          const connections = worst.add(words, table.first(row), lost);
          if (connections === 0) return;
          const dead = afterRest(network, row, words);
          report({
            key,
            segment,
            capture,
            count: repeated,
            first: table.first(row),
            last: table.last(row),
            confidence: 'certain',
            title:
              dead?.title ??
              `TCP from ${from} to ${to}: ${repeated === 1 ? 'a segment is' : `${repeated} segments are`} sent again`,
            summary:
              `In the connection ${fromPort} > ${toPort}, ${repeated === 1 ? 'one segment is' : `${repeated} segments are`} sent again${all > 0 ? `, beside ${all === 1 ? 'one new one' : `${all} new ones`}` : ''}${andOthers(connections)}. ` +
              (dead?.says ?? 'Each costs the connection time, and a timeout 0.2 s at least.'),
            subject: { sender: from, receiver: to },
            evidence: tcpFrames(capture, table.places(row), `${fromPort} > ${toPort}, sent again`),
            cause:
              dead?.cause ??
              'Packets, or the acknowledgments for them, are lost or damaged on the way: a link with errors, a queue that is full, a filter that limits, a bond or spanning tree that changes over. Segments that only overtake each other count too until the receiver says that it had them (D-SACK, RFC 2883).',
            remedy: dead?.remedy ?? [
              {
                text: 'Look for errors and drops on each device of the path',
                commands: ['ip -s -s link', 'tc -s qdisc', 'ethtool -S <device> | grep -iE "err|drop|crc"'],
              },
              {
                text: 'See how the kernel of each end counts it',
                commands: [`ss -tin dst ${to}`, 'nstat -az TcpRetransSegs'],
              },
            ],
            wouldRaise: [`captures on both sides of a suspected hop: where do the segments disappear?`],
          });
        },
      },
    };
  },
};
