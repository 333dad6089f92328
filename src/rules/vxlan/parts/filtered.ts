import type { Ip } from '../../../network/context/address.js';
import type { Network } from '../../../network/network.js';
import { requestFrames } from '../../parts/question.js';
import { asRepeated, repeatedFrames } from '../../parts/repeated.js';
import type { Diagnosis } from '../../rule.js';
import { certaintyOf, dropWords, transitWords } from './drop-words.js';
import { endpointDrop, isOutwards, transitDrop } from './endpoint-firewall.js';
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
  const port = tunnels.port(tunnel);
  const way = { from: ipOf(network, source), to: ipOf(network, destination), port };
  const transit = transitDrop(network, way, tunnels.segment(tunnel));
  const drop = transit?.isBack === false ? transit.drop : (endpointDrop(network, way) ?? transit?.drop);
  if (!drop) return null;
  const isTransit = drop === transit?.drop;
  const isOut = isTransit ? transit.isBack : isOutwards(drop);
  // Something comes from there: the rules are not those that were asked.
  if (isOut && sends(network, tunnel)) return null;
  const questions = askedInVain(questionsBehind(network, inner, source), times).filter(({ first }) => first <= since);
  // What is asked behind the endpoint and answered through this tunnel, again and again: the answers do not arrive.
  const unheard = askedAgain(network, inner, destination, source);
  const routed = routedOf(tunnel);
  if (questions.length + unheard.length === 0 && !routed) return null;
  const { isOpen, isCounted } = certaintyOf(drop);
  // Other rules may let this sender in, and so may others than the ones that were read.
  if (isOpen && !isCounted) return null;
  if ((isOpen || !isCounted) && unheard.length === 0 && hasAnswered(network, tunnel)) return null;
  const from = address(network, source);
  const to = address(network, destination);
  const segment = tunnels.segment(tunnel);
  const { said, ...words } = isTransit
    ? transitWords(transit, { from, to, port })
    : dropWords(drop, to, from, { port }, arrives(network, tunnel));
  return {
    ...words,
    key: String(tunnel),
    segment,
    capture: segments.captureOf(segment),
    count: tunnels.frames(tunnel),
    first: tunnels.first(tunnel),
    last: tunnels.last(tunnel),
    summary:
      `${from} sent ${tunnels.frames(tunnel)} VXLAN packets of VNI ${tunnels.vni(tunnel)} to ${to}, UDP port ${port}. ${said} ` +
      `${[
        ...questions.map(({ spa, tpa }) => `${spa} asks for ${tpa} in vain`),
        ...[...new Set(routed?.words)].map((words) => `${words} in vain`),
        ...unheard.map(({ spa, tpa }) => `${spa} asks for ${tpa}, is answered each time, and asks again`),
      ].join(', ')}.`,
    subject: { endpoint: to, sender: from, vni: tunnels.vni(tunnel), port },
    evidence: [
      ...questions.flatMap((question) => requestFrames(network, question)),
      ...unheard.flatMap(({ row }) => repeatedFrames(network, row)),
      ...(routed?.evidence ?? []),
      ...tunnelFrames(network, tunnel).slice(0, EXAMPLES),
    ],
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

function ipOf({ addresses }: Network, row: number): Ip {
  const words = [...addresses.words(row)];
  return { family: words.length === 1 ? 4 : 6, words, text: addresses.format(row) };
}
