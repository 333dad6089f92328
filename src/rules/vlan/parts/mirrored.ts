import type { Network } from '../../../network/network.js';

/** Pairs of segments that are looked at: each takes a walk through all stations. */
const MAX_PAIRS = 64;

/**
 * Tells two VLANs of one port that do not hear each other from one that is shown with the tag at some ports and without it at others, as a mirror of
 * several ports shows it.
 */
export class Mirrored {
  private readonly pairs = new Map<string, boolean>();

  constructor(private readonly network: Network) {}

  /** Whether two segments are one VLAN, as was found when first asked. */
  joins(one: number, other: number): boolean {
    const key = one < other ? `${one} ${other}` : `${other} ${one}`;
    const known = this.pairs.get(key);
    if (known !== undefined || this.pairs.size === MAX_PAIRS) return known ?? false;
    const joined = areOne(this.network, one, other);
    this.pairs.set(key, joined);
    return joined;
  }

  /** At the end more is known than while frames came. */
  forget(): void {
    this.pairs.clear();
  }
}

/**
 * Whether frames in one of two VLANs go to a machine that sends in the other alone: they are one, shown with the tag at some ports and without it
 * at others, as a mirror of several ports shows them. Who sits in the wrong VLAN learns no MAC of the right one.
 */
function areOne({ stations }: Network, one: number, other: number): boolean {
  for (let row = 0; row < stations.count; row++) {
    const segment = stations.segment(row);
    if ((segment !== one && segment !== other) || stations.sent(row) > 0 || !stations.wasWrittenTo(row)) continue;
    const twin = stations.find(segment === one ? other : one, stations.hi(row), stations.lo(row));
    if (twin >= 0 && stations.sent(twin) > 0) return true;
  }
  return false;
}
