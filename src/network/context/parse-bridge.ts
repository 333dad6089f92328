import { ipOf, macKey, macOf } from './address.js';
import type { Draft, PortVlan, VxlanEntry } from './device.js';
import { count, flag, type Row, rows, text, texts } from './rows.js';

/** Highest VLAN id (IEEE 802.1Q: 12 bits, 4095 reserved). */
const MAX_VLAN = 4094;

export function readPort(device: Draft, row: Row): void {
  device.hairpin ??= flag(row.hairpin);
  device.isolated ??= flag(row.isolated);
  device.state ??= text(row.state);
  device.multicastFlood ??= flag(row.mcast_flood);
  device.broadcastFlood ??= flag(row.bcast_flood);
  device.neighSuppress ??= flag(row.neigh_suppress);
  device.flood ??= flag(row.flood);
  device.learning ??= flag(row.learning);
  device.locked ??= flag(row.locked);
}

/**
 * Own filter entries (`self`, no remote address) tell which children receive here; entries that a bridge holds
 * for its port and that are not permanent were learned from frames. One that is `locked` waits to be let in (`mab`).
 */
export function readForwarding(devices: ReadonlyMap<string, Draft>, value: unknown): void {
  if (Array.isArray(value)) for (const device of devices.values()) if (device.vxlan) device.endpoints = [];
  for (const row of rows(value)) {
    const device = devices.get(text(row.ifname) ?? '');
    const address = macOf(row.mac);
    const dst = ipOf(row.dst);
    if (device?.vxlan && address && dst)
      (device.endpoints as VxlanEntry[]).push({ mac: macKey(address.hi, address.lo), dst, via: text(row.viaIf) });
    if (!device || !address || row.dst !== undefined || address.hi & 0x0100) continue;
    const permanent = row.state === 'permanent';
    if (permanent && texts(row.flags).includes('self')) {
      (device.filter as Set<number>).add(macKey(address.hi, address.lo));
    } else if (!permanent && text(row.master) && !texts(row.flags).includes('locked')) {
      (device.learned as Set<number>).add(macKey(address.hi, address.lo));
      const vlan = count(row.vlan);
      if (vlan !== null) (device.learnedVlans as Map<number, number>).set(macKey(address.hi, address.lo), vlan);
    }
  }
}

/** VLANs of bridge ports, single or as ranges up to `vlanEnd` (iproute2, bridge/vlan.c). */
export function readPortVlans(devices: ReadonlyMap<string, Draft>, value: unknown): void {
  for (const row of rows(value)) {
    const device = devices.get(text(row.ifname) ?? '');
    if (!device) continue;
    const vlans = new Map<number, PortVlan>();
    for (const each of rows(row.vlans)) {
      const first = count(each.vlan);
      if (first === null) continue;
      const names = texts(each.flags);
      const how = { pvid: names.includes('PVID'), untagged: names.includes('Egress Untagged') };
      const last = Math.min(count(each.vlanEnd) ?? first, MAX_VLAN);
      for (let vlan = first; vlan <= last; vlan++) vlans.set(vlan, how);
    }
    device.portVlans = vlans;
  }
}
