import { SOURCE } from '../../wire/ethernet.js';
import type { Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import { SLL_ADDRESS, SLL2_ADDRESS } from '../../wire/sll.js';

/** The layer of the link header that carries `layer` (through VLAN tags), -1 if another kind of header does. */
export function linkBelow(frame: Frame, layer: number): number {
  let at = layer - 1;
  while (at > 0 && frame.kinds[at] === Protocol.Vlan) at--;
  const kind = at < 0 ? Protocol.None : frame.kinds[at];
  return kind === Protocol.Ethernet || kind === Protocol.Sll || kind === Protocol.Sll2 ? at : -1;
}

function sourceOffset(kind: number): number {
  if (kind === Protocol.Ethernet) return SOURCE;
  return kind === Protocol.Sll ? SLL_ADDRESS : SLL2_ADDRESS;
}

/** The source address in the link header at `link`, in two parts. */
export function sourceAt({ view, kinds, offsets }: Frame, link: number): [hi: number, lo: number] {
  const at = offsets[link] + sourceOffset(kinds[link]);
  return [view.getUint16(at), view.getInt32(at + 2)];
}
