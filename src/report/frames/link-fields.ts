import { macAt } from '../../wire/address.js';
import * as ethernetHeader from '../../wire/ethernet.js';
import * as llcHeader from '../../wire/llc.js';
import * as mplsHeader from '../../wire/mpls.js';
import * as nullHeader from '../../wire/null.js';
import * as pppoeHeader from '../../wire/pppoe.js';
import * as sllHeader from '../../wire/sll.js';
import * as vlanHeader from '../../wire/vlan.js';
import type { Describe, Fields } from './describe.js';

/** A type field is an EtherType or the length of an 802.3 frame. */
function putType(out: Fields, type: number): void {
  out[ethernetHeader.isLength(type) ? 'length' : 'etherType'] = type;
}

export const ethernet: Describe = (out, view, at) => {
  out.destination = macAt(view, at + ethernetHeader.DESTINATION);
  out.source = macAt(view, at + ethernetHeader.SOURCE);
  putType(out, ethernetHeader.etherType(view, at));
};

/** Bytes of an address in a cooked header, of which it holds eight at most. */
function hardwareAddress(view: DataView, at: number, length: number): string {
  const bytes = Array.from({ length: Math.min(length, 8) }, (_, i) => view.getUint8(at + i));
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

export const sll: Describe = (out, view, at) => {
  out.packetType = sllHeader.sllPacketType(view, at);
  out.source = hardwareAddress(view, at + sllHeader.SLL_ADDRESS, sllHeader.sllAddressLength(view, at));
  out.etherType = sllHeader.sllProtocol(view, at);
};

export const sll2: Describe = (out, view, at) => {
  out.etherType = sllHeader.sll2Protocol(view, at);
  out.interfaceIndex = sllHeader.sll2Interface(view, at);
  out.packetType = sllHeader.sll2PacketType(view, at);
  out.source = hardwareAddress(view, at + sllHeader.SLL2_ADDRESS, sllHeader.sll2AddressLength(view, at));
};

export const nullFamily: Describe = (out, view, at) => {
  out.family = nullHeader.nullFamily(view, at);
};

export const vlan: Describe = (out, view, at, frame, layer) => {
  out.tpid = vlanHeader.vlanTpid(frame, layer);
  out.priority = vlanHeader.vlanPriority(view, at);
  out.dei = vlanHeader.vlanDei(view, at);
  out.id = vlanHeader.vlanId(view, at);
  putType(out, vlanHeader.vlanType(view, at));
};

export const llc: Describe = (out, view, at) => {
  out.dsap = llcHeader.llcDsap(view, at);
  out.ssap = llcHeader.llcSsap(view, at);
  if (!llcHeader.isSnap(view, at)) return;
  out.organization = llcHeader.snapOrganization(view, at);
  out.protocolId = llcHeader.snapProtocol(view, at);
};

export const mpls: Describe = (out, view, at) => {
  out.label = mplsHeader.mplsLabel(view, at);
  out.bottom = mplsHeader.mplsIsBottom(view, at);
  out.ttl = mplsHeader.mplsTtl(view, at);
};

export const pppoe: Describe = (out, view, at) => {
  out.code = pppoeHeader.pppoeCode(view, at);
  out.session = pppoeHeader.pppoeSession(view, at);
  if (out.code === 0) out.pppProtocol = pppoeHeader.pppProtocol(view, at);
};

export const data: Describe = (out, _view, at, frame, layer) => {
  out.length = frame.ends[layer] - at;
};
