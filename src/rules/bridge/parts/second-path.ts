import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Network } from '../../../network/network.js';

/** Bridges that one search visits at most. */
const MAX_BRIDGES = 256;

/** A loop as the host context shows it: a port of it that can be closed, and the bridges that it joins. */
export interface SecondPath {
  readonly port: Device;
  readonly bridges: readonly Device[];
}

/** A port of the bridge where the capture was taken whose cable leads to a bridge that another way leads to as well. The last one made, if several do. */
export function secondPath({ context, vantage }: Network): SecondPath | null {
  if (!context || !vantage) return null;
  const bridge = vantage.kind === 'bridge' ? vantage : (vantage.master ?? context.switchPort(vantage)?.master);
  if (bridge?.kind !== 'bridge') return null;
  const found = context
    .portsOf(bridge)
    .filter((port) => neighborBy(port) !== null)
    .filter((port) => around(context, bridge, port) !== null)
    .sort((a, b) => a.index - b.index);
  const port = found.at(-1);
  const bridges = port && around(context, bridge, port);
  return port && bridges ? { port, bridges } : null;
}

/** The bridge at the other end of a port's cable, if frames pass both ends. */
function neighborBy(port: Device): Device | null {
  const peer = endOf(port);
  const isOpen = [port, peer].every((end) => end?.up && (end.state === null || end.state === 'forwarding'));
  return isOpen && peer?.masterKind === 'bridge' ? peer.master : null;
}

/** The other end of a cable. In a loop counters run on while they are read, and do not prove it; then the only device that it can be. */
function endOf({ peer, link }: Device): Device | null {
  return peer ?? (link?.candidates.length === 1 ? link.candidates[0] : null);
}

/** Bridges on the way from the other end of a port's cable back to its bridge, and the bridge; null if there is none but the cable. */
function around(context: HostContext, bridge: Device, port: Device): Device[] | null {
  const start = neighborBy(port);
  if (!start) return null;
  const end = endOf(port);
  const before = new Map<Device, Device | null>([[start, null]]);
  for (const each of before.keys()) {
    for (const way of context.portsOf(each)) {
      const next = way === end || way === port ? null : neighborBy(way);
      if (next === bridge) {
        const found = [bridge];
        for (let back: Device | null = each; back; back = before.get(back) ?? null) found.push(back);
        return found;
      }
      if (next && !before.has(next) && before.size < MAX_BRIDGES) before.set(next, each);
    }
  }
  return null;
}
