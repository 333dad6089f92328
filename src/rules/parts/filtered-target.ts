import type { Network } from '../../network/network.js';
import type { Confidence, Remedy } from '../rule.js';
import { confidenceOf, filteredAt, filteredAtHolder } from './filtered.js';
import { cureOf, doubtsOf, placeContext, placeWords } from './firewall-words.js';
import { label } from './question.js';
import type { Vanished } from './vanished.js';

/** What the host context adds to the silence of a host whose own firewall drops requests, or its answers. */
export interface FilteredTarget {
  readonly confidence: Confidence;
  /** Behind the title. */
  readonly clause: string;
  readonly cause: string;
  readonly remedy: readonly Remedy[];
  readonly caveats: readonly string[];
  readonly wouldRaise: readonly string[];
  readonly context: readonly string[];
}

/** Null where the firewall of who is asked lets requests and answers through, or is not known. */
export function filteredByTarget(network: Network, vanished: Vanished | null): FilteredTarget | null {
  if (!vanished) return null;
  const here = filteredAt(network, vanished);
  // Beyond a router it is not known whether they get there, but that they would end there is.
  const drop = here ?? filteredAtHolder(network, vanished);
  if (!drop?.isTarget || drop.fate.kind !== 'drop') return null;
  const { from, to } = vanished;
  const { place, packet } = drop;
  const doubts = doubtsOf(vanished, drop);
  const [who, what] = packet.isReply ? [`its answers to ${from}`, 'answers'] : [`what ${from} sends`, 'requests'];
  const counted = place.packets === null ? '' : `, and counted ${place.packets} packets`;
  return {
    confidence: here ? confidenceOf(vanished, drop) : 'likely',
    clause: `: the firewall of ${to} drops ${packet.isReply ? 'the answers' : 'them'}`,
    cause: `The firewall of ${to} (${label(drop.device)}) drops ${who}: ${placeWords(place)} takes these ${what}${counted}.`,
    remedy: cureOf([drop], to),
    ...doubts,
    caveats: [...doubts.caveats, ...(here ? [] : [`that the requests get to ${to} is not in this capture`])],
    wouldRaise: here ? doubts.wouldRaise : [`a capture at ${to}: do the requests arrive?`],
    context: [placeContext(place), ...drop.fate.further.map(placeContext)],
  };
}
