import { type Frame, MAX_LAYERS, Status } from './frame.js';
import { protocolOfLinkType } from './link-types.js';
import { Protocol } from './protocol.js';
import { DECODERS } from './protocols.js';
import { decodeUsual } from './usual.js';

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
  frame.open();
  const next = decodeUsual(frame, protocolOfLinkType(frame.linkType));
  if (next !== Protocol.None) decodeRest(frame, next);
}

/** Decodes from `frame.cursor` on, by the decoders of protocols; `first` is the protocol that begins there. */
export function decodeRest(frame: Frame, first: Protocol): void {
  let next = first;
  while (next !== Protocol.None) {
    if (frame.layerCount === MAX_LAYERS) {
      frame.mark(MAX_LAYERS - 1, Status.TooDeep);
      break;
    }
    next = DECODERS[next](frame);
  }
  frame.close();
}
