import { macKey } from './address.js';
import { type Device, isStacked } from './device.js';

export type Locality = 'local' | 'foreign' | 'unknown';

/** How devices hang together, as a `HostContext` tells it. */
interface Relations {
  devicesByMac(hi: number, lo: number): readonly Device[];
  childrenOf(parent: Device): readonly Device[];
  portsOf(master: Device): readonly Device[];
}

/** Which devices send out through a device, and which are behind the other end of its link. */
export class Sides {
  private readonly local = new Set<Device>();
  private readonly foreign = new Set<Device>();

  constructor(
    private readonly context: Relations,
    private readonly vantage: Device,
  ) {
    this.addSenders(vantage, this.local);
    this.addFar(vantage);
  }

  /**
   * An address that sits on both sides, or also on a device that is on neither, is `unknown`; so is one that
   * the context does not know.
   */
  locate(hi: number, lo: number): Locality {
    const carriers = this.context.devicesByMac(hi, lo);
    const local = this.vantage.filter.has(macKey(hi, lo)) || carriers.some((device) => this.local.has(device));
    const foreign = carriers.some((device) => this.foreign.has(device));
    if (local === foreign) return 'unknown';
    if (foreign) return carriers.every((device) => this.foreign.has(device)) ? 'foreign' : 'unknown';
    return carriers.every((device) => this.isNear(device)) ? 'local' : 'unknown';
  }

  /** Devices below and beside the vantage in its own namespace share its address without contradiction. */
  private isNear(device: Device): boolean {
    return this.local.has(device) || device.namespace === this.vantage.namespace || device === this.vantage.parent;
  }

  /** Adds the devices whose frames leave through `exit`: itself, its children, and all that its bridge joins to it. */
  private addSenders(exit: Device, side: Set<Device>): void {
    const pending = [exit];
    for (let device = pending.pop(); device; device = pending.pop()) {
      if (side.has(device)) continue;
      side.add(device);
      pending.push(...this.context.childrenOf(device));
      const { master } = device;
      if (!master || device.masterKind === 'vrf' || side.has(master)) continue;
      side.add(master);
      pending.push(...this.context.childrenOf(master));
      if (device.masterKind !== 'bridge') continue;
      for (const port of this.context.portsOf(master)) {
        if (port === device) continue;
        side.add(port);
        if (port.peer) pending.push(port.peer);
      }
    }
  }

  /** Adds what can come in through `device`: from its cable, and, in a macvlan or ipvlan, from beside it. */
  private addFar(device: Device): void {
    this.addCable(device);
    const { parent } = device;
    if (!parent || !isStacked(device)) return;
    // A passthru child has its parent's address and is alone on it.
    if (device.mode !== 'passthru') this.foreign.add(parent);
    for (const sibling of this.context.childrenOf(parent)) {
      if (sibling !== device) this.addSenders(sibling, this.foreign);
    }
    this.addCable(parent);
  }

  private addCable(device: Device): void {
    if (device.peer) this.addSenders(device.peer, this.foreign);
    if (device.kind !== 'bridge') return;
    for (const port of this.context.portsOf(device)) {
      if (port.peer) this.addSenders(port.peer, this.foreign);
    }
  }
}
