import type { Network } from '../../network/network.js';
import { erspanSession } from '../../wire/erspan.js';
import type { Frame } from '../../wire/frame.js';
import { geneveVni } from '../../wire/geneve.js';
import { Protocol } from '../../wire/protocol.js';
import { vlanId } from '../../wire/vlan.js';
import { vxlanVni } from '../../wire/vxlan.js';

/** Row of `segments` that a layer of a frame lies in; -1 where that table is full. For frames that a rule remembers, not for each. */
export function segmentAt({ segments }: Network, frame: Frame, layer: number): number {
  let segment = segments.base(frame);
  for (let each = 0; each < layer && segment >= 0; each++) {
    const kind = frame.kinds[each];
    const at = frame.offsets[each];
    if (kind === Protocol.Vlan) segment = segments.vlan(segment, vlanId(frame.view, at));
    else if (kind === Protocol.Vxlan) segment = segments.vni(segment, vxlanVni(frame.view, at));
    else if (kind === Protocol.Erspan) segment = segments.mirror(segment, erspanSession(frame.view, at));
    else if (kind === Protocol.Geneve) segment = segments.vni(segment, geneveVni(frame.view, at));
  }
  return segment;
}
