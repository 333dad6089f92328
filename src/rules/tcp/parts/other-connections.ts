import type { Network } from '../../../network/network.js';
import type { Connection } from '../../parts/connections/connection.js';
import { onHost } from '../../parts/device-argument.js';
import type { Remedy } from '../../rule.js';

/** What the other connections of the same two hosts tell of SYNs in vain. */
export interface OtherConnections {
  /** Behind the title. */
  readonly clause: string;
  readonly says: string;
  readonly cause: string;
  readonly remedy: readonly Remedy[];
}

/**
 * Null where there are none that show the server to be there: those that go on while new ones do not come up, and those that came up, and whose
 * program says nothing (kernel: sk_acceptq_is_full in tcp_conn_request, net/ipv4/tcp_input.c, drops a SYN without a word).
 */
export function otherConnections(network: Network, connections: readonly Connection[]): OtherConnections | null {
  const { handshakes, flows, now } = network;
  const [{ row, client, server, port }] = connections;
  const attempt = {
    place: handshakes.place(row),
    client: handshakes.client(row),
    server: handshakes.server(row),
    port: handshakes.serverPort(row),
  };
  const since = Math.min(...connections.map((each) => handshakes.first(each.row)));
  const { goOn, unread } = flows.besides(attempt, since, now);
  if (unread > 0) return hung({ unread, client, server, port }, network);
  if (goOn === 0) return null;
  const on = (command: string) => onHost(network, server, command);
  return {
    clause: ', while the connections that they have go on',
    says: ` Meanwhile ${goOn === 1 ? 'a connection' : `${goOn} connections`} that the two have already ${goOn === 1 ? 'goes' : 'go'} on.`,
    cause:
      `The way is there both ways, and ${server} takes no new connection: the connection tracking of ${server} or of a router on the way is full ` +
      '("nf_conntrack: table full, dropping packet"), the program does not accept what comes in, or a filter lets only established connections pass, or so many of each client.',
    remedy: [
      {
        text: `On ${server}, and on each router that tracks or translates connections: is there room for more?`,
        commands: [
          'dmesg | grep "table full"',
          'sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max',
          'conntrack -S | grep -E "(drop|insert_failed)=[1-9]"',
        ].map(on),
      },
      queue(network, server, port),
      {
        text: `On ${server}: a filter for new connections`,
        commands: [
          'nft list ruleset | grep -nE "ct (state|count)|limit"',
          'iptables-save | grep -E "NEW|connlimit|hashlimit"',
        ].map(on),
      },
    ],
  };
}

/** The kernel took connections and data, and the program said nothing. */
function hung(
  { unread, client, server, port }: { unread: number; client: string; server: string; port: number },
  network: Network,
): OtherConnections {
  const it = unread === 1 ? 'one connection' : `${unread} connections`;
  return {
    clause: ': the program there does not take its connections',
    says: ` Before, ${it} of the same two to this port came up, and what ${client} sent in ${unread === 1 ? 'it' : 'them'} was acknowledged and not answered.`,
    cause:
      `The kernel of ${server} is there, and the program at port ${port} does not take its connections: it hangs, or is too busy. ` +
      'Once its queue of connections to accept is full, the kernel drops further SYNs without a word.',
    remedy: [
      queue(network, server, port),
      {
        text: 'See what the program does; start it anew if it hangs, or give it more workers',
        commands: [onHost(network, server, `ss -ltnp 'sport = :${port}'`)],
      },
    ],
  };
}

function queue(network: Network, server: string, port: number): Remedy {
  return {
    text: `On ${server}: is the queue full (Recv-Q above Send-Q), and did it overflow?`,
    commands: [`ss -ltn 'sport = :${port}'`, 'nstat -az TcpExtListenOverflows TcpExtListenDrops'].map((command) =>
      onHost(network, server, command),
    ),
  };
}
