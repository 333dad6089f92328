import type { Network } from '../../network/network.js';
import { DhcpMessage, DhcpOption, dhcpHasOption, dhcpMessageType, dhcpWordOption, YIADDR } from '../../wire/dhcp.js';
import type { Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import { udpDestinationPort } from '../../wire/udp.js';
import { confidenceBy } from '../parts/confidence.js';
import { stuckConnections } from '../parts/connections/connection.js';
import { at as commandAt, deviceHolding } from '../parts/device-argument.js';
import { bytesOf } from '../parts/evidence.js';
import { nextRouter } from '../parts/next-router.js';
import { unansweredPings } from '../parts/pings/ping.js';
import { askerKey, type Question, questionOf, requestFrames } from '../parts/question.js';
import { segmentAt } from '../parts/segment.js';
import { listed } from '../parts/words.js';
import type { Confidence, Rule } from '../rule.js';
import { type Elsewhere, elsewhere, type Leased } from './parts/subnets.js';

/** Hosts that a finding is made about, targets in one, and subnets remembered of one segment, at most. */
const MAX_ASKERS = 256;
const MAX_TARGETS = 16;
const MAX_SUBNETS = 8;
const MAX_SEGMENTS = 1024;
/** Targets that a title names. */
const MAX_NAMED = 3;
/** UDP port of DHCP clients: what a relay sends on to a server tells of another link. */
const DHCP_CLIENT = 68;

interface Target {
  readonly question: Question;
  readonly found: Elsewhere;
}

const RANKS: readonly Confidence[] = ['hint', 'likely', 'certain'];

/** A host asks for addresses on its own link that are elsewhere (catalogue A12). */
export const offSubnetTarget: Rule = {
  meta: {
    id: 'arp/off-subnet-target',
    severity: 'warning',
    summary: 'A host asks by ARP for an address that is not on its link: wrong mask, or a route without gateway',
    catalogue: 'A12',
    thresholds: {
      requests: { value: 3, unit: 'requests in vain that make more than a hint', source: "the kernel's mcast_solicit" },
      publicTargets: {
        value: 2,
        unit: 'public networks (/24) asked for in vain by a private address that make more than a hint',
        source: 'a link may have one public subnet beside its private one',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions } = network;
    /** By asker, the rows of its questions, each with its key: a full table gives rows to other questions. */
    const askers = new Map<string, Map<number, string>>();
    const leased = new Map<number, Leased[]>();

    function look(question: Question): void {
      const key = askerKey(question);
      const rows = askers.get(key) ?? new Map<number, string>();
      if (!askers.has(key)) {
        if (askers.size === MAX_ASKERS) return;
        askers.set(key, rows);
      }
      if (rows.size < MAX_TARGETS || rows.has(question.row)) rows.set(question.row, question.key);
      tell(key, rows);
    }

    function tell(key: string, rows: Map<number, string>): void {
      const targets: Target[] = [];
      for (const [row, name] of rows) {
        const question = questionOf(network, row);
        if (question.key !== name) continue;
        const found = elsewhere(network, question, leased.get(question.segment) ?? []);
        if (found) targets.push({ question, found });
      }
      // The strongest reason is the finding's; what has a weaker one of its own is a symptom of the same cause.
      const [best] = targets.toSorted((a, b) => rank(b) - rank(a));
      if (!best) withdraw(key);
      else say(key, best, targets);
    }

    function say(key: string, { question, found }: Target, targets: readonly Target[]): void {
      const { spa, mac, segment, capture, isIpv4 } = question;
      const tpas = [...new Set(targets.map((each) => each.question.tpa))];
      const named = listed(tpas, MAX_NAMED);
      const count = targets.reduce((sum, each) => sum + each.question.requests, 0);
      const confidence = confidenceOf(found, targets);
      report({
        key,
        segment,
        capture,
        count,
        first: Math.min(...targets.map((each) => each.question.first)),
        last: Math.max(...targets.map((each) => each.question.last)),
        confidence,
        title: `${spa} asks its own link for ${named}, which ${tpas.length > 1 ? 'are' : 'is'} not there: ${shortly(found)}`,
        summary:
          `${spa} (${mac}) asks by ${isIpv4 ? 'ARP' : 'neighbor solicitation'} who has ${named}, ${count} times in vain. ${found.reason} ` +
          'A host asks only for addresses that it takes for its neighbours; all others go to its gateway.',
        subject: { ip: question.tpa, requester: spa, mac },
        evidence: [...found.evidence, ...targets.flatMap((each) => requestFrames(network, each.question))],
        cause: causeOf(found, question),
        remedy: remedies(network, question, found),
        caveats: targets.every((each) => each.question.requests < thresholds.requests)
          ? ['only two requests, the last of them perhaps answered after the capture ended']
          : [],
        wouldRaise: confidence === 'certain' ? [] : wouldRaise(spa, found),
        context: found.context,
        explains: targets.flatMap((each) => symptomsOf(each.question)),
      });
    }

    function confidenceOf(found: Elsewhere, targets: readonly Target[]): Confidence {
      if (targets.every(({ question }) => question.requests < thresholds.requests)) return 'hint';
      if (found.kind === 'public') {
        const networks = new Set(targets.map(({ question }) => question.tpa.slice(0, question.tpa.lastIndexOf('.'))));
        return networks.size >= thresholds.publicTargets ? 'likely' : 'hint';
      }
      const isSeen = targets.some(({ question }) => network.seesAnswersTo(question.row) !== 'no');
      return confidenceBy({ hint: found.confidence === 'hint', certain: found.confidence === 'certain' && isSeen });
    }

    function symptomsOf(question: Question) {
      const { key, segment, spa, tpa, row } = question;
      return [
        { rule: 'arp/unanswered', key } as const,
        { rule: 'nd/unanswered', key } as const,
        { rule: 'nd/multicast-filtered', key } as const,
        { rule: 'arp/gateway-unanswered', key } as const,
        ...stuckConnections(segment, spa, tpa),
        ...unansweredPings(network, segment, resolutions.spa(row), resolutions.tpa(row)),
      ];
    }

    /** An offer or acknowledgement that reaches clients tells the subnet of their link. */
    function learn(frame: Frame, layer: number): void {
      if (layer === 0 || frame.kinds[layer - 1] !== Protocol.Udp) return;
      if (udpDestinationPort(frame.view, frame.offsets[layer - 1]) !== DHCP_CLIENT) return;
      const at = frame.offsets[layer];
      const end = frame.ends[layer];
      const type = dhcpMessageType(frame.view, at, end);
      if (type !== DhcpMessage.Offer && type !== DhcpMessage.Ack) return;
      const option = dhcpWordOption(frame.view, at, end, DhcpOption.SubnetMask);
      const address = frame.view.getInt32(at + YIADDR);
      if (option < 0 || address === 0) return;
      // Routes by option 121 may say that other networks are on the link.
      if (dhcpHasOption(frame.view, at, end, DhcpOption.ClasslessRoutes)) return;
      const mask = option | 0;
      const length = Math.clz32(~mask);
      // A mask of /32 is how clouds make hosts send everything to the router.
      if (length === 0 || length > 30 || mask << length !== 0) return;
      const segment = segmentAt(network, frame, layer);
      const subnets = leased.get(segment) ?? [];
      if (segment < 0 || subnets.length === MAX_SUBNETS) return;
      if (subnets.some((each) => each.network === (address & mask) && each.length === length)) return;
      if (!leased.has(segment)) {
        if (leased.size === MAX_SEGMENTS) return;
        leased.set(segment, subnets);
      }
      subnets.push({
        network: address & mask,
        length,
        evidence: bytesOf(frame, 'dhcp', option - 2, 6, 'DHCP gives out this subnet mask (option 1)'),
      });
    }

    return {
      layers: { Dhcp: learn },
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          if (resolutions.sweeps(question.segment, resolutions.hi(row), resolutions.lo(row))) return;
          // A bystander hears broadcast requests but not the unicast answers: there only a kernel's retries prove silence.
          const { requests } = question;
          const retries = resolutions.retries(row);
          if (network.seesAnswersTo(row) !== 'yes' && retries < Math.min(requests, thresholds.requests) - 1) return;
          look(question);
        },
        answered(row) {
          const key = askerKey(questionOf(network, row));
          const rows = askers.get(key);
          if (rows?.delete(row)) tell(key, rows);
        },
      },
      // Who else is on the link, and what DHCP says, may have come later than the requests.
      captureEnd(capture) {
        for (const [key, rows] of askers)
          if ([...rows.keys()].some((row) => questionOf(network, row).capture === capture)) tell(key, rows);
      },
    };
  },
};

function rank({ question, found }: Target): number {
  return RANKS.indexOf(found.confidence) * 1e6 + question.requests;
}

function shortly({ kind, subnet, gateway, asker }: Elsewhere): string {
  switch (kind) {
    case 'mask':
      return asker ? `its /${asker.address.prefixLength} is wider than ${subnet}` : `the link is ${subnet}`;
    case 'route':
      return 'its default route names no gateway';
    case 'lease':
      return `the link is ${subnet}`;
    case 'router':
      return `${gateway} leads there`;
    case 'public':
      return 'no gateway';
  }
}

function causeOf({ kind, subnet, gateway, asker }: Elsewhere, { spa, tpa, isIpv4 }: Question): string {
  switch (kind) {
    case 'mask':
      return `The ${isIpv4 ? 'subnet mask' : 'prefix'} of ${asker?.address.text ?? spa} is too wide: it covers networks that are behind the router of ${subnet}.`;
    case 'route':
      return 'The default route was made with a device alone (`default dev …`): the gateway is missing.';
    case 'public':
      return `The default route of ${spa} names a device and no gateway, or its mask covers everything.`;
    case 'router':
      // In one /24 a mask that keeps the two apart is rare.
      if (isIpv4 && areNear(spa, tpa))
        return (
          `${spa} has an address of the network behind ${gateway}, and sits on this side of it: it is plugged into the wrong port, VLAN, bridge or container network. ` +
          `Or ${gateway} gives packets ${tpa} as source (NAT, a floating address) and does not have the address itself, so that nobody answers for it.`
        );
      return `The subnet mask of ${spa} is too wide, or a route of it names a device and no gateway. Or ${gateway} gives packets ${tpa} as source (NAT, a floating address) and does not have the address itself, so that nobody answers for it.`;
    default:
      return `The subnet mask of ${spa} is too wide, or a route of it names a device and no gateway.`;
  }
}

function remedies({ context, addresses, resolutions }: Network, question: Question, found: Elsewhere) {
  const { kind, asker, subnet, gateway } = found;
  const { tpa, isIpv4 } = question;
  const spa = asker?.address.text ?? question.spa;
  const next =
    asker && nextRouter(context, [asker.device], isIpv4 ? 4 : 6, addresses.words(resolutions.tpa(question.row)));
  const at = (command: string) => commandAt(asker?.device ?? null, command);
  const device = deviceHolding(asker?.device ?? null, spa);
  const ip = isIpv4 ? 'ip' : 'ip -6';
  const look = {
    text: 'See which subnet the host takes for its own, and by which route it sends',
    commands: [at(`ip -br -${isIpv4 ? 4 : 6} addr`), at(`${ip} route get ${tpa}`)],
  };
  const route = {
    text: 'A default route with the gateway in it; lasts until the network starts again',
    commands: [at(`${ip} route replace default via ${gateway ?? next?.address ?? '<gateway>'} dev ${device}`)],
  };
  const length = subnet?.slice(subnet.indexOf('/'));
  const right = at(`ip addr add ${spa}${length} dev ${device}`);
  const wrong = at(`ip addr del ${spa}/${asker?.address.prefixLength ?? '<wrong length>'} dev ${device}`);
  const mask = {
    text: isIpv4
      ? 'The right mask: add it, then take the wrong one away; lasts until the network starts again'
      : 'The right prefix length: an IPv6 address is on a device once, so take the wrong one away first; lasts until the network starts again',
    commands: isIpv4 ? [right, wrong] : [wrong, right],
  };
  if (kind === 'mask') return [look, mask];
  if (kind === 'router')
    return [
      look,
      isIpv4 && areNear(spa, tpa)
        ? {
            text: `Where ${spa} is plugged in: compare its VLAN and bridge with those of its neighbours; in a container, its networks`,
            commands: ['bridge vlan show', 'bridge link show', 'docker network inspect <network>'],
          }
        : route,
      {
        text: `If ${gateway} translates to ${tpa}: on it, see the rule, and give the address to the device that leads here`,
        commands: ['nft list ruleset', `ip addr add ${tpa}/32 dev <device of ${gateway}>`],
      },
    ];
  return subnet === null ? [look, route] : [look, mask, route];
}

/** Whether two addresses are in one /24. */
function areNear(a: string, b: string): boolean {
  return a.slice(0, a.lastIndexOf('.')) === b.slice(0, b.lastIndexOf('.'));
}

function wouldRaise(spa: string, { kind }: Elsewhere): string[] {
  return [
    `host context of ${spa} and of its gateway (--context): the prefix length of both, and the routes of ${spa}`,
    ...(kind === 'public' ? ['requests for addresses of several public networks'] : []),
  ];
}
