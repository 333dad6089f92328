import { IPV6 } from '../../../network/flows/flow-rows.js';
import type { Network } from '../../../network/network.js';
import { onHost } from '../../parts/device-argument.js';
import type { Ping } from '../../parts/pings/ping.js';
import type { Remedy } from '../../rule.js';

/** What TCP tells of pings in vain: the way is there. */
export interface ConnectionsGoOn {
  /** Behind the title. */
  readonly clause: string;
  readonly cause: string;
  readonly remedy: readonly Remedy[];
}

/** Null where no connection of the two hosts goes on both ways while they ping in vain. */
export function connectionsGoOn(network: Network, ping: Ping): ConnectionsGoOn | null {
  const { pings, addresses, flows, now } = network;
  const { row, segment, from, to, isIpv4, first, replies } = ping;
  if (replies > 0) return null;
  const [client, server] = [pings.source(row), pings.destination(row)].map((address) =>
    isIpv4 ? addresses.words(address)[0] : address,
  );
  const attempt = { place: isIpv4 ? segment : segment | IPV6, client, server, port: -1 };
  const { goOn } = flows.besides(attempt, first, now);
  if (goOn === 0) return null;
  const knob = isIpv4 ? 'net.ipv4.icmp_echo_ignore_all' : 'net.ipv6.icmp.echo_ignore_all';
  return {
    clause: `, while ${goOn === 1 ? 'a connection' : `${goOn} connections`} of the two ${goOn === 1 ? 'goes' : 'go'} on`,
    cause:
      `The way is there both ways: TCP of the same hosts goes on. A filter drops the requests or the replies, ${to} is told to answer no pings, ` +
      'or connection tracking on the way is full, which lets nothing new through.',
    remedy: [
      {
        text: `On ${to}: does it answer pings, and what filters them? The same on routers and bridges on the way`,
        commands: [`sysctl ${knob}`, 'nft list ruleset | grep -n icmp', 'dmesg | grep "table full"'].map((command) =>
          onHost(network, to, command),
        ),
      },
      {
        text: `On ${from}: does a reply come in, and is it dropped there?`,
        commands: [onHost(network, from, `tcpdump -eni any '${isIpv4 ? 'icmp' : 'icmp6'} and host ${to}'`)],
      },
    ],
  };
}
