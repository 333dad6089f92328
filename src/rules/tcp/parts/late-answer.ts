import { Attempt } from '../../../network/flows/handshake-columns.js';
import type { Network } from '../../../network/network.js';
import { answerFrames, type Connection, synFrames } from '../../parts/connections/connection.js';
import { onHost } from '../../parts/device-argument.js';
import { seconds } from '../../parts/words.js';
import type { Diagnosis } from '../../rule.js';

/** A connection came up after `least` SYNs or more (catalogue J3); null where it did not. */
export function lateAnswer(network: Network, connection: Connection, least: number): Diagnosis | null {
  const { handshakes } = network;
  const { key, segment, capture, row, client, server, port } = connection;
  const syns = handshakes.syns(row);
  if (handshakes.state(row) !== Attempt.Done || syns < least) return null;
  const first = handshakes.first(row);
  const last = handshakes.firstAnswer(row);
  const delay = seconds(last - first);
  return {
    key,
    segment,
    capture,
    count: syns - 1,
    first,
    last,
    severity: 'info',
    confidence: 'likely',
    title: `${client} connects to ${server}, TCP ${port}, only at SYN ${syns}, after ${delay}`,
    summary: `${client} sends its SYN to ${server}, TCP ${port}, ${syns} times. The first ${syns - 1} stay without answer, the last is answered after ${delay}, and the connection works: whoever opens it waits that long.`,
    subject: { client, server, port },
    evidence: [
      ...synFrames(network, [connection], `SYN ${client} > ${server}`),
      ...answerFrames(network, [connection], 'the first answer'),
    ],
    cause: `What lost the first SYNs, or the answers to them, passed while the client tried: ${server} or its address just came up, ARP on the way was answered late, its queue of new connections was full. If each connection takes as long, a tunnel may spoil checksums that are left to the device: only a late repetition comes without.`,
    remedy: [
      {
        text: `On ${server}: were connections dropped for a full queue?`,
        commands: ['nstat -az TcpExtListenDrops TcpExtListenOverflows', 'ss -ltn'].map((command) =>
          onHost(network, server, command),
        ),
      },
      {
        text: 'If it is so each time, over a tunnel: compute checksums before it',
        commands: ['ethtool -K <tunnel device> tx-checksum-ip-generic off'],
      },
    ],
    wouldRaise: [`a capture at ${server}: do the first SYNs arrive, and which answers leave?`],
  };
}
