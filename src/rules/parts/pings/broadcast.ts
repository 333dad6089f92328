import type { Network } from '../../../network/network.js';
import type { Ping } from './ping.js';

/** Whether the host context has a device on whose link the target is the broadcast address, which hosts do not answer. */
export function isBroadcast({ context, pings, addresses }: Network, { row, isIpv4 }: Ping): boolean {
  if (!context || !isIpv4 || pings.hi(row) >= 0) return false;
  const target = addresses.words(pings.destination(row))[0];
  for (const { addresses: own } of context.devicesByIp(addresses.words(pings.source(row))))
    for (const { words, prefixLength } of own) {
      if (words.length !== 1 || prefixLength >= 31) continue;
      const hosts = 0xffffffff >>> prefixLength;
      if (((words[0] | hosts) ^ target) === 0) return true;
    }
  return false;
}

/** Whether the target, by no ARP known for a host, is the last address of a /24, and the capture does not tell its MAC. */
export function mayBeBroadcast({ claims, pings, addresses }: Network, { row, segment, isIpv4 }: Ping): boolean {
  if (!isIpv4 || pings.hi(row) >= 0) return false;
  const target = pings.destination(row);
  return (addresses.words(target)[0] & 0xff) === 0xff && claims.holder(segment, target) < 0;
}
