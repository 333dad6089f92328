import { decodeArp } from './arp.js';
import { decodeData } from './data.js';
import { decodeEthernet } from './ethernet.js';
import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/** Reads the header at `frame.cursor`, records it, narrows the limit, and returns what follows. */
export type Decoder = (frame: Frame) => Protocol;

const nothing: Decoder = () => Protocol.None;

/** Decoder of each protocol, indexed by its number. One line a protocol. */
export const DECODERS: readonly Decoder[] = (() => {
  const table: Decoder[] = new Array(30).fill(nothing);
  table[Protocol.Ethernet] = decodeEthernet;
  table[Protocol.Arp] = decodeArp;
  table[Protocol.Data] = decodeData;
  return table;
})();

/** The protocol that frames of a link type begin with; `Data` for link types nobody decodes. */
export function decoderOfLinkType(linkType: number): Protocol {
  return linkType === 1 ? Protocol.Ethernet : Protocol.Data;
}
