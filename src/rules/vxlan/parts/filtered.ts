import type { Rule } from '../../../network/context/netfilter/ruleset.js';
import { record } from '../../../network/context/rows.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { cureOf, doubtsOf, placeContext, placeWords } from '../../parts/firewall-words.js';
import { requestFrames } from '../../parts/question.js';
import { asRepeated, repeatedFrames } from '../../parts/repeated.js';
import type { Diagnosis } from '../../rule.js';
import { endpointDrop, isOutwards } from './endpoint-firewall.js';
import type { RoutedSilence } from './routed-silence.js';
import { address, arrives, askedAgain, askedInVain, questionsBehind, symptomsOf, tunnelFrames } from './tunnel.js';

/** Frames of the tunnel that are named as evidence. */
const EXAMPLES = 16;

/**
 * What to say of a tunnel whose far end drops it: a rule of its machine's firewall is against the port, by the host context, and something inside is
 * in vain. `times` requests make that, the first of them at `since` at the latest; `routedOf` looks for those without ARP.
 */
export function filteredFinding(
  network: Network,
  tunnel: number,
  times: number,
  since: number,
  routedOf: (tunnel: number) => RoutedSilence | null,
): Diagnosis | null {
  const { tunnels, segments } = network;
  const inner = tunnels.inner(tunnel);
  const source = tunnels.source(tunnel);
  const destination = tunnels.destination(tunnel);
  const drop = endpointDrop(network, tunnel);
  if (!drop) return null;
  const isOut = isOutwards(drop);
  // Something comes from there: the rules are not those that were asked.
  if (isOut && sends(network, tunnel)) return null;
  const questions = askedInVain(questionsBehind(network, inner, source), times).filter(({ first }) => first <= since);
  // What is asked behind the endpoint and answered through this tunnel, again and again: the answers do not arrive.
  const unheard = askedAgain(network, inner, destination, source);
  const routed = routedOf(tunnel);
  if (questions.length + unheard.length === 0 && !routed) return null;
  const { place, fate } = drop;
  // The count of a rule for all that comes is of others as well.
  const isCounted = (place.packets ?? 0) > 0 && place.rule !== null && asksForPort(place.rule);
  const isOpen = fate.kind !== 'drop';
  // Other rules may let this sender in, and so may others than the ones that were read.
  if (isOpen && !isCounted) return null;
  if ((isOpen || !isCounted) && unheard.length === 0 && hasAnswered(network, tunnel)) return null;
  const isAssumed = isOpen || fate.assumesMark || fate.assumesDevice;
  const isSure = !isAssumed && (isCounted || (!isOut && arrives(network, tunnel)));
  const from = address(network, source);
  const to = address(network, destination);
  const port = tunnels.port(tunnel);
  const segment = tunnels.segment(tunnel);
  const by = place.rule ? 'a rule' : 'the policy';
  const counted = place.packets === null ? '' : `, and counted ${place.packets} packets`;
  const doubts = doubtsOf({ isAnsweredBeyond: false, to }, drop);
  return {
    key: String(tunnel),
    segment,
    capture: segments.captureOf(segment),
    count: tunnels.frames(tunnel),
    first: tunnels.first(tunnel),
    last: tunnels.last(tunnel),
    // What drops it is known: this is more than the silence alone, which others may have wanted.
    severity: 'error',
    confidence: isSure ? 'certain' : 'likely',
    title: `${to} ${isOpen ? 'may drop' : 'drops'} the VXLAN ${isOut ? `that it sends to ${from}` : `from ${from}`}: ${by} of its firewall is against UDP port ${port}`,
    summary:
      `${from} sent ${tunnels.frames(tunnel)} VXLAN packets of VNI ${tunnels.vni(tunnel)} to ${to}, UDP port ${port}. ` +
      `On the machine of ${to}, ${placeWords(place)} ${isOpen ? 'may drop' : 'drops'} ${isOut ? 'what it sends back' : 'them'}${counted}. ` +
      `${[
        ...questions.map(({ spa, tpa }) => `${spa} asks for ${tpa} in vain`),
        ...(routed?.words.map((words) => `${words} in vain`) ?? []),
        ...unheard.map(({ spa, tpa }) => `${spa} asks for ${tpa}, is answered each time, and asks again`),
      ].join(', ')}.`,
    subject: { endpoint: to, sender: from, vni: tunnels.vni(tunnel), port },
    evidence: [
      ...questions.flatMap((question) => requestFrames(network, question)),
      ...unheard.flatMap(({ row }) => repeatedFrames(network, row)),
      ...(routed?.evidence ?? []),
      ...tunnelFrames(network, tunnel).slice(0, EXAMPLES),
    ],
    cause: isOut
      ? `The firewall takes what the VXLAN device of ${to} sends, before it gets to a network device: tcpdump there does not show it.`
      : `The firewall takes the packets before the VXLAN device gets them. tcpdump on ${printable(drop.device.name)} still shows them: it listens in front of the firewall.`,
    remedy: cureOf([drop], to),
    caveats: [
      ...(isSure || isCounted
        ? []
        : [
            place.packets
              ? 'the rule counts other packets too'
              : `${place.rule ? 'the rule' : 'a policy'} does not count: that it took these packets is concluded`,
          ]),
      ...doubts.caveats,
    ],
    wouldRaise: isSure ? [] : [`\`nft monitor trace\` at ${to}: which rule takes the packets?`],
    context: [placeContext(place), ...fate.further.map(placeContext)],
    explains: [
      ...symptomsOf(network, [...questions, ...unheard]),
      ...unheard.map(asRepeated),
      ...(routed?.explains ?? []),
    ],
  };
}

/** Whether the endpoint sent anything for a single station behind the sender. */
function hasAnswered({ tunnels }: Network, tunnel: number): boolean {
  const [source, destination] = [tunnels.source(tunnel), tunnels.destination(tunnel)];
  return tunnels
    .between(tunnels.segment(tunnel), source, destination)
    .some((row) => tunnels.source(row) === destination && tunnels.unicastFrames(row) > 0);
}

/** Whether the endpoint sent any VXLAN to the sender. */
function sends({ tunnels }: Network, tunnel: number): boolean {
  const [source, destination] = [tunnels.source(tunnel), tunnels.destination(tunnel)];
  return tunnels
    .between(tunnels.segment(tunnel), source, destination)
    .some((row) => tunnels.source(row) === destination);
}

/** Whether the rule is about ports, so that its count is of few others. */
function asksForPort({ statements }: Rule): boolean {
  return statements.some(({ match }) => record(record(record(match)?.left)?.payload)?.field === 'dport');
}
