import { type Frame, Status } from '../../wire/frame.js';
import { PROTOCOL_COUNT, Protocol, protocolName } from '../../wire/protocol.js';
import * as control from './control-fields.js';
import type { Describe, Fields } from './describe.js';
import * as link from './link-fields.js';
import * as network from './network-fields.js';
import * as transport from './transport-fields.js';

/** One describer a protocol, indexed by its number. Protocols without one are told by name. */
const DESCRIBERS: readonly (Describe | undefined)[] = (() => {
  const table: (Describe | undefined)[] = new Array(PROTOCOL_COUNT).fill(undefined);
  table[Protocol.Ethernet] = link.ethernet;
  table[Protocol.Sll] = link.sll;
  table[Protocol.Sll2] = link.sll2;
  table[Protocol.Null] = link.nullFamily;
  table[Protocol.Loop] = link.nullFamily;
  table[Protocol.Vlan] = link.vlan;
  table[Protocol.Llc] = link.llc;
  table[Protocol.Mpls] = link.mpls;
  table[Protocol.Pppoe] = link.pppoe;
  table[Protocol.Data] = link.data;
  table[Protocol.Arp] = network.arp;
  table[Protocol.Ipv4] = network.ipv4;
  table[Protocol.Ipv6] = network.ipv6;
  table[Protocol.Ipv6Extension] = network.ipv6Extension;
  table[Protocol.Icmp] = network.icmp;
  table[Protocol.Icmpv6] = network.icmpv6;
  table[Protocol.Igmp] = network.igmp;
  table[Protocol.Udp] = transport.udp;
  table[Protocol.Tcp] = transport.tcp;
  table[Protocol.Vxlan] = transport.vxlan;
  table[Protocol.Geneve] = transport.geneve;
  table[Protocol.Gre] = transport.gre;
  table[Protocol.Erspan] = transport.erspan;
  table[Protocol.Dhcp] = control.dhcp;
  table[Protocol.Dhcpv6] = control.dhcpv6;
  table[Protocol.Stp] = control.stp;
  table[Protocol.Lacp] = control.lacp;
  table[Protocol.Lldp] = control.lldp;
  table[Protocol.Cdp] = control.cdp;
  table[Protocol.Vrrp] = control.vrrp;
  return table;
})();

/** Names of statuses in the contract's spelling. */
const STATUS_NAMES: Readonly<Record<number, string>> = {
  [Status.Snapped]: 'snapped',
  [Status.TooShort]: 'too-short',
  [Status.BadLength]: 'bad-length',
  [Status.BadVersion]: 'bad-version',
  [Status.TooDeep]: 'too-deep',
};

/**
 * Everything that is told of a layer: protocol first, then its fields, `status` and `quoted` where they apply.
 * @param out filled in and returned
 */
export function layerFields(frame: Frame, layer: number, out: Fields = {}): Fields {
  out.protocol = protocolName(frame.kinds[layer]);
  const status = frame.statuses[layer];
  const describe = DESCRIBERS[frame.kinds[layer]];
  if (status === Status.Ok) describe?.(out, frame.view, frame.offsets[layer], frame, layer);
  else {
    if (status !== Status.BadVersion) describeCut(describe, out, frame, layer);
    out.status = STATUS_NAMES[status];
  }
  if (layer >= frame.quotedFrom) out.quoted = true;
  return out;
}

/** Describes what there is of a header that is not whole. */
function describeCut(describe: Describe | undefined, out: Fields, frame: Frame, layer: number): void {
  const { buffer, byteOffset } = frame.bytes;
  const view = new DataView(buffer, byteOffset, frame.limits[layer]);
  try {
    describe?.(out, view, frame.offsets[layer], frame, layer);
  } catch (error) {
    // Reading behind the end of the view: the fields so far are what there is.
    if (!(error instanceof RangeError)) throw error;
  }
}
