/** What usually stands between a given size and 1500 bytes (catalogue G2). */
const CULPRITS: readonly [mtu: number, words: string][] = [
  [1492, 'PPPoE (1492)'],
  [1480, 'IPIP (1480)'],
  [1476, 'GRE (1476)'],
  [1460, 'a cloud network (1460)'],
  [1450, 'VXLAN (1450)'],
  [1420, 'WireGuard (1420)'],
  [1400, 'an overlay in a cloud (1400)'],
];

/** Usual limits between a size that passes and one that fails, largest first. */
export function culprits(passes: number, fails: number): { mtu: number; words: string }[] {
  return CULPRITS.filter(([mtu]) => mtu >= passes && mtu < fails).map(([mtu, words]) => ({ mtu, words }));
}
