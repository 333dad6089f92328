import { ipKey, macKey } from './address.js';
import { type Device, isPair, type Namespace } from './device.js';
import { type Locality, Sides } from './sides.js';

const NONE: readonly Device[] = [];
const NO_KEYS: readonly number[] = [];

/** The devices, addresses and settings of a host in all its namespaces, at the moment the context was taken. */
export class HostContext {
  /** Every device, namespace by namespace in the order of the file. */
  readonly devices: readonly Device[];
  private readonly macs = new Map<number, Device[]>();
  private readonly ips = new Map<number | string, Device[]>();
  private readonly children = new Map<Device, Device[]>();
  private readonly ports = new Map<Device, Device[]>();
  private readonly sides = new Map<Device, Sides>();
  /** Made when first asked for. */
  private lladdrs: Map<number | string, number[]> | null = null;
  private taps: Map<number, Device[]> | null = null;

  constructor(readonly namespaces: ReadonlyMap<string, Namespace>) {
    this.devices = [...namespaces.values()].flatMap((namespace) => [...namespace.devices.values()]);
    for (const device of this.devices) {
      if (device.mac && !device.loopback) append(this.macs, macKey(device.mac.hi, device.mac.lo), device);
      for (const address of device.addresses) append(this.ips, ipKey(address.words), device);
      if (device.parent) append(this.children, device.parent, device);
      if (device.master) append(this.ports, device.master, device);
    }
  }

  device(namespace: string, name: string): Device | null {
    return this.namespaces.get(namespace)?.devices.get(name) ?? null;
  }

  /** Devices with this hardware address; loopbacks are left out. `lo` signed or not. */
  devicesByMac(hi: number, lo: number): readonly Device[] {
    return this.macs.get(macKey(hi, lo)) ?? NONE;
  }

  /** Devices that hold this address: one signed int32 word for IPv4, four for IPv6. */
  devicesByIp(words: ArrayLike<number>): readonly Device[] {
    return this.ips.get(ipKey(words)) ?? NONE;
  }

  /** MACs (`macKey`) that the neighbour tables of all namespaces have for an address, words as for `devicesByIp`. */
  lladdrsOf(words: ArrayLike<number>): readonly number[] {
    if (!this.lladdrs) {
      this.lladdrs = new Map();
      for (const { neighbours } of this.namespaces.values())
        for (const { dst, lladdr } of neighbours)
          if (lladdr) append(this.lladdrs, ipKey(dst.words), macKey(lladdr.hi, lladdr.lo));
    }
    return this.lladdrs.get(ipKey(words)) ?? NO_KEYS;
  }

  /**
   * The tap behind which a guest sits whose network the file does not show, by the MAC (`macKey`) that its bridge learned there.
   * Null where no tap learned it, or several did.
   */
  guestPort(key: number): Device | null {
    if (!this.taps) {
      this.taps = new Map();
      for (const device of this.devices)
        if (device.kind === 'tun' && device.masterKind === 'bridge')
          for (const learned of device.learned) append(this.taps, learned, device);
    }
    const taps = this.taps.get(key) ?? NONE;
    return taps.length === 1 ? taps[0] : null;
  }

  /** Devices whose parent this certainly is. */
  childrenOf(parent: Device): readonly Device[] {
    return this.children.get(parent) ?? NONE;
  }

  /** Devices enslaved to a bridge, bond or VRF. */
  portsOf(master: Device): readonly Device[] {
    return this.ports.get(master) ?? NONE;
  }

  /** The parent of a child, or every device that can be it; empty where the file shows none. */
  parents(child: Device): readonly Device[] {
    if (child.parent) return [child.parent];
    return leans(child) ? (child.link?.candidates ?? NONE) : NONE;
  }

  /** Whether two children lean on one device. */
  sharesParent(a: Device, b: Device): 'yes' | 'maybe' | 'no' {
    if (!leans(a) || !leans(b)) return 'no';
    if (a.parent && b.parent) return a.parent === b.parent ? 'yes' : 'no';
    if (a.namespace === b.namespace && a.link && b.link) {
      const apart = a.link.name !== b.link.name || a.link.index !== b.link.index || a.link.netnsid !== b.link.netnsid;
      if (apart) return 'no';
      return a.link.name !== null || a.link.netnsid !== null ? 'yes' : 'maybe';
    }
    if (a.parent) return canLeanOn(b, a.parent);
    return b.parent ? canLeanOn(a, b.parent) : 'maybe';
  }

  /** `macvlan1 in ns01`. Raw text: escape it before printing. */
  label(device: Device): string {
    return `${device.name} in ${device.namespace}`;
  }

  sysctl(namespace: string, key: string): string | null {
    return this.namespaces.get(namespace)?.sysctl.get(key) ?? null;
  }

  /**
   * Where the sender of a source address sits, seen from the device at which frames are captured: `local` sends
   * out through it, `foreign` is behind the other end of its link. A local source does not prove that a frame
   * went out: it may have been reflected, and a macvlan parent sees unicast between children in bridge mode as
   * received (kernel: `macvlan_queue_xmit` in drivers/net/macvlan.c hands it to the lower device first).
   */
  localMac(vantage: Device, hi: number, lo: number): Locality {
    let sides = this.sides.get(vantage);
    if (!sides) {
      sides = new Sides(this, vantage);
      this.sides.set(vantage, sides);
    }
    return sides.locate(hi, lo);
  }

  /** The bridge port at the other end of the cable of `parent`, null where the file does not show it. */
  switchPort(parent: Device): Device | null {
    let device = parent;
    for (let depth = 0; device.kind === 'vlan' && device.parent && depth < 8; depth++) device = device.parent;
    return device.peer?.masterKind === 'bridge' ? device.peer : null;
  }

  /**
   * Whether the switch sends frames of `parent` back to it. An isolated port never does, hairpin or not: a frame
   * from an isolated port may leave by no isolated one (kernel: `br_skb_isolated` in net/bridge/br_private.h).
   */
  reflectiveRelay(parent: Device): 'on' | 'off' | 'unknown' {
    const port = this.switchPort(parent);
    if (!port || port.hairpin === null) return 'unknown';
    if (port.state !== null && port.state !== 'forwarding') return 'off';
    return port.hairpin && port.isolated !== true ? 'on' : 'off';
  }
}

function leans(device: Device): boolean {
  return device.link !== null && !isPair(device);
}

function canLeanOn(child: Device, parent: Device): 'maybe' | 'no' {
  const { link } = child;
  if (!link || link.name !== null || link.index !== parent.index) return 'no';
  return child.namespace === parent.namespace ? 'no' : 'maybe';
}

function append<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}
