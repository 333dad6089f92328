import type { Network } from '../../../network/network.js';
import { requestFrames } from '../../parts/question.js';
import type { Diagnosis } from '../../rule.js';
import type { GroupMembers } from './group-members.js';
import { EVERYBODY } from './peers.js';
import {
  address,
  askedInVain,
  deviceName,
  isGroup,
  onEndpoint,
  questionsBehind,
  symptomsOf,
  tunnelFrames,
  tunnelsCarrying,
  vxlanDevices,
} from './tunnel.js';

const EXAMPLES = 8;

/**
 * An endpoint floods to a multicast group, and another, which floods to it by its address and is never heard on a group, does not get what is
 * asked for stations behind it. `tunnel`: the way from that one. Null where that is not so, or the host context shows both.
 */
export function listBesideGroup(
  network: Network,
  members: GroupMembers,
  tunnel: number,
  { floods, requests }: { readonly floods: number; readonly requests: number },
): Diagnosis | null {
  const { tunnels, segments, addresses } = network;
  const inner = tunnels.inner(tunnel);
  const source = tunnels.destination(tunnel);
  const left = tunnels.source(tunnel);
  if (inner < 0 || tunnels.groupFrames(tunnel) === 0 || isGroup(network, source)) return null;
  const carrying = tunnelsCarrying(network, inner).filter((row) => tunnels.port(row) === tunnels.port(tunnel));
  const floodsOf = carrying.filter((row) => tunnels.source(row) === source && tunnels.groupFrames(row) > 0);
  const [way] = floodsOf;
  // By its address or on the group, it gets what is flooded.
  if (floodsOf.length !== 1 || !isGroup(network, tunnels.destination(way)) || tunnels.groupFrames(way) < floods)
    return null;
  if (carrying.some((row) => tunnels.source(row) === left && isGroup(network, tunnels.destination(row)))) return null;
  const group = tunnels.destination(way);
  const [words, sender] = [addresses.words(group), addresses.words(left)];
  if (words.length === 1 && members.wants(words[0], sender[0])) return null;
  const vni = tunnels.vni(tunnel);
  if ([source, left].every((endpoint) => vxlanDevices(network, endpoint, vni).length > 0)) return null;
  const questions = askedInVain(questionsBehind(network, inner, source), requests).filter(({ row }) =>
    isBehind(network, inner, row, left),
  );
  if (questions.length === 0) return null;
  const [from, to, on] = [address(network, source), address(network, left), address(network, group)];
  const name = deviceName(network, source, vni);
  const segment = tunnels.segment(tunnel);
  return {
    key: String(tunnel),
    segment,
    capture: segments.captureOf(segment),
    confidence: 'likely',
    title: `${from} floods VNI ${vni} to ${on}, and ${to} does not seem to be on that group`,
    summary:
      `${from} sends the broadcasts of VNI ${vni} to multicast group ${on}. ${to} takes part in the VNI, but floods to ${from} by its address, and never to a group. ` +
      `Who is behind ${to} does not hear what is asked: ${questions.map(({ spa, tpa }) => `${spa} asks for ${tpa}`).join(', ')}, in vain.`,
    subject: { endpoint: from, missing: to, group: on, vni },
    count: questions.reduce((sum, each) => sum + each.requests, 0),
    first: Math.min(...questions.map(({ first }) => first)),
    last: Math.max(...questions.map(({ last }) => last)),
    evidence: [
      ...questions.flatMap((question) => requestFrames(network, question)),
      ...[way, tunnel].flatMap((row) => tunnelFrames(network, row).slice(0, EXAMPLES)),
    ],
    cause:
      'One VXLAN device of the VNI was made with a multicast group, and the other with the addresses of endpoints.',
    remedy: [
      {
        text: 'See what both were made with',
        commands: [source, left].map((endpoint) => onEndpoint(network, endpoint, 'ip -d link show type vxlan')),
      },
      {
        text: `Name ${to} in the flood list of ${from}, beside the group`,
        commands: [onEndpoint(network, source, `bridge fdb append ${EVERYBODY} dev ${name} dst ${to}`)],
      },
    ],
    caveats: [`that ${to} is on no group is concluded: it may have joined ${on} and flood elsewhere`],
    wouldRaise: ['`ip -d link` and `bridge fdb` of both ends (--context)'],
    explains: symptomsOf(network, questions),
  };
}

/** Whether the station that has the address asked for was heard behind an endpoint. */
function isBehind(network: Network, inner: number, question: number, endpoint: number): boolean {
  const { claims, bindings, resolutions, tunnelStations } = network;
  const holder = claims.holder(inner, resolutions.tpa(question));
  const station = holder < 0 ? -1 : tunnelStations.find(inner, bindings.hi(holder), bindings.lo(holder));
  return station >= 0 && tunnelStations.heardAt(station) === endpoint;
}
