import type { Network } from '../../../network/network.js';
import type { Frame } from '../../../wire/frame.js';
import { GROUP, IgmpType, igmpType } from '../../../wire/igmp.js';
import { ipv4Source } from '../../../wire/ipv4.js';
import { printable } from '../../../wire/printable.js';
import { Protocol } from '../../../wire/protocol.js';
import { at } from '../../parts/device-argument.js';
import { requestFrames } from '../../parts/question.js';
import type { Diagnosis } from '../../rule.js';
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
const MAX_MEMBERS = 4096;
/** Tunnels that are looked at for another sender on the group. */
const MAX_TUNNELS = 4096;
/** Number of records in a version 3 report, the first of them, and in each its type, lengths and group (RFC 3376 section 4.2). */
const RECORDS = 6;
const FIRST_RECORD = 8;
const RECORD_LENGTH = 8;
const RECORD_GROUP = 4;
const SOURCES = 2;
const AUXILIARY = 1;
/** Record types that leave a group: it includes no source. */
const LEAVES: readonly number[] = [3, 6];

/** Who said by IGMP that it wants a multicast group. */
export class GroupMembers {
  private readonly members = new Set<string>();

  observe({ view, offsets, kinds, ends }: Frame, layer: number): void {
    if (layer === 0 || kinds[layer - 1] !== Protocol.Ipv4) return;
    const source = ipv4Source(view, offsets[layer - 1]);
    // A device that has no address yet is nobody in particular.
    if (source === 0) return;
    const at = offsets[layer];
    const type = igmpType(view, at);
    if (type === IgmpType.ReportV1 || type === IgmpType.ReportV2) this.add(view.getInt32(at + GROUP), source);
    if (type !== IgmpType.ReportV3) return;
    let record = at + FIRST_RECORD;
    for (let left = view.getUint16(at + RECORDS); left > 0 && record + RECORD_LENGTH <= ends[layer]; left--) {
      const sources = view.getUint16(record + SOURCES);
      if (sources > 0 || !LEAVES.includes(view.getUint8(record)))
        this.add(view.getInt32(record + RECORD_GROUP), source);
      record += RECORD_LENGTH + sources * 4 + view.getUint8(record + AUXILIARY) * 4;
    }
  }

  private add(group: number, source: number): void {
    if (this.members.size < MAX_MEMBERS) this.members.add(`${group} ${source}`);
  }

  /** Whether a host wants a group; addresses in signed words. */
  wants(group: number, source: number): boolean {
    return this.members.has(`${group} ${source}`);
  }

  /** Whether anybody else than `source` wants it. */
  isWantedByOthers(group: number, source: number): boolean {
    const own = `${group} ${source}`;
    for (const each of this.members) if (each !== own && each.startsWith(`${group} `)) return true;
    return false;
  }
}

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
  if (tunnelsCarrying(network, inner).some((row) => tunnels.source(row) !== source)) return null;
  const segment = tunnels.segment(tunnel);
  for (let row = 0; row < Math.min(tunnels.count, MAX_TUNNELS); row++)
    if (tunnels.destination(row) === group && tunnels.source(row) !== source && tunnels.segment(row) === segment)
      return null;
  const questions = askedInVain(questionsBehind(network, inner, source), requests).filter(
    ({ first }) => network.now - first >= patience * 1e9,
  );
  if (questions.length === 0) return null;
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
  const name = deviceName(network, source, vni);
  const [below] = context?.devicesByIp(sender) ?? [];
  const bridge = (below && context?.switchPort(below)?.master) ?? null;
  const [device] = vxlanDevices(network, source, vni);
  const known = context && device ? peersOf(context, device) : [];
  const onBridge = (command: string) => at(bridge, command);
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
    remedy: [
      {
        text: 'See who wants the group, on the bridge below and on the endpoint',
        commands: [
          onBridge('bridge mdb show'),
          onEndpoint(network, source, `ip maddr show dev ${underlayName(network, source)}`),
        ],
      },
      {
        text: 'Let the bridge below ask who wants groups; members answer within some seconds',
        commands: [onBridge(`ip link set ${bridge ? printable(bridge.name) : '<bridge>'} type bridge mcast_querier 1`)],
      },
      {
        text: 'Or let it flood them all',
        commands: [
          onBridge(`ip link set ${bridge ? printable(bridge.name) : '<bridge>'} type bridge mcast_snooping 0`),
        ],
      },
      {
        text: 'Or do without multicast: name each other endpoint',
        commands: (known.length > 0 ? known : ['<endpoint>']).map((each) =>
          onEndpoint(network, source, `bridge fdb append ${EVERYBODY} dev ${name} dst ${each}`),
        ),
      },
    ],
    caveats: [
      ...(others ? [] : ['nothing here shows that there is another endpoint on the group']),
      ...(isKnown ? [] : ['an address that nobody has stays without an answer too']),
    ],
    wouldRaise: ['a capture at another endpoint: do the packets arrive?'],
    context: vxlanDevices(network, source, vni).map(vxlanLine),
    explains: symptomsOf(network, questions),
  };
}
