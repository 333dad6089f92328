import { Trait } from '../../../network/link/stations.js';
import type { Network } from '../../../network/network.js';

/**
 * Whether who refuses Geneve sends Geneve itself: it has a tunnel end, then. A switch in user space (Open vSwitch with `datapath_type=netdev`)
 * reads a device whose packets the kernel gets as well, and the kernel, which knows nothing of the tunnel, calls the port closed. Only of a
 * station with this one address: a router's sends what others tunnel.
 */
export function sendsGeneve({ icmpErrors, bindings, stations, addresses }: Network, row: number): boolean {
  const segment = icmpErrors.segment(row);
  const refuser = icmpErrors.destination(row);
  return bindings.of(segment, refuser).some((binding) => {
    const [hi, lo] = [bindings.hi(binding), bindings.lo(binding)];
    const station = stations.find(segment, hi, lo);
    if (station < 0 || (stations.traits(station) & Trait.Tunnels) === 0) return false;
    const all = bindings.ofStation(segment, hi, lo).map((each) => bindings.address(each));
    return all.every((address) => address === refuser || addresses.isIpv4(address) !== addresses.isIpv4(refuser));
  });
}
