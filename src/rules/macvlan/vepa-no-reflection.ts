import type { HostContext } from '../../network/context/host-context.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { clientOf } from '../dhcp/parts/client.js';
import { asSymptom, label, type Question, questionOf, requestFrames } from '../parts/question.js';
import type { Diagnosis, Remedy, Rule } from '../rule.js';
import { DhcpSilence, type SilentClient } from './parts/dhcp-silence.js';
import { contextOf, guestHolds, kinship, macvlanPair, parentName } from './parts/siblings.js';
import { vepaInVain } from './parts/vepa-in-vain.js';
import { vepaPicture, vepaRemedies } from './parts/vepa-words.js';

/** Children in VEPA mode, and no switch that sends their frames back (catalogue B1). */
export const vepaNoReflection: Rule = {
  meta: {
    id: 'macvlan/vepa-no-reflection',
    severity: 'error',
    summary: 'macvlan VEPA without reflective relay (hairpin): children of one device cannot reach each other',
    catalogue: 'B1',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests in vain', source: "the kernel's mcast_solicit" },
      syns: { value: 3, unit: 'SYNs in vain', source: 'the client waited a second and more for each but the last' },
      discovers: {
        value: 3,
        unit: 'DHCP discovers in vain',
        source: 'the first two may meet a server that just starts',
      },
    },
  },
  create(context) {
    const { network, report, withdraw, thresholds } = context;
    const dhcp = network.context && new DhcpSilence(network);
    return {
      layers: dhcp ? { Dhcp: (frame, layer) => dhcp.observe(frame, layer) } : {},
      captureEnd(capture) {
        if (!dhcp || !network.context) return;
        for (const [key, client] of dhcp.clients)
          if (client.capture === capture && !client.offered && client.count >= thresholds.discovers)
            report({ ...ofClient(network.context, key, client), explains: withoutOffer(network, client) });
      },
      events: {
        ...vepaInVain(context).events,
        unanswered(row) {
          const question = questionOf(network, row);
          if (question.requests < thresholds.requests) return;
          const diagnosis = network.context ? byContext(network, question) : byPackets(network, question);
          if (diagnosis) report(diagnosis);
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};

function byContext(network: Network, question: Question): Diagnosis | null {
  const { context } = network;
  if (!context) return null;
  const pair = macvlanPair(context, question);
  if (pair?.child.mode !== 'vepa') return null;
  const { other, isParent, parent, isGuess } = pair;
  if (!isParent && other.mode !== 'vepa' && other.mode !== 'bridge') return null;
  const relay = parent ? context.reflectiveRelay(parent) : 'unknown';
  // Whatever came back proves that frames are reflected, unless the context says that they are not.
  if ((isGuess && relay !== 'off') || guestHolds(network, question.row, pair) === 'no') return null;
  if (relay === 'on' || (relay === 'unknown' && network.resolutions.echoes(question.row) > 0)) return null;
  const { spa, tpa } = question;
  return {
    ...base(network, question, parentName(pair), vepaRemedies(context, pair, question)),
    confidence: (relay === 'off' || parent) && !isGuess ? 'certain' : 'likely',
    summary:
      `${spa} asks who has ${tpa}, ${question.requests} times, and nothing comes back. ${label(other)} ${isParent ? `is the parent of ${label(pair.child)}` : kinship(context, pair)}${isGuess ? ', and its guest may be the one asked for' : ''}: ` +
      'in VEPA mode the host never hands frames from one to the other itself; only a switch that reflects them to the port they came from can, and this one does not.',
    caveats: [
      ...(relay === 'unknown'
        ? ['the switch port is not in the host context: that it does not reflect is concluded from the silence']
        : []),
      ...(isGuess ? ['the address belongs to a guest that the host context does not show'] : []),
    ],
    wouldRaise: [
      ...(relay === 'unknown' ? ['a capture on the switch port facing this host'] : []),
      ...(isGuess ? [`the addresses of the guest behind ${label(other)}`] : []),
    ],
    context: contextOf(context, pair),
    picture: isParent ? [] : vepaPicture(question, pair),
  };
}

/** DHCP asks by broadcast, so a server on a sibling never hears it. That the sibling is the server the context cannot say. */
function ofClient(
  context: HostContext,
  key: string,
  { child, sibling, capture, count, first, last, frames }: SilentClient,
): Diagnosis {
  const pair = { child, other: sibling, isParent: false, parent: child.parent, isGuess: true };
  return {
    key: `dhcp ${key}`,
    segment: -1,
    capture,
    count,
    first,
    last,
    confidence: 'likely',
    title: `${label(child)} gets no DHCP offer, and no sibling hears it ask (macvlan VEPA)`,
    summary:
      `${label(child)} sent ${count} DHCP discovers and nobody offered an address. It is in VEPA mode behind a switch port that does not reflect, so ` +
      `no sibling on ${parentName(pair)} hears its broadcasts: if ${label(sibling)} is the server, this is why it does not answer.`,
    subject: { mac: child.mac?.text ?? '', device: label(child) },
    evidence: frames,
    cause: `VEPA mode on ${parentName(pair)} needs a switch with reflective relay (hairpin), and the switch has none.`,
    remedy: vepaRemedies(context, pair),
    caveats: ['a DHCP server elsewhere that is down looks alike'],
    wouldRaise: [`whether a DHCP server runs in ${printable(sibling.namespace)}`],
    context: contextOf(context, pair),
  };
}

/** The findings of `dhcp/no-offer` about a client. */
function withoutOffer(network: Network, { child, capture }: SilentClient) {
  const { leases } = network;
  const found: { rule: 'dhcp/no-offer'; key: string }[] = [];
  for (let row = 0; row < leases.clientCount; row++) {
    if (leases.hi(row) !== child.mac?.hi || leases.lo(row) !== child.mac.lo) continue;
    const client = clientOf(network, row);
    if (client.capture === capture) found.push({ rule: 'dhcp/no-offer', key: client.key });
  }
  return found;
}

/** Without host context: the target was seen to be sent for by this very machine, from another MAC. */
function byPackets(network: Network, question: Question): Diagnosis | null {
  const { segments, stations, bindings, resolutions, claims } = network;
  const { segment, row, spa, tpa } = question;
  // A capture on all devices may be a bridge's: at each port everything from the others seems to be sent from here.
  if (segments.describe(segment).deviceIndex > 0) return null;
  if (!segments.sawOutbound(segment) || !segments.sawInbound(segment) || resolutions.echoes(row) > 0) return null;
  const holder = claims.holder(segment, resolutions.tpa(row));
  if (holder < 0) return null;
  const isLocal = (hi: number, lo: number) => {
    const station = stations.find(segment, hi, lo);
    return station >= 0 && stations.sentOut(station) && !stations.cameIn(station);
  };
  const isSame = bindings.hi(holder) === resolutions.hi(row) && bindings.lo(holder) === resolutions.lo(row);
  if (
    isSame ||
    !isLocal(resolutions.hi(row), resolutions.lo(row)) ||
    !isLocal(bindings.hi(holder), bindings.lo(holder))
  )
    return null;
  return {
    ...base(network, question, 'this interface', [
      {
        text: 'On the host: let its children talk inside it',
        commands: ['ip -d link show type macvlan', 'ip link set <child> type macvlan mode bridge'],
      },
      {
        text: 'Or on a Linux bridge as switch, at the port facing this host',
        commands: ['bridge link set dev <port> hairpin on'],
      },
    ]),
    confidence: 'hint',
    summary:
      `${spa} asks who has ${tpa}, ${question.requests} times. Both have sent through this interface from MACs of their own, so they are children of one device; ` +
      'the requests leave and no copy of them comes back in.',
    caveats: [
      'private mode, or a sibling that is down, looks alike from here',
      'so does the port of a bridge that has both behind other ports',
      'one of the two may be the host itself, which macvlan keeps apart from its children in every mode (macvlan/host-isolation)',
    ],
    wouldRaise: ['`ip -d link` of both (--context): a child and its host, or children in mode vepa or private'],
  };
}

function base(network: Network, question: Question, parent: string, remedy: Remedy[]) {
  const { tpa, spa, mac } = question;
  return {
    ...question,
    title: `${spa} cannot reach ${tpa}: nothing reflects frames back (macvlan VEPA)`,
    subject: { ip: tpa, requester: spa, mac },
    evidence: requestFrames(network, question),
    cause: `VEPA mode on ${parent} needs a switch with reflective relay (hairpin), and the switch has none.`,
    remedy,
    explains: [...asSymptom(question), { rule: 'ipvlan/l3-unreachable' as const, key: question.key }],
  };
}
