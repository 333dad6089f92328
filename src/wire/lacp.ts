import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Link Aggregation Control Protocol, IEEE 802.1AX-2014 clause 6.4.2.3, subtype 1 of the slow protocols:
 *
 *   +---------------+---------------+---------------+---------------+
 *   |   Subtype 1   |    Version    |  TLV type 1   |   length 20   |
 *   +---------------+---------------+---------------+---------------+
 *   |    System Priority (2) · System (6) · Key (2)                 |   of the actor
 *   |    Port Priority (2) · Port (2) · State (1) · Reserved (3)    |
 *   +---------------+---------------+-------------------------------+
 *   |  TLV type 2   |   length 20   |  the same of the partner      |
 *   +---------------+---------------+-------------------------------+
 */

const SUBTYPE = 0;
/** Offsets of actor and partner information, behind their TLV type and length. */
export const ACTOR = 4;
export const PARTNER = 24;
/** Offset of the system's MAC in actor or partner information. */
export const SYSTEM = 2;
const KEY = 8;
const PORT = 12;
const STATE = 14;
const LACP = 1;
/** Bytes up to the end of the partner's information. */
const MIN_LENGTH = 42;

/** Key of the actor or partner whose information begins at `at`. */
export function lacpKey(view: DataView, at: number): number {
  return view.getUint16(at + KEY);
}

/** Port number of the actor or partner whose information begins at `at`. */
export function lacpPort(view: DataView, at: number): number {
  return view.getUint16(at + PORT);
}

/** State bits of the actor or partner at `at`, from bit 0: active, short timeout, aggregatable, in sync, … */
export function lacpState(view: DataView, at: number): number {
  return view.getUint8(at + STATE);
}

/** Slow protocols: LACP is decoded, markers and OAM are data. */
export function decodeLacp(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit > at && frame.view.getUint8(at + SUBTYPE) !== LACP) return Protocol.Data;
  if (frame.limit - at < MIN_LENGTH) return frame.short(Protocol.Lacp);
  frame.push(Protocol.Lacp, frame.limit);
  return Protocol.None;
}
