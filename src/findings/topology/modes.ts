import { type Device, isStacked } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { Trait } from '../../network/link/stations.js';
import { printable } from '../../wire/printable.js';
import type { Host } from './inventory.js';
import type { Mode } from './station-view.js';

/** A MAC in front of packets from so many networks that it never claimed an address of is a router's (catalogue 3.5). */
const ROUTED_NETWORKS = 3;
/** So many addresses claimed by one MAC are more than a plain host's (catalogue 4.3 i). */
const MANY_ADDRESSES = 3;
/** Bit of the first byte: locally administered (IEEE 802 section 8.2.2). */
const LOCALLY_ADMINISTERED = 0x02;

/** How the host context says that a station is attached. */
export function contextMode({ found }: Host, context: HostContext | null): Mode | null {
  if (!found || !context) return null;
  const children = context.childrenOf(found).filter(isStacked);
  const because = `ip -d link: ${printable(`${found.name} in ${found.namespace}`)}`;
  if (isStacked(found) || found.kind !== null) return { mode: modeOf(found), confidence: 'certain', because };
  if (children.length > 0)
    return { mode: `parent of ${[...new Set(children.map(modeOf))].join(', ')}`, confidence: 'certain', because };
  return { mode: 'plain', confidence: 'certain', because };
}

/** `macvlan vepa`, `ipvlan l2 bridge`, `veth`, `bridge port`, … */
function modeOf({ kind, mode, flag }: Device): string {
  return printable([kind, mode, flag].filter((word) => word !== null).join(' '));
}

/**
 * What the frames alone suggest, by the fingerprints of catalogue 4.3. VEPA without a relay and private mode cannot
 * be told apart from outside, and both look like a plain host until a sibling is asked for: nothing is said then.
 */
export function observedMode(host: Host): Mode[] {
  const { traits, mac, claimed, carriedNetworks } = host;
  const modes: Mode[] = [];
  const isVirtual = (Number.parseInt(mac.slice(0, 2), 16) & LOCALLY_ADMINISTERED) !== 0;
  const has = (trait: number) => (traits & trait) !== 0;
  if (has(Trait.ToItself))
    modes.push(
      has(Trait.Reflected)
        ? {
            mode: 'ipvlan l2 vepa',
            confidence: 'likely',
            because: 'frames from its MAC to its own MAC go out and come in again: the switch reflects',
          }
        : {
            mode: 'ipvlan',
            confidence: 'hint',
            because: 'frames from its MAC to its own MAC; a bridge that turns translated packets back looks alike',
          },
    );
  else if (has(Trait.Reflected))
    modes.push({
      mode: isVirtual ? 'macvlan vepa' : 'macvlan or ipvlan vepa',
      confidence: isVirtual ? 'likely' : 'hint',
      because: 'its unicast frames go out and come in again: the switch reflects',
    });
  else if (has(Trait.Inside))
    modes.push({
      mode: 'macvlan bridge',
      confidence: isVirtual ? 'likely' : 'hint',
      because: 'it sends through this port, yet its unicast to siblings is seen coming in only',
    });
  if (carriedNetworks >= ROUTED_NETWORKS)
    modes.push({
      mode: 'router',
      confidence: 'likely',
      because: `packets from ${carriedNetworks} networks carry its MAC and it claims none of their addresses`,
    });
  if (has(Trait.Tunnels))
    modes.push({ mode: 'vtep', confidence: 'certain', because: 'it sends Ethernet frames in VXLAN or Geneve' });
  if (claimed >= MANY_ADDRESSES && !has(Trait.ToItself))
    modes.push({
      mode: 'ipvlan, macvlan passthru or several addresses',
      confidence: 'hint',
      because: `one MAC claims ${claimed} addresses`,
    });
  return modes;
}
