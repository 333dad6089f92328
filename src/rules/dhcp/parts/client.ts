import type { Network } from '../../../network/network.js';
import type { Place } from '../../../network/rows/frame-lists.js';
import { formatMac } from '../../../wire/address.js';
import type { EvidenceRef } from '../../rule.js';

/** A DHCP client in words, and the fields of a diagnosis about it. */
export function clientOf(network: Network, client: number) {
  const { leases, segments } = network;
  const segment = leases.segment(client);
  const mac = formatMac(leases.hi(client), leases.lo(client));
  return {
    key: `${segment} ${mac} ${leases.identifier(client)}`,
    segment,
    capture: segments.captureOf(segment),
    mac,
    first: leases.first(client),
    last: leases.last(client),
    count: leases.discovers(client),
    devices: network.context?.devicesByMac(leases.hi(client), leases.lo(client)) ?? [],
  };
}

/** Places in frames as evidence. */
export function dhcpFrames(capture: number, note: string, places: readonly Place[]): EvidenceRef[] {
  return places.map((place) => ({ capture, layer: 'dhcp', note, ...place }));
}

/** Sorted by number, each frame once. */
export function inOrder(...lists: readonly EvidenceRef[][]): EvidenceRef[] {
  return lists.flat().sort((a, b) => a.frame - b.frame);
}

/** A condition for tcpdump on the client's hardware address in a DHCP message (chaddr, behind 8 bytes of UDP): it holds on any device. */
export function hardwareAddressIs(hi: number, lo: number): string {
  const hex = (hi * 2 ** 32 + (lo >>> 0)).toString(16).padStart(12, '0');
  return `udp[36:4] = 0x${hex.slice(0, 8)} and udp[40:2] = 0x${hex.slice(8)}`;
}
