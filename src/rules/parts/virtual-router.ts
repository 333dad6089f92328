/** MACs that several routers share by design: VRRP and CARP, HSRP (of IPv6 too), GLBP (catalogue 2), and those that Cumulus Linux reserves for it. */
export function isVirtualRouter(hi: number, lo: number): boolean {
  const upper = lo >>> 16;
  if (hi === 0x0000 && (upper === 0x5e00 || upper === 0x0c07 || upper === 0x0c9f)) return true;
  if (hi === 0x4438 && upper === 0x39ff) return true;
  return (hi === 0x0007 && upper === 0xb400) || (hi === 0x0005 && upper === 0x73a0);
}
