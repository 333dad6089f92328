import { andOthers, streamWords, tcpFrames, Worst } from '../parts/connections/stream.js';
import { onHost } from '../parts/device-argument.js';
import { setting } from '../parts/setting.js';
import { seconds, times } from '../parts/words.js';
import type { Rule } from '../rule.js';

/** A receiver tells a window of 0 for long: its program does not read. */
export const zeroWindow: Rule = {
  meta: {
    id: 'tcp/zero-window',
    severity: 'info',
    summary: 'A TCP receiver tells its sender to wait: its program does not read fast enough',
    catalogue: '',
    thresholds: {
      wait: setting('zeroWindow'),
    },
  },
  create({ network, report, thresholds }) {
    const { windows } = network;
    const worst = new Worst();
    return {
      events: {
        windowClosed(row) {
          const words = streamWords(network, windows.stream(row));
          const { key, segment, capture, from, to, fromPort, toPort } = words;
          const longest = windows.longest(row);
          if (longest < thresholds.wait * 1e9) return;
          const connections = worst.add(words, windows.first(row), longest);
          if (connections === 0) return;
          const closings = windows.closings(row);
          report({
            key,
            segment,
            capture,
            count: closings,
            first: windows.first(row),
            last: windows.last(row),
            confidence: 'certain',
            title: `${from} makes ${to} wait for ${seconds(longest)}: its receive window is 0`,
            summary:
              `In the connection ${toPort} > ${fromPort} the receiver tells a window of 0, ${times(closings)}, for up to ${seconds(longest)}${windows.isClosed(row) ? ' and still at the end' : ''}` +
              `${andOthers(connections)}. Its buffer is full. The network is not what holds this connection up.`,
            subject: { receiver: from, sender: to },
            evidence: tcpFrames(capture, windows.places(row), `${fromPort} tells a window of 0`),
            cause: `The program on ${from} does not read, or reads more slowly than ${to} sends: it is busy, stopped, waits for a disk, or its buffer is small.`,
            remedy: [
              {
                text: `On ${from}: see which program it is, and how much waits to be read (Recv-Q)`,
                commands: [onHost(network, from, `ss -tmpn dst ${to}`)],
              },
              {
                text: `On ${from}: see how large its receive buffers may grow`,
                commands: [onHost(network, from, 'sysctl net.ipv4.tcp_rmem')],
              },
            ],
          });
        },
      },
    };
  },
};
