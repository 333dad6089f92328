import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { at } from '../../parts/device-argument.js';
import { iptablesFor } from '../../parts/firewalls/netfilter.js';
import { natHost } from '../../parts/nat-host.js';
import { prefixAround } from '../../parts/next-router.js';

const DNS = 53;

/** Has the host that translates send packets on as its own: in its namespace, where the host context shows it. Rows of `Addresses`. */
export function masquerade(
  { context, addresses }: Network,
  asker: number,
  asked: number,
  answerer: number,
  match = '',
): string {
  const [client, server] = [asker, answerer].map((row) => addresses.format(row));
  const askers = printable(prefixAround(context, addresses.words(asker), client));
  return at(
    natHost(context, addresses.words(asked), addresses.words(answerer)),
    `${iptablesFor(client)} -t nat -I POSTROUTING -s ${askers} -d ${server}${match} -j MASQUERADE`,
  );
}

/** Cause and cure where a UDP server answers from elsewhere. */
export function ofUdp(network: Network, from: number, to: number, by: number, port: number) {
  const { context, addresses } = network;
  const [client, asked, answerer] = [from, to, by].map((row) => addresses.format(row));
  const holders = context?.devicesByIp(addresses.words(by)) ?? [];
  const server = holders.length === 1 ? holders[0] : null;
  const route = client.includes(':') ? 'ip -6 route' : 'ip route';
  return {
    cause: `${answerer} has ${asked} too and answers from the address that its route to ${client} prefers, as UDP servers do that listen on all addresses at once; or NAT sends ${port === DNS ? 'queries' : 'questions'} on, and the answers do not come back through it.`,
    remedy: [
      {
        text: `On the server: see on which addresses it listens, and let it listen on ${asked} by name`,
        commands: [`ss -ulnp 'sport = :${port}'`, `${route} get ${client} from ${asked}`].map((each) =>
          at(server, each),
        ),
      },
      {
        text: 'If NAT is between: let the answers come back through it; for new questions, and until the next restart',
        commands: [masquerade(network, from, to, by, ` -p udp --dport ${port}`)],
      },
    ],
  };
}
