import type { Packet } from '../../../network/context/netfilter/packet.js';
import { forwards } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { confidenceOf, type Filtered, filteredAt } from '../../parts/firewalls/filtered.js';
import { wayBackRemedy, wayBackWords } from '../../parts/firewalls/way-back-words.js';
import { addressText, cureOf, doubtsOf, placeContext, placeKey, placeWords } from '../../parts/firewalls/words.js';
import type { Arrival } from '../../parts/vanished/arrival.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import type { Diagnosis } from '../../rule.js';
import { wayBack } from './reverse-path.js';

/** The rule or policy by which a router drops requests, or the answers to them, or the server that is asked drops questions; null if none is known to. */
export function filteredInTransit(network: Network, arrival: Arrival, vanished: Vanished): Filtered | null {
  const family = vanished.isIpv4 ? 4 : 6;
  const filtered = filteredAt(network, vanished);
  if (!filtered) return null;
  // Of pings and connections icmp/echo-unanswered and tcp/syn-unanswered tell it; questions have nobody else who does.
  if (filtered.isTarget) return vanished.protocol === 'udp' && filtered.fate.kind === 'drop' ? filtered : null;
  if (arrival.devices.some((device) => forwards(arrival.namespace, device, family) !== true)) return null;
  // That comes first, and ip/reverse-path-filtered tells of it.
  return vanished.isIpv4 && !filtered.packet.isReply && wayBack(network, arrival, vanished.source) ? null : filtered;
}

/** Of the requests that end at one place. */
export function filteredKey({ place, packet }: Filtered): string {
  return `${placeKey(place)}${packet.isReply ? ' answers' : ''}`;
}

/** Packets that the firewall of a router drops. */
export function filteredFinding(
  network: Network,
  members: readonly Vanished[],
  arrival: Arrival,
  key: string,
  router: string,
): Diagnosis {
  const drops = members.map((member) => filteredInTransit(network, arrival, member)).filter((drop) => drop !== null);
  const [drop] = drops;
  const [vanished] = members;
  const { from, to } = vanished;
  const { place, packet, fate, isTarget } = drop;
  const others = members.length > 1 ? ` and ${members.length - 1} more` : '';
  const isReply = packet.isReply;
  const what = isReply ? `answers of ${to} to ${from}` : `packets from ${from} to ${to}`;
  const by = place.rule ? 'a rule of its firewall' : 'the policy of its firewall';
  const isOpen = fate.kind !== 'drop';
  const counted = place.packets === null ? '' : ` It counted ${place.packets} packets.`;
  const seen = isTarget ? seenAtTarget(isReply) : seenOf(vanished, isReply);
  const through = isTarget ? '' : ` through ${router}`;
  const whose = isTarget ? to : 'the router';
  return {
    ...together(members),
    key,
    confidence: confidenceOf(vanished, drop),
    title: `${router} ${isOpen ? 'may drop' : 'drops'} ${what}${others}: ${by}`,
    summary: `${from} sends to ${to}${through}${translated(vanished, packet)}. ${seen} ${isOpen ? 'What may drop them is' : 'What drops them is'} ${placeWords(place)}.${counted}`,
    subject: { router, source: from, destination: to },
    cause: place.rule
      ? `The firewall of ${whose} drops them at the hook ${place.hook}, without a word. tcpdump still shows them come in: it listens in front of it.${wayBackWords(drop)}`
      : `No rule of the chain takes them, and its policy drops them, without a word. tcpdump still shows them come in: it listens in front of it.`,
    remedy: [...wayBackRemedy(drop), ...cureOf(drops, whose)],
    ...doubtsOf(vanished, drop),
    context: [placeContext(place), ...fate.further.map(placeContext)],
  };
}

/** What the capture shows of the drop beside the packets themselves. */
function seenOf({ from, to, isAnsweredBeyond }: Vanished, isReply: boolean): string {
  if (isAnsweredBeyond)
    return `They go on, and ${to} answers; the answers come to the router, and not back to ${from}.`;
  if (isReply) return 'The rules let the requests through, and drop what answers them.';
  return 'They go there and are not passed on, and no ICMP error says why.';
}

/** As `seenOf`, of who has the address that is asked. */
function seenAtTarget(isReply: boolean): string {
  if (isReply) return 'The rules let the questions in, and drop what answers them.';
  return 'They get there, nothing answers, and no ICMP error says why.';
}

/** Where a router sends requests on that it translates. */
function translated({ to }: Vanished, packet: Packet): string {
  return packet.isTranslated && !packet.isReply
    ? `, which translates ${to} to ${addressText(packet.destination)} (DNAT)`
    : '';
}
