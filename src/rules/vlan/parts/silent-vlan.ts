import type { Network } from '../../../network/network.js';
import { type Question, requestFrames } from '../../parts/question.js';
import type { Diagnosis } from '../../rule.js';
import { differByOne, tagWords } from './tags.js';

/** Whether others than the asker's machine are heard in a segment, and whether somebody is written to. */
interface Voices {
  readonly others: boolean;
  readonly written: boolean;
}

/**
 * A host asks in a VLAN in which nothing at all comes back, not even a broadcast, while another VLAN of the same port is alive
 * (catalogue E1, second form). Null unless it went on for `quiet` seconds.
 */
export function silentVlan(network: Network, question: Question, quiet: number): Diagnosis | null {
  const { segments } = network;
  const { segment, spa, tpa, mac, first, requests } = question;
  const { vlans } = segments.describe(segment);
  if (vlans.length === 0 || segments.tunnelOf(segment) >= 0 || network.now - first < quiet * 1e9) return null;
  const here = voicesIn(network, question, segment);
  if (here.others || here.written) return null;
  const living = segments.siblings(segment).filter((each) => {
    const { others, written } = voicesIn(network, question, each);
    return others && written;
  });
  const home = living.find((each) => segments.describe(each).vlans.length > 0) ?? living[0];
  if (home === undefined) return null;
  const there = segments.describe(home).vlans;
  const vid = vlans[vlans.length - 1];
  const isAccess = differByOne(vlans, there) && there.length < vlans.length;
  return {
    ...question,
    confidence: 'hint',
    title: `Nothing is heard in VLAN ${vlans.join('/')} but ${spa} itself: the port may not carry it`,
    summary:
      `${spa} asks who has ${tpa} ${tagWords(vlans)}, ${requests} times in vain, and in ${Math.floor((network.now - first) / 1e9)} s not one frame of anybody else came ${tagWords(vlans)}, no broadcast either. ` +
      `The same port is alive ${tagWords(there)}.`,
    subject: { ip: tpa, requester: spa, mac },
    evidence: requestFrames(network, question),
    cause: isAccess
      ? `The switch port is an access port, which drops frames with a tag, or its trunk does not let VLAN ${vid} pass.`
      : `VLAN ${vid} is not allowed on the trunk, or does not exist on the switch.`,
    remedy: [
      {
        text: 'Let the port carry the VLAN: a Linux bridge, other switches',
        commands: [`bridge vlan add dev <port to this host> vid ${vid}`, `switchport trunk allowed vlan add ${vid}`],
      },
      {
        text: 'A Linux bridge whose own address is in the VLAN: the bridge itself needs it, too',
        commands: [`bridge vlan add dev <bridge> vid ${vid} self`],
      },
    ],
    caveats: ['an empty VLAN looks alike: nobody but this host in it'],
    wouldRaise: ['a capture at the other end of the link: do the requests arrive?', 'the VLANs of the switch port'],
  };
}

/** What only goes out is of the asker's machine; without directions only the asker's MAC is known to be. */
function voicesIn({ stations, segments, resolutions }: Network, { row }: Question, segment: number): Voices {
  const rows = stations.in(segment);
  const hasDirections = segments.sawInbound(segment) || segments.sawOutbound(segment);
  const isOurs = (station: number) =>
    (stations.hi(station) === resolutions.hi(row) && stations.lo(station) === resolutions.lo(row)) ||
    (hasDirections && !stations.cameIn(station));
  return {
    others: rows.some((station) => stations.sent(station) > 0 && !isOurs(station)),
    written: rows.some((station) => stations.wasWrittenTo(station)),
  };
}
