import type { Network } from '../../../network/network.js';
import { Direction, type Frame } from '../../../wire/frame.js';
import {
  type Asked,
  type OwnDrop,
  ownDropConfidence,
  ownDropWords,
  ownFirewallDrop,
} from '../../parts/firewalls/own-firewall.js';
import { placeKey } from '../../parts/firewalls/words.js';
import type { Diagnosis, EvidenceRef, RuleContext } from '../../rule.js';

/** Findings, and pings in one. */
const MAX_GROUPS = 64;
const MAX_MEMBERS = 32;
/** Replies of a ping that are named. */
const EXAMPLES = 4;

/** A ping whose replies come, and what drops them. */
interface Answered extends OwnDrop {
  readonly row: number;
  readonly identifier: number;
  readonly asked: Asked;
  readonly capture: number;
  readonly examples: EvidenceRef[];
  /** Replies, and those of earlier runs of ping between the two. */
  count: number;
  readonly earlier: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Pings whose replies are in the capture and that fail all the same: by the host context the firewall of the machine that pings drops what it gets,
 * behind the place where tcpdump listens.
 */
export function droppedReplies({ network, report }: RuleContext) {
  const groups = new Map<string, Map<string, Answered>>();

  function pingAnswered(row: number, frame: Frame, layer: number): void {
    const { pings, segments } = network;
    if (!network.context || pings.requests(row) === 0) return;
    const asked = askedOf(network, row);
    const own = ownFirewallDrop(network, asked);
    if (!own) return;
    const capture = segments.captureOf(asked.segment);
    const key = `${capture} own ${own.drop.namespace.name} ${placeKey(own.drop.place)}`;
    const group = groups.get(key) ?? new Map<string, Answered>();
    const name = `${asked.from} ${asked.to}`;
    if (!groups.has(key)) {
      if (groups.size === MAX_GROUPS) return;
      groups.set(key, group);
    }
    const before = group.get(name);
    if (!before && group.size === MAX_MEMBERS) return;
    // A bridge and its port show the same replies.
    if (before && before.row !== row && before.identifier === pings.identifier(row)) return;
    const examples = before?.examples ?? [];
    if (examples.length < EXAMPLES) examples.push(replyOf(asked, capture, frame, layer));
    const identifier = pings.identifier(row);
    const isSame = before?.row === row && before.identifier === identifier;
    const earlier = (isSame ? before?.earlier : before?.count) ?? 0;
    group.set(name, {
      ...own,
      asked,
      capture,
      row,
      identifier,
      examples,
      count: earlier + pings.replies(row),
      earlier,
      first: before?.first ?? frame.time,
      last: frame.time,
    });
    report(tell(key, [...group.values()]));
  }

  /** All replies have come. */
  function captureEnd(capture: number): void {
    const { pings } = network;
    for (const [key, group] of groups) {
      const members = [...group.values()].filter((member) => member.capture === capture);
      for (const member of members)
        if (pings.identifier(member.row) === member.identifier)
          member.count = Math.max(member.count, member.earlier + pings.replies(member.row));
      if (members.length > 0) report(tell(key, members));
    }
  }

  return { pingAnswered, captureEnd };
}

function askedOf({ pings, addresses }: Network, row: number): Asked {
  const [source, destination] = [pings.source(row), pings.destination(row)];
  return {
    segment: pings.segment(row),
    source,
    destination,
    from: addresses.format(source),
    to: addresses.format(destination),
    isIpv4: addresses.isIpv4(source),
    protocol: 'icmp',
    sourcePort: null,
    destinationPort: null,
    wentOut: pings.went(row, Direction.Out) && !pings.went(row, Direction.In),
  };
}

function replyOf({ isIpv4, from, to }: Asked, capture: number, frame: Frame, layer: number): EvidenceRef {
  return {
    capture,
    frame: frame.number,
    layer: isIpv4 ? 'icmp' : 'icmpv6',
    offset: frame.offsets[layer] - frame.start,
    length: 8,
    note: `echo reply ${to} > ${from}`,
  };
}

function tell(key: string, members: readonly Answered[]): Diagnosis {
  const [{ asked, capture }] = members;
  const { from, to } = asked;
  const others = members.length > 1 ? ` and ${members.length - 1} more` : '';
  return {
    ...ownDropWords(members, from, 'replies', false),
    key,
    capture,
    segment: asked.segment,
    confidence: ownDropConfidence(members[0]),
    title: `The firewall of ${from} drops the replies to its own pings of ${to}${others}`,
    summary:
      `${from} pings ${to}${others}, and is answered: the replies are in this capture. By the rules of its firewall ` +
      `they end there, and \`ping\` on ${from} gets none.`,
    subject: { source: from, destination: to },
    count: members.reduce((sum, each) => sum + each.count, 0),
    first: Math.min(...members.map(({ first }) => first)),
    last: Math.max(...members.map(({ last }) => last)),
    evidence: members.flatMap(({ examples }) => examples),
  };
}
