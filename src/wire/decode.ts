import { type Frame, MAX_LAYERS, Status } from './frame.js';
import { protocolOfLinkType } from './link-types.js';
import { Protocol } from './protocol.js';
import { DECODERS } from './protocols.js';

/** Ports that carry VXLAN without being told: IANA's (RFC 7348 §5) and the Linux module's default. */
const KNOWN_VXLAN_PORTS: readonly number[] = [4789, 8472];

/** UDP port → protocol, for `Frame.udpPorts`. `vxlan` adds ports to the known ones. */
export function udpPortTable(vxlan: readonly number[] = []): Uint8Array {
  const ports = new Uint8Array(65536);
  ports[67] = Protocol.Dhcp;
  ports[68] = Protocol.Dhcp;
  ports[546] = Protocol.Dhcpv6;
  ports[547] = Protocol.Dhcpv6;
  ports[6081] = Protocol.Geneve;
  for (const port of [...KNOWN_VXLAN_PORTS, ...vxlan]) ports[port] = Protocol.Vxlan;
  return ports;
}

/**
 * Fills the layer columns of a frame whose bytes, lengths and link type are set. Never throws: what
 * cannot be read is recorded with its status and ends the frame.
 */
export function decode(frame: Frame): void {
  frame.layerCount = 0;
  frame.quotedFrom = MAX_LAYERS;
  frame.tunnels = 0;
  frame.cursor = frame.start;
  frame.limit = frame.end;
  frame.wireLimit = Math.max(frame.end, frame.start + frame.wireLength);
  let next: Protocol = protocolOfLinkType(frame.linkType);
  while (next !== Protocol.None) {
    if (frame.layerCount === MAX_LAYERS) {
      frame.statuses[MAX_LAYERS - 1] = Status.TooDeep;
      return;
    }
    next = DECODERS[next](frame);
  }
}
