import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { listed } from '../parts/words.js';
import type { Rule } from '../rule.js';
import { Contests, contestOf, kindOf, mainAddress } from './parts/claimants.js';
import { answerFor } from './parts/virtual-holders.js';

/** Nodes that are named at most. */
const MAX_NODES = 8;
/** Addresses whose nodes are remembered; of others the latest two are told. */
const MAX_ADDRESSES = 4096;

/** Nodes that each have an address of their own claim another one at once, or by turns (catalogue A15). */
export const vipFlip: Rule = {
  meta: {
    id: 'arp/vip-flip',
    severity: 'warning',
    summary: 'Several nodes answer for one service address, at once or by turns',
    catalogue: 'A15',
    thresholds: {
      silentChanges: {
        value: 2,
        unit: 'changes of the node in a row that do not begin with an announcement',
        source: 'who takes an address over announces it; one late word of the node before is usual',
      },
      changes: {
        value: 4,
        unit: 'changes of the node in a row, announced or not',
        source: 'a failover and the way back are two; four are nodes that take it from each other again and again',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { claims } = network;
    /** Rows of `bindings` that claimed an address, by the row of `claims`. */
    const nodes = new Map<number, Set<number>>();

    const contests = new Contests(network, (claim, claimants) => {
      const { a, b, doubly } = claimants;
      const { ip, names, claimant, rival, ...rest } = contestOf(network, claim, claimants);
      const changes = claims.changes(claim);
      const silent = claims.silentChanges(claim);
      const flips = silent >= thresholds.silentChanges || changes >= thresholds.changes;
      if (kindOf(network, claimants) !== 'virtual' || (!doubly && !flips)) {
        withdraw(rest.key);
        return;
      }
      const rows = nodes.get(claim) ?? new Set();
      if (nodes.size < MAX_ADDRESSES) nodes.set(claim, rows);
      for (const row of [b, a]) if (rows.size < MAX_NODES) rows.add(row);
      const told = [...rows].filter((row) => row === a || row === b || mainAddress(network, row, b) >= 0);
      const named = told.map((row) => nameOf(network, row, row === a ? b : a));
      const list = listed(named.map(({ mac, ip }) => (ip ? `${mac} (${ip})` : mac)));
      const short = listed(named.map(({ mac, ip }) => ip ?? mac));
      report({
        ...rest,
        confidence: 'likely',
        title: doubly
          ? `${ip} is answered by ${told.length} nodes at once: ${short}`
          : `${ip} goes back and forth between ${short}`,
        summary:
          `${list} each have an address of their own, and all claim ${ip}. ` +
          (doubly
            ? `One request for ${ip} got several answers: each neighbor sends to the node that it heard, and other nodes may know nothing of the connection.`
            : `It changed from one to another ${changes} times, each within a minute of the one before, ${silent === 0 ? 'each time announced' : `${silent} times without an announcement`}: ` +
              'connections break at each change.'),
        subject: { ip, mac: rival, rival: claimant },
        ...answerFor(network, claims.segment(claim), claims.address(claim), told),
        caveats: ['an address given to two hosts by hand, each with another one besides, looks alike'],
        wouldRaise: [`\`ip addr\` on these nodes: whether ${ip} is a service address`],
        context: names,
        explains: [{ rule: 'arp/duplicate-address', key: rest.key }],
      });
    });
    return { events: contests.events, captureEnd: (capture) => contests.again(capture) };
  },
};

/** `02:00:00:00:00:11 (10.0.0.11)`: a node with an address of its own. */
function nameOf(network: Network, row: number, rival: number): { mac: string; ip: string | null } {
  const { bindings, addresses } = network;
  const main = mainAddress(network, row, rival);
  const mac = formatMac(bindings.hi(row), bindings.lo(row));
  return { mac, ip: main < 0 ? null : addresses.format(bindings.address(main)) };
}
