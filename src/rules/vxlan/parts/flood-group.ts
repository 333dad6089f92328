import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { at } from '../../parts/device-argument.js';
import { type Question, requestFrames } from '../../parts/question.js';
import type { Diagnosis, Remedy } from '../../rule.js';
import { deviceDown } from './device-down.js';
import { filteredBelow } from './filtered-below.js';
import { groupGap } from './group-gap.js';
import type { GroupMembers } from './group-members.js';
import { EVERYBODY, peersOf } from './peers.js';
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
  underlayName,
  vxlanDevices,
  vxlanLine,
} from './tunnel.js';

const EXAMPLES = 8;
/** Tunnels that are looked at for another sender on the group. */
const MAX_TUNNELS = 4096;
/**
 * An endpoint floods to a multicast group, is never answered, and nobody else is ever heard on the group (catalogue F8): the
 * network below may not carry it. Null where that is not so.
 */
export function unheardGroup(
  network: Network,
  members: GroupMembers,
  tunnel: number,
  { floods, requests, patience }: { readonly floods: number; readonly requests: number; readonly patience: number },
): Diagnosis | null {
  const { tunnels, segments, context, claims, resolutions, addresses } = network;
  const inner = tunnels.inner(tunnel);
  const group = tunnels.destination(tunnel);
  const source = tunnels.source(tunnel);
  if (inner < 0 || !isGroup(network, group) || tunnels.groupFrames(tunnel) < floods) return null;
  if (hasOtherSender(network, tunnel)) return null;
  const segment = tunnels.segment(tunnel);
  const questions = askedInVain(questionsBehind(network, inner, source), requests).filter(
    ({ first }) => network.now - first >= patience * 1e9,
  );
  if (questions.length === 0) return null;
  // What the host context shows of one of the ends is told by itself.
  if (questions.some((question) => isToldByContext(network, question))) return null;
  const vni = tunnels.vni(tunnel);
  const [from, to] = [address(network, source), address(network, group)];
  const own = new Set(vxlanDevices(network, source).map(({ namespace }) => namespace));
  const peers = context?.devices.filter(({ vxlan, namespace }) => vxlan?.id === vni && !own.has(namespace)) ?? [];
  // Endpoints on different groups are vxlan/group-mismatch.
  if (peers.some(({ vxlan }) => vxlan?.group?.text !== to)) return null;
  const [words, sender] = [addresses.words(group), addresses.words(source)];
  const isIpv4 = words.length === 1 && sender.length === 1;
  const others = peers.length > 0 || (isIpv4 && members.isWantedByOthers(words[0], sender[0]));
  // One address may be nobody's; two, or one that somebody is known to have, are not.
  const isKnown = questions.some(
    ({ row, target, segment: asked }) => target !== null || claims.holder(asked, resolutions.tpa(row)) >= 0,
  );
  const isLikely = others && (isKnown || new Set(questions.map(({ tpa }) => tpa)).size > 1);
  const joined = isIpv4 && members.wants(words[0], sender[0]);
  return {
    key: String(tunnel),
    segment,
    capture: segments.captureOf(segment),
    confidence: isLikely ? 'likely' : 'hint',
    title: `${from} floods VNI ${vni} to ${to}, and nobody else is heard on that group`,
    summary:
      `${from} sends the broadcasts of VNI ${vni} to multicast group ${to}, ${tunnels.groupFrames(tunnel)} of them here${joined ? ', and says by IGMP that it wants the group' : ''}. ` +
      `No other endpoint ever sends to it, and none answers: ${questions.map(({ spa, tpa }) => `${spa} asks for ${tpa}`).join(', ')}, in vain.`,
    subject: { endpoint: from, group: to, vni },
    count: tunnels.frames(tunnel),
    first: tunnels.first(tunnel),
    last: tunnels.last(tunnel),
    evidence: [
      ...questions.flatMap((question) => requestFrames(network, question)),
      ...tunnelFrames(network, tunnel).slice(0, EXAMPLES),
    ],
    cause: `The network below does not carry ${to} between the endpoints: IGMP snooping without a querier forgets who wants the group, no router forwards multicast, or a cloud drops it.`,
    remedy: remedyOf(network, source, vni),
    caveats: [
      ...(others ? [] : ['nothing here shows that there is another endpoint on the group']),
      ...(isKnown ? [] : ['an address that nobody has stays without an answer too']),
    ],
    wouldRaise: ['a capture at another endpoint: do the packets arrive?'],
    context: vxlanDevices(network, source, vni).map(vxlanLine),
    explains: symptomsOf(network, questions),
  };
}

function isToldByContext(network: Network, question: Question): boolean {
  return [deviceDown, groupGap, filteredBelow].some((tell) => tell(network, question) !== null);
}

/** Whether anybody else sends through the tunnel's VNI, or to its group. */
function hasOtherSender(network: Network, tunnel: number): boolean {
  const { tunnels } = network;
  const source = tunnels.source(tunnel);
  if (tunnelsCarrying(network, tunnels.inner(tunnel)).some((row) => tunnels.source(row) !== source)) return true;
  const group = tunnels.destination(tunnel);
  const segment = tunnels.segment(tunnel);
  for (let row = 0; row < Math.min(tunnels.count, MAX_TUNNELS); row++)
    if (tunnels.destination(row) === group && tunnels.source(row) !== source && tunnels.segment(row) === segment)
      return true;
  return false;
}

function remedyOf(network: Network, source: number, vni: number): Remedy[] {
  const { context, addresses } = network;
  const [below] = context?.devicesByIp(addresses.words(source)) ?? [];
  const bridge = (below && context?.switchPort(below)?.master) ?? null;
  const bridgeName = bridge ? printable(bridge.name) : '<bridge>';
  const [device] = vxlanDevices(network, source, vni);
  const known = context && device ? peersOf(context, device) : [];
  const name = deviceName(network, source, vni);
  return [
    {
      text: 'See who wants the group, on the bridge below and on the endpoint',
      commands: [
        at(bridge, 'bridge mdb show'),
        onEndpoint(network, source, `ip maddr show dev ${underlayName(network, source)}`),
      ],
    },
    {
      text: 'Let the bridge below ask who wants groups; members answer within some seconds',
      commands: [at(bridge, `ip link set ${bridgeName} type bridge mcast_querier 1`)],
    },
    {
      text: 'Or let it flood them all',
      commands: [at(bridge, `ip link set ${bridgeName} type bridge mcast_snooping 0`)],
    },
    {
      text: 'Or do without multicast: name each other endpoint',
      commands: (known.length > 0 ? known : ['<endpoint>']).map((each) =>
        onEndpoint(network, source, `bridge fdb append ${EVERYBODY} dev ${name} dst ${each}`),
      ),
    },
  ];
}
