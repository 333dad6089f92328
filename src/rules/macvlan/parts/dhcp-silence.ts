import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { CHADDR, DhcpMessage, dhcpMessageType } from '../../../wire/dhcp.js';
import type { Frame } from '../../../wire/frame.js';
import { headerOf } from '../../parts/evidence.js';
import type { EvidenceRef } from '../../rule.js';

const MAX_CLIENTS = 1000;
const MAX_FRAMES = 64;

/** A child in VEPA mode whose DHCP discovers nobody offers anything to. */
export interface SilentClient {
  readonly child: Device;
  /** A sibling that has an address, and so may be the server it cannot reach. */
  readonly sibling: Device;
  readonly capture: number;
  count: number;
  first: number;
  last: number;
  frames: EvidenceRef[];
  offered: boolean;
}

/** Follows the DHCP discovers of macvlan children in VEPA mode behind a port that does not reflect. */
export class DhcpSilence {
  readonly clients = new Map<string, SilentClient>();

  constructor(private readonly network: Network) {}

  observe(frame: Frame, layer: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const type = dhcpMessageType(view, at, frame.limits[layer]);
    const hi = view.getUint16(at + CHADDR);
    const lo = view.getInt32(at + CHADDR + 2);
    const key = `${frame.capture} ${frame.interface} ${frame.deviceIndex} ${hi} ${lo}`;
    if (type === DhcpMessage.Discover) this.discover(key, frame, layer, hi, lo);
    else if (type === DhcpMessage.Offer || type === DhcpMessage.Ack) {
      const client = this.clients.get(key);
      if (client) client.offered = true;
    }
  }

  private discover(key: string, frame: Frame, layer: number, hi: number, lo: number): void {
    let client = this.clients.get(key);
    if (!client) {
      const made = this.clients.size < MAX_CLIENTS ? this.client(frame, hi, lo) : null;
      if (!made) return;
      client = made;
      this.clients.set(key, client);
    }
    client.count++;
    client.last = frame.time;
    if (client.frames.length < MAX_FRAMES)
      client.frames.push(headerOf(frame, layer, 'dhcp', 'DHCP discover, no offer follows'));
  }

  private client(frame: Frame, hi: number, lo: number): SilentClient | null {
    const { context } = this.network;
    const child = context?.devicesByMac(hi, lo).find(isVepa);
    if (!child?.parent || context?.reflectiveRelay(child.parent) !== 'off') return null;
    const sibling = context
      .childrenOf(child.parent)
      .find((other) => other !== child && isVepa(other) && other.addresses.some(({ family }) => family === 4));
    if (!sibling) return null;
    const { capture, time } = frame;
    return { child, sibling, capture, count: 0, first: time, last: time, frames: [], offered: false };
  }
}

function isVepa({ kind, mode }: Device): boolean {
  return (kind === 'macvlan' || kind === 'macvtap') && mode === 'vepa';
}
