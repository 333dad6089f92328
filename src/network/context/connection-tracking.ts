import type { Namespace } from './device.js';

/** How many connections a namespace keeps track of: it changes all the time. */
export const COUNT = 'net.netfilter.nf_conntrack_count';
const MAX = 'net.netfilter.nf_conntrack_max';

/** How many connections the kernel keeps track of in a namespace, and how many it may at most. */
export interface Tracking {
  readonly count: number;
  readonly max: number;
}

/** Entries end all the time, and the host is asked after the packets were lost. */
const FULL = 0.98;

/**
 * The connection tracking of a namespace that has no room, so that the first packet of each new connection is dropped without
 * a word; null where it has room, or is not known. The count is that of the namespace, the maximum that of the machine
 * (kernel: __nf_conntrack_alloc in net/netfilter/nf_conntrack_core.c); a maximum of 0 is none.
 */
export function fullTracking({ sysctl }: Namespace): Tracking | null {
  const [count, max] = [COUNT, MAX].map((name) => Number(sysctl.get(name)));
  return max > 0 && count >= max * FULL ? { count, max } : null;
}
