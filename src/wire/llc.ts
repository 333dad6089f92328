import { protocolOfEtherType } from './ethernet.js';
import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Logical link control, IEEE 802.2 section 3.2, and the subnetwork access protocol behind it, IEEE 802 clause 9:
 *
 *   +---------------+---------------+---------------+
 *   |     DSAP      |     SSAP      | control (1–2) |
 *   +---------------+---------------+---------------+-------------------------------+
 *   |           organization (3)                    |          protocol id          |   with DSAP, SSAP 0xaa
 *   +-----------------------------------------------+-------------------------------+
 */

const DSAP = 0;
const SSAP = 1;
const CONTROL = 2;
const OUI_PROTOCOL = 3;
const SNAP_HEADER = 8;

const SAP_STP = 0x42;
const SAP_SNAP = 0xaa;
const UNNUMBERED_INFORMATION = 0x03;
const OUI_ETHERNET = 0x000000;
const OUI_ETHERNET_BRIDGED = 0x0000f8;
const OUI_CISCO = 0x00000c;
const CISCO_PVST = 0x010b;
const CISCO_CDP = 0x2000;

export function llcDsap(view: DataView, at: number): number {
  return view.getUint8(at + DSAP);
}

export function llcSsap(view: DataView, at: number): number {
  return view.getUint8(at + SSAP);
}

/** Whether the header at `at`, read well, goes on with organization and protocol id: SNAP is unnumbered information only. */
export function isSnap(view: DataView, at: number): boolean {
  return (
    view.getUint16(at + DSAP) === ((SAP_SNAP << 8) | SAP_SNAP) && view.getUint8(at + CONTROL) === UNNUMBERED_INFORMATION
  );
}

/** Organization of a SNAP header, 24 bits. */
export function snapOrganization(view: DataView, at: number): number {
  return view.getUint32(at + OUI_PROTOCOL) >>> 8;
}

/** Protocol id of a SNAP header: an EtherType if the organization is 0. */
export function snapProtocol(view: DataView, at: number): number {
  return view.getUint16(at + OUI_PROTOCOL + 3);
}

function protocolOfSnap(organization: number, protocol: number): Protocol {
  if (organization === OUI_ETHERNET || organization === OUI_ETHERNET_BRIDGED) return protocolOfEtherType(protocol);
  if (organization !== OUI_CISCO) return Protocol.Data;
  if (protocol === CISCO_PVST) return Protocol.Stp;
  return protocol === CISCO_CDP ? Protocol.Cdp : Protocol.Data;
}

export function decodeLlc(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < CONTROL + 1) return frame.short(Protocol.Llc);
  const control = view.getUint8(at + CONTROL);
  if (isSnap(view, at)) {
    if (frame.limit - at < SNAP_HEADER) return frame.short(Protocol.Llc);
    frame.push(Protocol.Llc, at + SNAP_HEADER);
    return protocolOfSnap(snapOrganization(view, at), snapProtocol(view, at));
  }
  // Information and supervisory frames number themselves in a second control byte.
  const length = (control & 3) === 3 ? CONTROL + 1 : CONTROL + 2;
  if (frame.limit - at < length) return frame.short(Protocol.Llc);
  frame.push(Protocol.Llc, at + length);
  return control === UNNUMBERED_INFORMATION && llcDsap(view, at) === SAP_STP ? Protocol.Stp : Protocol.Data;
}
