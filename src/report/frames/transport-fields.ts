import * as erspanHeader from '../../wire/erspan.js';
import * as geneveHeader from '../../wire/geneve.js';
import * as greHeader from '../../wire/gre.js';
import * as tcpHeader from '../../wire/tcp.js';
import * as udpHeader from '../../wire/udp.js';
import * as vxlanHeader from '../../wire/vxlan.js';
import type { Describe } from './describe.js';

export const udp: Describe = (out, view, at) => {
  out.sourcePort = udpHeader.udpSourcePort(view, at);
  out.destinationPort = udpHeader.udpDestinationPort(view, at);
  out.length = udpHeader.udpLength(view, at);
};

export const tcp: Describe = (out, view, at) => {
  out.sourcePort = tcpHeader.tcpSourcePort(view, at);
  out.destinationPort = tcpHeader.tcpDestinationPort(view, at);
  out.sequence = tcpHeader.tcpSequence(view, at);
  out.acknowledgment = tcpHeader.tcpAcknowledgment(view, at);
  out.flags = tcpHeader.tcpFlags(view, at);
  out.window = tcpHeader.tcpWindow(view, at);
};

export const vxlan: Describe = (out, view, at) => {
  out.flags = vxlanHeader.vxlanFlags(view, at);
  out.vni = vxlanHeader.vxlanVni(view, at);
  if (vxlanHeader.vxlanHasReserved(view, at)) out.reservedBits = true;
  const policy = vxlanHeader.vxlanGroupPolicy(view, at);
  if (policy >= 0) out.groupPolicy = policy;
};

export const geneve: Describe = (out, view, at) => {
  out.protocolType = geneveHeader.geneveProtocolType(view, at);
  out.vni = geneveHeader.geneveVni(view, at);
};

export const gre: Describe = (out, view, at) => {
  out.protocolType = greHeader.greProtocolType(view, at);
  if (greHeader.greHasKey(view, at)) out.key = greHeader.greKey(view, at);
};

export const erspan: Describe = (out, view, at) => {
  out.session = erspanHeader.erspanSession(view, at);
  const vlan = erspanHeader.erspanVlan(view, at);
  if (vlan !== 0) out.vlan = vlan;
};
