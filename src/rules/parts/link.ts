import { SOURCE } from '../../wire/ethernet.js';
import type { Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import { SLL2_ADDRESS } from '../../wire/sll.js';

/** The layer of the link header that carries `layer` (through VLAN tags), -1 if another kind of header does. */
export function linkBelow(frame: Frame, layer: number): number {
  let at = layer - 1;
  while (at > 0 && frame.kinds[at] === Protocol.Vlan) at--;
  const kind = at < 0 ? Protocol.None : frame.kinds[at];
  return kind === Protocol.Ethernet || kind === Protocol.Sll || kind === Protocol.Sll2 ? at : -1;
}

/** Source address of the outermost link header, in two parts; a cooked one of version 2 or Ethernet. */
export function linkSource({ view, kinds, offsets }: Frame): [hi: number, lo: number] {
  const at = offsets[0] + (kinds[0] === Protocol.Ethernet ? SOURCE : SLL2_ADDRESS);
  return [view.getUint16(at), view.getInt32(at + 2)];
}
