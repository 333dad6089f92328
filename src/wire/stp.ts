import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Spanning tree BPDU, IEEE 802.1D-2004 clause 9.3; times in 1/256 s:
 *
 *   +-------------------------------+---------------+---------------+
 *   |   Protocol Identifier (0)     |    Version    |   BPDU Type   |   all there is of a topology change (0x80)
 *   +---------------+---------------+---------------+---------------+
 *   |     Flags     |    Root Identifier (8): priority, MAC         |
 *   +---------------+-----------------------------------------------+
 *   |    Root Path Cost (4)                                         |
 *   +---------------------------------------------------------------+
 *   |    Bridge Identifier (8): priority, MAC                       |
 *   +-------------------------------+-------------------------------+
 *   |        Port Identifier        |          Message Age          |
 *   +-------------------------------+-------------------------------+
 *   |            Max Age            |          Hello Time           |
 *   +-------------------------------+-------------------------------+
 *   |         Forward Delay         |
 *   +-------------------------------+
 */

/** BPDU types. */
export const BpduType = { Configuration: 0x00, Rapid: 0x02, TopologyChange: 0x80 } as const;

const PROTOCOL_IDENTIFIER = 0;
const VERSION = 2;
const TYPE = 3;
const FLAGS = 4;
/** Offsets of root and bridge identifier: a priority of 2 bytes, then a MAC. */
export const ROOT = 5;
export const BRIDGE = 17;
const ROOT_PATH_COST = 13;
const PORT = 25;
const FORWARD_DELAY = 33;
/** Role of a designated port, and the states, in the flags of rapid spanning tree (clause 9.3.3). */
const ROLE = 0x0c;
const ROLE_DESIGNATED = 0x0c;
const FORWARDING = 0x20;
const TOPOLOGY_CHANGED = 0x01;
const HEADER = 4;
const CONFIGURATION_LENGTH = 35;

/** 0 STP, 2 RSTP, 3 MSTP. */
export function stpVersion(view: DataView, at: number): number {
  return view.getUint8(at + VERSION);
}

/** `BpduType`. */
export function stpType(view: DataView, at: number): number {
  return view.getUint8(at + TYPE);
}

/** Flags; bit 0 is topology change. Like the accessors below only for BPDUs that are no topology change. */
export function stpFlags(view: DataView, at: number): number {
  return view.getUint8(at + FLAGS);
}

export function stpRootPathCost(view: DataView, at: number): number {
  return view.getUint32(at + ROOT_PATH_COST);
}

export function stpPort(view: DataView, at: number): number {
  return view.getUint16(at + PORT);
}

/** How long a port listens, and then learns, before it forwards; in seconds. */
export function stpForwardDelay(view: DataView, at: number): number {
  return view.getUint16(at + FORWARD_DELAY) / 256;
}

/** Whether the bridge says that the topology changed: so it does for `max age + forward delay` after a port of it began to forward. */
export function hasTopologyChanged(view: DataView, at: number): boolean {
  return (stpFlags(view, at) & TOPOLOGY_CHANGED) !== 0;
}

/** Whether the port that sent a BPDU leads to the link and forwards; null if the BPDU does not say (STP), or it has another role. */
export function isForwarding(view: DataView, at: number): boolean | null {
  const flags = stpFlags(view, at);
  if (stpType(view, at) !== BpduType.Rapid || (flags & ROLE) !== ROLE_DESIGNATED) return null;
  return (flags & FORWARDING) !== 0;
}

/** Who shares the address of spanning tree (GARP has protocol identifier 1), and types that bridges discard (clause 9.3.4), are data. */
export function decodeStp(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < HEADER) return frame.short(Protocol.Stp);
  if (frame.view.getUint16(at + PROTOCOL_IDENTIFIER) !== 0) return Protocol.Data;
  const type = stpType(frame.view, at);
  const isChange = type === BpduType.TopologyChange;
  if (!isChange && type !== BpduType.Configuration && type !== BpduType.Rapid) return Protocol.Data;
  if (!isChange && frame.limit - at < CONFIGURATION_LENGTH) return frame.short(Protocol.Stp);
  frame.push(Protocol.Stp, isChange ? at + HEADER : frame.limit);
  return Protocol.None;
}
