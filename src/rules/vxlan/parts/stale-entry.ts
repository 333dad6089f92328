import { macKey } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { inNamespace, label } from '../../parts/question.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import { vanishing } from '../../parts/vanished/vanished.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { endsOf } from './flood-list-gap.js';
import { vxlanLine } from './tunnel.js';

/** Flows that are remembered: no more findings of a rule are kept. */
const MAX_FLOWS = 1024;

/** An entry that leads to `wrong`, of the VXLAN device `near`, for a MAC that is behind `far` at `to`. */
interface Stale {
  readonly near: Device;
  readonly far: Device;
  readonly to: string;
  readonly wrong: string;
}

/**
 * Pings and SYNs in vain to a MAC whose entry leads to another endpoint than the one behind which the host context shows it: no frame of the
 * tunnel is needed, as in a capture at the host, or at the one of two uplinks that they do not take.
 */
export function staleEntry(rule: RuleContext): Handlers {
  const flows = new Map<string, Stale>();
  return vanishing(
    rule,
    (vanished) => {
      const stale = entryFor(rule.network, vanished);
      const key = keyOf(vanished);
      if (!stale || (flows.size === MAX_FLOWS && !flows.has(key))) return null;
      flows.set(key, stale);
      return key;
    },
    (members) => finding(members, flows.get(keyOf(members[0])) as Stale),
  );
}

function keyOf({ segment, from, to }: Vanished): string {
  return `entry ${segment} ${from} ${to}`;
}

function entryFor(network: Network, { segment, source, destination, hi, lo }: Vanished): Stale | null {
  const { context, addresses, segments } = network;
  // What the tunnel carries shows where it goes.
  if (!context || hi < 0 || segments.tunnelOf(segment) >= 0) return null;
  const [askers, targets] = [source, destination].map((address) => context.devicesByIp(addresses.words(address)));
  const [asker, target] = [askers[0], targets[0]];
  if (askers.length !== 1 || targets.length !== 1 || target.mac?.hi !== hi || target.mac.lo !== lo) return null;
  if (context.devicesByMac(hi, lo).length !== 1) return null;
  const ends = endsOf(network, asker, target);
  const key = macKey(hi, lo);
  const entries = ends?.near.endpoints?.filter(({ mac }) => mac === key) ?? [];
  if (!ends || entries.length === 0 || entries.some(({ dst }) => dst.text === ends.to)) return null;
  return { ...ends, wrong: entries[0].dst.text };
}

function finding(members: readonly Vanished[], { near, far, to: right, wrong }: Stale): Diagnosis {
  const [first] = members;
  const { from, to } = first;
  const all = together(members);
  const name = printable(near.name);
  const mac = formatMac(first.hi, first.lo);
  return {
    key: keyOf(first),
    ...all,
    // The table may have been another one while the packets passed.
    confidence: 'likely',
    silence: true,
    title: `Frames for ${mac} go to ${wrong}, but the station is behind ${right}`,
    summary:
      `${from} sends ${all.count} packets to ${to} (${mac}), and nothing comes back. The forwarding table of ${label(near)} leads this MAC to ${wrong}; ` +
      `the host context shows the station behind ${label(far)} at ${right}.`,
    subject: { mac, ip: to, endpoint: wrong, rightEndpoint: right, ...(near.vxlan ? { vni: near.vxlan.id } : {}) },
    cause: `The entry of ${label(near)} is an old one: the station moved, and the entry is static, or the program that writes the table missed it.`,
    remedy: [
      { text: 'Look at the entry', commands: [inNamespace(near, `bridge fdb show dev ${name} | grep ${mac}`)] },
      { text: 'Set it right', commands: [inNamespace(near, `bridge fdb replace ${mac} dev ${name} dst ${right}`)] },
    ],
    caveats: ['the table is that of when the host context was taken'],
    context: [vxlanLine(near), vxlanLine(far)],
  };
}
