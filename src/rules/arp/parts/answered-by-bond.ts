import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { stuckConnectionsAt } from '../../parts/connections/connection.js';
import { unansweredPingsTo } from '../../parts/pings/ping.js';
import { inNamespace, label } from '../../parts/question.js';
import type { Diagnosis } from '../../rule.js';
import { type Claimants, contestOf } from './claimants.js';

/** Modes in which a bond gives frames the MAC of the slave they leave by (kernel: `bond_do_alb_xmit` in drivers/net/bonding/bond_alb.c). */
const REWRITING = ['balance-alb', 'balance-tlb'];
/** The mode in which it answers ARP with that MAC as well (`rlb_arp_xmit`). */
const ANSWERING = ['balance-alb'];

/** The bond of the context that gives frames this source, in one of `modes`. */
export function bondOf({ context }: Network, hi: number, lo: number, modes = REWRITING): Device | null {
  const bonds = (context?.devicesByMac(hi, lo) ?? []).map((device) =>
    device.kind === 'bond' ? device : device.master,
  );
  return bonds.find((bond) => bond?.kind === 'bond' && modes.includes(bond.mode ?? '')) ?? null;
}

/**
 * A bond in mode balance-alb answers for an address of another MAC behind it, a macvlan child's, with that of a slave (catalogue
 * A11): what is sent there ends at the bond. Only the host context tells it from two hosts with one address.
 */
export function answeredByBond(network: Network, claim: number, claimants: Claimants): Diagnosis | null {
  const { bindings, claims } = network;
  const pairs = [
    [claimants.a, claimants.b],
    [claimants.b, claimants.a],
  ];
  for (const [slave, child] of pairs) {
    const [hi, lo] = [bindings.hi(slave), bindings.lo(slave)];
    const bond = bondOf(network, hi, lo, ANSWERING);
    const behind = bond ? childOf(network, child, bond) : null;
    if (!bond || !behind) continue;
    const { ip, claimant, rival, key, names: _, ...rest } = contestOf(network, claim, claimants);
    const [mac, own] = slave === claimants.a ? [claimant, rival] : [rival, claimant];
    const { segment } = rest;
    const name = printable(bond.name);
    return {
      ...rest,
      key: `bond ${key}`,
      confidence: 'certain',
      title: `${label(bond)} answers for ${ip} with the MAC of a slave: what is sent there does not reach ${label(behind)}`,
      summary:
        `${label(behind)} has ${ip} and the MAC ${own}, with which it asks. Answers for ${ip} name ${mac} instead, a slave of ${label(bond)}, which is a bond in mode balance-alb: ` +
        'it spreads what comes in over its slaves by answering each peer with the MAC of another. Frames to that MAC are for the bond itself, not for its child.',
      subject: { ip, mac, sha: own },
      cause: `${label(bond)} rewrites the ARP of its macvlan children too: Linux did so until 2023 (rlb_arp_xmit in drivers/net/bonding/bond_alb.c).`,
      remedy: [
        {
          text: 'A mode that leaves ARP alone (active-backup, or 802.3ad with LACP at the switch). The bond has to be down and without slaves for it',
          commands: [inNamespace(bond, `ip link set ${name} type bond mode active-backup`)],
        },
        { text: 'Or a newer kernel', commands: ['uname -r'] },
      ],
      wouldRaise: [],
      context: [`${label(bond)}: bond, mode ${printable(bond.mode ?? '')}`, `${label(behind)}: ${own}`],
      explains: [
        { rule: 'arp/duplicate-address', key },
        { rule: 'arp/spoof', key },
        ...unansweredPingsTo(network, segment, claims.address(claim)),
        ...stuckConnectionsAt(network, segment, hi, lo),
      ],
    };
  }
  return null;
}

/** The device that has a claimant's MAC, if it is a child of the bond. */
function childOf({ bindings, context }: Network, row: number, bond: Device): Device | null {
  const devices = context?.devicesByMac(bindings.hi(row), bindings.lo(row)) ?? [];
  return devices.find(({ parent }) => parent === bond) ?? null;
}
