import type { Device } from '../../../network/context/device.js';
import type { Place } from '../../../network/context/netfilter/fate.js';
import { addressValue } from '../../../network/context/netfilter/packet.js';
import { answerTo } from '../../../network/context/netfilter/way.js';
import type { Network } from '../../../network/network.js';
import type { Confidence, Remedy } from '../../rule.js';
import { label } from '../question.js';
import type { Vanished } from '../vanished/requests.js';
import { confidenceOf, type Filtered, filteredAt, filteredAtHolder, packetOf } from './filtered.js';
import { kubeCause } from './kube-proxy.js';
import { wayBackRemedy, wayBackWords } from './way-back-words.js';
import { endOfWay, hasPassed } from './way-through.js';
import { cureOf, doubtsOf, placeContext, placeWords } from './words.js';

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

/** Null where the firewalls on the way and that of who is asked let requests and answers through, or are not known. */
export function filteredByTarget(network: Network, vanished: Vanished | null): FilteredTarget | null {
  if (!vanished) return null;
  const here = filteredAt(network, vanished);
  const onWay = here ? null : filteredBeyond(network, vanished);
  if (onWay) return onWay;
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
    cause: `The firewall of ${to} (${label(drop.device)}) drops ${who}: ${placeWords(place)} takes these ${what}${counted}.${because(place)}${wayBackWords(drop)}`,
    remedy: [...wayBackRemedy(drop), ...cureOf([drop], to)],
    ...doubts,
    caveats: [...doubts.caveats, ...(here ? [] : [`that the requests get to ${to} is not in this capture`])],
    wouldRaise: here ? doubts.wouldRaise : [`a capture at ${to}: do the requests arrive?`],
    context: [placeContext(place), ...drop.fate.further.map(placeContext)],
  };
}

/** Why somebody else's rule is there, where its author says so. */
function because(place: Place): string {
  const cause = kubeCause(place);
  return cause ? ` ${cause}` : '';
}

/** What drops requests, or the answers to them, beyond the machine that they are seen to be handed to: a bridge or router further on. Null where none is known to. */
function filteredBeyond(network: Network, vanished: Vanished): FilteredTarget | null {
  const { context, addresses } = network;
  const holders = context?.devicesByIp(addresses.words(vanished.source)) ?? [];
  const sender = holders.length === 1 ? context?.namespaces.get(holders[0].namespace) : undefined;
  const there = sender && !vanished.isAnsweredBeyond ? endOfWay(network, sender, packetOf(network, vanished)) : null;
  // Where requests are seen they have passed.
  if (!sender || !there || !hasPassed(network, there, vanished.segment)) return null;
  if (there.drop) return there.drop.isTarget ? null : beyondWords(vanished, there.drop, there.bridge);
  const answer = answerTo(there.packet);
  if (answer.destination !== addressValue(addresses.words(vanished.source))) return null;
  const back = endOfWay(network, there.namespace, answer);
  if (!back?.drop || back.drop.isTarget || hasPassed(network, back, vanished.segment)) return null;
  return beyondWords(vanished, back.drop, back.bridge);
}

function beyondWords(vanished: Vanished, drop: Filtered, bridge: Device | null): FilteredTarget {
  const { from, to } = vanished;
  const { place, packet } = drop;
  const who = `${bridge ? 'the bridge' : 'the router'} ${label(drop.device)}`;
  const counted = place.packets === null ? '' : `, and counted ${place.packets} packets`;
  const doubts = doubtsOf(vanished, drop);
  const [what, whose, them] = packet.isReply ? ['answers', to, 'the answers'] : ['requests', from, 'them'];
  return {
    confidence: 'likely',
    clause: `: the firewall of ${who} drops ${them}`,
    cause: `On the way from ${from} to ${to}${packet.isReply ? ' and back' : ''} the firewall of ${who} drops what ${whose} sends: ${placeWords(place)} takes these ${what}${counted}.${wayBackWords(drop)}`,
    remedy: [...wayBackRemedy(drop), ...cureOf([drop], bridge ? 'the host of the bridge' : 'that router')],
    ...doubts,
    caveats: [...doubts.caveats, `that the ${what} get to ${who} is not in this capture`],
    wouldRaise: [`a capture at ${label(drop.device)}: do the ${what} get there?`],
    context: [placeContext(place), ...drop.fate.further.map(placeContext)],
  };
}
