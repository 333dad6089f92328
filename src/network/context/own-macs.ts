import { macKey } from './address.js';
import type { Device } from './device.js';
import type { HostContext } from './host-context.js';

/** Calico gives it to its end of every cable, on every host. */
const CALICO = macKey(0xeeee, 0xeeeeeeee);

/**
 * Hardware addresses by which a host is known, as `macKey`s. Not those that other hosts have as well: Docker and CNI plugins make them of
 * the IP address (02:42:ac:11:00:02, 0a:58:0a:f4:00:05), which is the same on each of them; virtual routers share theirs.
 */
export function ownMacs({ devices }: HostContext): Set<number> {
  const macs = new Set<number>();
  for (const device of devices) {
    const { mac, loopback } = device;
    if (!mac || loopback || (mac.hi | mac.lo) === 0 || isShared(device)) continue;
    macs.add(macKey(mac.hi, mac.lo));
  }
  return macs;
}

function isShared({ mac, addresses }: Device): boolean {
  if (!mac || macKey(mac.hi, mac.lo) === CALICO) return true;
  // RFC 9568 section 7.3: 00-00-5E-00-01 and 00-00-5E-00-02 before the number of the router.
  if (mac.hi === 0 && mac.lo >>> 24 === 0x5e) return true;
  return addresses.some(({ family, words }) => family === 4 && words[0] === (mac.lo | 0));
}
