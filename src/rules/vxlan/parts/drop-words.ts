import type { Rule } from '../../../network/context/netfilter/ruleset.js';
import { record } from '../../../network/context/rows.js';
import { printable } from '../../../wire/printable.js';
import type { Filtered } from '../../parts/firewalls/filtered.js';
import { cureOf, doubtsOf, placeContext, placeWords } from '../../parts/firewalls/words.js';
import { label } from '../../parts/question.js';
import type { Confidence } from '../../rule.js';
import { isOutwards, type TransitDrop, type TunnelWay } from './endpoint-firewall.js';

/** How sure a drop is by the rules alone. */
export function certaintyOf({ place, fate }: Filtered) {
  // The count of a rule for all that comes is of others as well.
  const isCounted = (place.packets ?? 0) > 0 && place.rule !== null && asksForPort(place.rule);
  const isOpen = fate.kind !== 'drop';
  return { isCounted, isOpen, isAssumed: isOpen || fate.assumesMark || fate.assumesDevice };
}

/**
 * The parts of a diagnosis that tell of the drop, by `who` of what it gets from or sends to `other`. `isSeen`: it gets there, as the capture shows.
 * `group`: what is flooded to a multicast group is dropped. `also`: what is to be let through with it.
 */
export function dropWords(
  drop: Filtered,
  who: string,
  other: string,
  { port, group }: Pick<TunnelWay, 'port' | 'group'>,
  isSeen: boolean,
  also: Filtered | null = null,
) {
  const { place, fate, device } = drop;
  const { isCounted, isOpen, isAssumed } = certaintyOf(drop);
  const isOut = isOutwards(drop);
  const isSure = !isAssumed && (isCounted || (isSeen && !isOut));
  const by = place.rule ? 'a rule' : 'the policy';
  const does = isOpen ? 'may drop' : 'drops';
  const counted = place.packets === null ? '' : `, and counted ${place.packets} packets`;
  const to = group?.ip.text;
  const confidence: Confidence = isSure ? 'certain' : 'likely';
  return {
    // What drops it is known: this is more than the silence alone, which others may have wanted.
    severity: 'error' as const,
    confidence,
    title: `${who} ${does} the VXLAN ${isOut ? `that it sends to ${to ?? other}` : `from ${other}${to ? ` to ${to}` : ''}`}: ${by} of its firewall is against UDP port ${port}`,
    said: `On the machine of ${who}, ${placeWords(place)} ${does} ${isOut ? `what it sends to ${to ?? other}` : `what ${other} sends ${to ? `to ${to}` : 'it'}`}${counted}.`,
    cause: isOut
      ? `The firewall takes what the VXLAN device of ${who} sends, before it gets to a network device: tcpdump there does not show it.`
      : `The firewall takes the packets before the VXLAN device gets them. tcpdump on ${printable(device.name)} still shows them: it listens in front of the firewall.`,
    remedy: cureOf(also ? [drop, also] : [drop], who),
    caveats: [
      ...(isSure || isCounted
        ? []
        : [
            place.packets
              ? 'the rule counts other packets too'
              : `${place.rule ? 'the rule' : 'a policy'} does not count: that it took these packets is concluded`,
          ]),
      ...doubtsOf({ isAnsweredBeyond: false, to: who }, drop).caveats,
    ],
    wouldRaise: isSure ? [] : [`\`nft monitor trace\` at ${who}: which rule takes the packets?`],
    context: [placeContext(place), ...fate.further.map(placeContext)],
  };
}

/** Whether the rule is about ports, so that its count is of few others. */
function asksForPort({ statements }: Rule): boolean {
  return statements.some(({ match }) => record(record(record(match)?.left)?.payload)?.field === 'dport');
}

/** As `dropWords`, of what a router or bridge between the two ends drops. */
export function transitWords({ drop, bridge, isBack }: TransitDrop, way: Pick<TunnelWay, 'port'> & Ends) {
  const { place, fate, device } = drop;
  const { isCounted, isAssumed } = certaintyOf(drop);
  const [from, to] = isBack ? [way.to, way.from] : [way.from, way.to];
  const who = `${bridge ? 'bridge' : 'router'} ${label(device)}`;
  const by = place.rule ? 'a rule' : 'the policy';
  const counted = place.packets === null ? '' : `, and counted ${place.packets} packets`;
  return {
    severity: 'error' as const,
    confidence: (isCounted && !isAssumed ? 'certain' : 'likely') as Confidence,
    title: `The ${who} drops the VXLAN from ${from} to ${to}: ${by} of its firewall is against UDP port ${way.port}`,
    said: `Between the two, on the ${who}, ${placeWords(place)} drops what ${from} sends to ${to}${counted}.`,
    cause: `The firewall of the ${who} does not let UDP port ${way.port} through.`,
    remedy: cureOf([drop], bridge ? 'the host of the bridge' : 'the router'),
    caveats: [
      ...(isCounted
        ? []
        : [`${place.rule ? 'the rule' : 'a policy'} does not count: that it took these packets is concluded`]),
      ...doubtsOf({ isAnsweredBeyond: false, to }, drop).caveats,
    ],
    wouldRaise: isCounted ? [] : [`a capture at ${label(device)}: which packets go on?`],
    context: [placeContext(place), ...fate.further.map(placeContext)],
  };
}

/** Addresses of both ends, as text. */
interface Ends {
  readonly from: string;
  readonly to: string;
}
