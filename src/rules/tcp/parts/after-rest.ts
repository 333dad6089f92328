import type { Network } from '../../../network/network.js';
import type { StreamWords } from '../../parts/connections/stream.js';
import { seconds } from '../../parts/words.js';
import type { Remedy } from '../../rule.js';

/** Tries of a segment from which on a connection counts as dead: as many make a path without answers of a SYN. */
const TRIES = 3;

interface Words {
  readonly title: string;
  readonly says: string;
  readonly cause: string;
  readonly remedy: readonly Remedy[];
}

/** A connection whose first data after a rest is never acknowledged: what stands between, and keeps state, may have forgotten it. */
export function afterRest(network: Network, row: number, { from, to, fromPort, toPort }: StreamWords): Words | null {
  const { retransmissions, handshakes } = network;
  const rest = retransmissions.rested(row);
  const isStuck = retransmissions.tries(row) >= TRIES && retransmissions.healedBy(row) === 0;
  if (rest === 0 || !isStuck) return null;
  const isThere = handshakes.lastEstablishedLike(retransmissions.stream(row)) > retransmissions.stuckFirst(row);
  const forgotten =
    'What keeps state between the two (conntrack of a firewall or NAT, IPVS, a load balancer) forgot the connection while it rested, and drops what belongs to none that it knows';
  return {
    title: `TCP from ${from} to ${to} is not acknowledged any more after ${seconds(rest)} of rest`,
    says: `${fromPort} > ${toPort} had sent nothing new for ${seconds(rest)} before, and what it sends since is never acknowledged.${isThere ? ' New connections of the two come up meanwhile.' : ''}`,
    cause: isThere
      ? `${forgotten}: ${to} is there, as new connections come up.`
      : `${forgotten}; or ${to}, or the way to it, went away meanwhile.`,
    remedy: [
      {
        text: 'On each firewall, NAT host and load balancer between: after how many seconds is a connection forgotten, and is what it does not know dropped?',
        commands: [
          'sysctl net.netfilter.nf_conntrack_tcp_timeout_established net.netfilter.nf_conntrack_tcp_loose',
          'ipvsadm -l --timeout',
          'nft list ruleset | grep -n invalid',
        ],
      },
      {
        text: `On ${from} and ${to}: let connections that ask for keepalives (SO_KEEPALIVE) send them before that; until the next restart`,
        commands: ['sysctl -w net.ipv4.tcp_keepalive_time=60'],
      },
    ],
  };
}
