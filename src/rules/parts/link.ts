import type { Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';

/** The layer of the link header that carries `layer` (through VLAN tags), -1 if another kind of header does. */
export function linkBelow(frame: Frame, layer: number): number {
  let at = layer - 1;
  while (at > 0 && frame.kinds[at] === Protocol.Vlan) at--;
  const kind = at < 0 ? Protocol.None : frame.kinds[at];
  return kind === Protocol.Ethernet || kind === Protocol.Sll || kind === Protocol.Sll2 ? at : -1;
}
