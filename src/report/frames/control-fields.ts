import { formatIpv4, ipv4At, macAt } from '../../wire/address.js';
import { CdpTlv, cdpLength, cdpNativeVlan, cdpTlv } from '../../wire/cdp.js';
import * as dhcpHeader from '../../wire/dhcp.js';
import * as v6message from '../../wire/dhcpv6.js';
import * as lacpHeader from '../../wire/lacp.js';
import { LldpTlv, lldpLength, lldpPortVlan, lldpTlv } from '../../wire/lldp.js';
import * as stpHeader from '../../wire/stp.js';
import * as vrrpHeader from '../../wire/vrrp.js';
import type { Describe } from './describe.js';

export const dhcp: Describe = (out, view, at, frame, layer) => {
  const { CHADDR, DhcpOption, YIADDR } = dhcpHeader;
  const end = frame.ends[layer];
  out.op = dhcpHeader.dhcpOp(view, at);
  out.transactionId = dhcpHeader.dhcpTransactionId(view, at);
  out.yourIp = ipv4At(view, at + YIADDR);
  if (dhcpHeader.dhcpHasMac(view, at)) out.clientMac = macAt(view, at + CHADDR);
  const messageType = dhcpHeader.dhcpMessageType(view, at, end);
  if (messageType !== 0) out.messageType = messageType;
  const serverId = dhcpHeader.dhcpWordOption(view, at, end, DhcpOption.ServerIdentifier);
  if (serverId >= 0) out.serverId = formatIpv4(serverId);
};

export const dhcpv6: Describe = (out, view, at) => {
  out.messageType = v6message.dhcpv6MessageType(view, at);
  if (v6message.dhcpv6HasTransactionId(view, at)) out.transactionId = v6message.dhcpv6TransactionId(view, at);
};

/** A spanning tree identifier as it is usually written: priority, slash, MAC. */
function bridgeIdentifier(view: DataView, at: number): string {
  return `${view.getUint16(at)}/${macAt(view, at + 2)}`;
}

export const stp: Describe = (out, view, at) => {
  const { BRIDGE, BpduType, ROOT } = stpHeader;
  out.version = stpHeader.stpVersion(view, at);
  out.type = stpHeader.stpType(view, at);
  if (out.type === BpduType.TopologyChange) return;
  out.flags = stpHeader.stpFlags(view, at);
  out.root = bridgeIdentifier(view, at + ROOT);
  out.rootPathCost = stpHeader.stpRootPathCost(view, at);
  out.bridge = bridgeIdentifier(view, at + BRIDGE);
  out.port = stpHeader.stpPort(view, at);
};

export const lacp: Describe = (out, view, at) => {
  const { ACTOR, PARTNER, SYSTEM } = lacpHeader;
  out.actor = macAt(view, at + ACTOR + SYSTEM);
  out.actorKey = lacpHeader.lacpKey(view, at + ACTOR);
  out.actorPort = lacpHeader.lacpPort(view, at + ACTOR);
  out.actorState = lacpHeader.lacpState(view, at + ACTOR);
  out.partner = macAt(view, at + PARTNER + SYSTEM);
  out.partnerKey = lacpHeader.lacpKey(view, at + PARTNER);
  out.partnerPort = lacpHeader.lacpPort(view, at + PARTNER);
  out.partnerState = lacpHeader.lacpState(view, at + PARTNER);
};

const UTF8 = new TextDecoder();
const CDP_TEXTS = [
  ['device', CdpTlv.Device],
  ['port', CdpTlv.Port],
] as const;

export const lldp: Describe = (out, view, at, frame, layer) => {
  const end = frame.ends[layer];
  const name = lldpTlv(view, at, end, LldpTlv.SystemName);
  if (name >= 0) out.systemName = UTF8.decode(frame.bytes.subarray(name + 2, name + 2 + lldpLength(view, name)));
  const vlan = lldpPortVlan(view, at, end);
  if (vlan >= 0) out.portVlan = vlan;
};

export const cdp: Describe = (out, view, at, frame, layer) => {
  const end = frame.ends[layer];
  for (const [field, type] of CDP_TEXTS) {
    const text = cdpTlv(view, at, end, type);
    if (text >= 0) out[field] = UTF8.decode(frame.bytes.subarray(text, text + cdpLength(view, text - 4)));
  }
  const vlan = cdpNativeVlan(view, at, end);
  if (vlan >= 0) out.nativeVlan = vlan;
};

export const vrrp: Describe = (out, view, at) => {
  out.version = vrrpHeader.vrrpVersion(view, at);
  out.virtualRouter = vrrpHeader.vrrpRouter(view, at);
  out.priority = vrrpHeader.vrrpPriority(view, at);
  out.addresses = vrrpHeader.vrrpCount(view, at);
};
