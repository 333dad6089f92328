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
/** Devices that are named as a reason, at most. */
const MAX_NAMES = 3;
/** Bit of the first byte: locally administered (IEEE 802 section 8.2.2). */
const LOCALLY_ADMINISTERED = 0x02;

const BY_DEVICE_ID = 'a link-local address of it is made of its MAC and a device number, as the kernel does for ipvlan';

/** How the host context says that a station is attached. */
export function contextMode({ found, sharers }: Host, context: HostContext | null): Mode | null {
  if (!context) return null;
  if (!found) return sharedMode(sharers);
  const children = context.childrenOf(found).filter(isStacked);
  const because = `ip -d link: ${printable(`${found.name} in ${found.namespace}`)}`;
  const own = found.kind === null ? [] : [modeOf(found)];
  const below =
    isStacked(found) || children.length === 0 ? [] : [`parent of ${[...new Set(children.map(modeOf))].join(', ')}`];
  return { mode: [...own, ...below].join(', ') || 'plain', confidence: 'certain', because };
}

/** Children that share the MAC of their parent have one mode: which of them sent, or the parent itself, does not matter for it. */
function sharedMode(sharers: readonly Device[]): Mode | null {
  const modes = new Set(sharers.map(modeOf));
  if (modes.size !== 1) return null;
  const names = sharers.slice(0, MAX_NAMES).map(({ name, namespace }) => printable(`${name} in ${namespace}`));
  const because = `ip -d link: ${names.join(', ')}${sharers.length > MAX_NAMES ? ', …' : ''}`;
  return { mode: [...modes][0], confidence: 'certain', because };
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
  const { traits, mac, claimed, carriedNetworks, hasDeviceId } = host;
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
            confidence: hasDeviceId ? 'likely' : 'hint',
            because: hasDeviceId
              ? BY_DEVICE_ID
              : 'frames from its MAC to its own MAC; a bridge that turns translated packets back looks alike',
          },
    );
  else if (hasDeviceId)
    // Cooked headers do not tell whom a frame is for: of macvlan it would look the same.
    modes.push({
      mode: has(Trait.Reflected) ? 'ipvlan l2 vepa' : 'ipvlan',
      confidence: 'likely',
      because: BY_DEVICE_ID,
    });
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
  if (claimed >= MANY_ADDRESSES && !has(Trait.ToItself) && !hasDeviceId)
    modes.push({
      mode: 'ipvlan, macvlan passthru or several addresses',
      confidence: 'hint',
      because: `one MAC claims ${claimed} addresses`,
    });
  return modes;
}
