import type { Network } from '../../network/network.js';

/** Tunnels that carry a segment, as symptoms of what drops packets behind them: that nothing comes back through them is no fault of theirs. */
export function silentTunnels({ tunnels, segments }: Network, segment: number) {
  const found: { rule: 'vxlan/one-way'; key: string }[] = [];
  if (segments.tunnelOf(segment) < 0) return found;
  for (let row = 0; row < tunnels.count; row++)
    if (tunnels.inner(row) === segment) found.push({ rule: 'vxlan/one-way', key: String(row) });
  return found;
}
