import type { Network } from '../network.js';

/**
 * Whether a station has a link-local address of IPv6 that the kernel makes of its MAC and a device number, where others have ff:fe: 42:b3:5e:65:0f:0e number 1
 * gives fe80::42b3:5e00:165:f0e. ipvlan children have such numbers, as they share a MAC (kernel: `addrconf_ifid_eui48` in include/net/addrconf.h), and
 * else only cards that several machines share on System z.
 */
export function hasDeviceId({ bindings, addresses }: Network, segment: number, hi: number, lo: number): boolean {
  return bindings.ofStation(segment, hi, lo).some((row) => {
    const address = bindings.address(row);
    return !addresses.isIpv4(address) && isOfDeviceId(addresses.words(address), hi, lo);
  });
}

/** Of an address as four words: fe80::, the first three bytes of the MAC, two of the number (1 to 255 here), and the last three. */
export function isOfDeviceId(
  [first, second, third, fourth]: ArrayLike<number> & Iterable<number>,
  hi: number,
  lo: number,
): boolean {
  if (first >>> 0 !== 0xfe800000 || second !== 0) return false;
  return (
    third >>> 0 === ((hi << 16) | ((lo >>> 24) << 8)) >>> 0 &&
    (fourth & 0xffffff) === (lo & 0xffffff) &&
    fourth >>> 24 > 0
  );
}
