import type { Device } from '../../../network/context/device.js';
import { dropsAt, type InputDrop } from '../../../network/context/input-drops.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { requestFrames } from '../../parts/question.js';
import { asRepeated, repeatedFrames } from '../../parts/repeated.js';
import type { Diagnosis } from '../../rule.js';
import type { RoutedSilence } from './routed-silence.js';
import { address, askedAgain, askedInVain, onEndpoint, questionsBehind, symptomsOf, tunnelFrames } from './tunnel.js';

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
  const found = dropFor(network, tunnel);
  if (!found) return null;
  const questions = askedInVain(questionsBehind(network, inner, source), times).filter(({ first }) => first <= since);
  // What is asked behind the endpoint and answered through this tunnel, again and again: the answers do not arrive.
  const unheard = askedAgain(network, inner, destination, source);
  const routed = routedOf(tunnel);
  if (questions.length + unheard.length === 0 && !routed) return null;
  const { drop, device } = found;
  // Rules before it may let this sender in; then whoever sends single stations of ours something has heard them.
  if (drop.isAfterOthers && unheard.length === 0 && hasAnswered(network, tunnel)) return null;
  const isSure = drop.packets !== null && !drop.isAfterOthers;
  const from = address(network, source);
  const to = address(network, destination);
  const port = tunnels.port(tunnel);
  const segment = tunnels.segment(tunnel);
  const place = printable(`${drop.family} ${drop.table} ${drop.chain}`);
  const ip = to.includes(':') ? 'ip6' : 'ip';
  const counted = drop.packets === null ? '' : `, and counted ${drop.packets} packets`;
  const at = (command: string) => onEndpoint(network, destination, command);
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
    title: `${to} drops the VXLAN from ${from}: a rule of its firewall is against UDP port ${port}`,
    summary:
      `${from} sent ${tunnels.frames(tunnel)} VXLAN packets of VNI ${tunnels.vni(tunnel)} to ${to}, UDP port ${port}. ` +
      `On the machine of ${to} a rule in the chain ${place} drops that port${counted}. ` +
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
    cause: `The rule takes the packets before the VXLAN device gets them. tcpdump on ${printable(device.name)} still shows them: it listens in front of the firewall.`,
    remedy: [
      { text: `On ${to}: see the rule, its handle and its count`, commands: [at(`nft -a list chain ${place}`)] },
      {
        text: `Let in VXLAN from ${from}, in front of it`,
        commands: [at(`nft insert rule ${place} ${ip} saddr ${from} udp dport ${port} accept`)],
      },
      {
        text: 'Or take the rule away',
        commands: [at(`nft delete rule ${place} handle ${drop.handle ?? '<handle>'}`)],
      },
    ],
    caveats: [
      ...(drop.packets === null ? ['the rule does not count: that it took these packets is concluded'] : []),
      ...(drop.isAfterOthers ? [`a rule before it in the chain may let ${from} in`] : []),
    ],
    wouldRaise: isSure ? [] : [`\`nft monitor trace\` at ${to}: which rule takes the packets?`],
    context: [`${place}${drop.handle === null ? '' : ` handle ${drop.handle}`}: drops UDP ${port}${counted}`],
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

/** The rule that takes what a tunnel sends, on the one machine that holds its destination, and a device that holds it. */
function dropFor(network: Network, tunnel: number): { drop: InputDrop; device: Device } | null {
  const { context, tunnels, addresses } = network;
  const devices = context?.devicesByIp(addresses.words(tunnels.destination(tunnel))) ?? [];
  const [device] = devices;
  if (!context || !device || devices.some(({ namespace }) => namespace !== device.namespace)) return null;
  const drops = context.namespaces.get(device.namespace)?.firewall?.inputDrops ?? [];
  const source = addresses.words(tunnels.source(tunnel));
  const names = devices.map(({ name }) => name);
  const drop = drops.find(
    (each) =>
      dropsAt(each, tunnels.port(tunnel), source, names) &&
      // What counts and counted nothing took nothing; what does not count took them if nothing before it could.
      (each.packets === null ? !each.isAfterOthers : each.packets > 0),
  );
  return drop ? { drop, device } : null;
}
