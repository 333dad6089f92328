import type { HostContext } from '../../network/context/host-context.js';
import { Claim } from '../../network/neighbors/bindings.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { printable } from '../../wire/printable.js';
import { childAnew } from '../parts/made-again.js';
import { asSymptom, label, modeOf, type Question, questionOf, requestFrames } from '../parts/question.js';
import { asRepeated, repeatedFrames, repeatedSpan } from '../parts/repeated.js';
import type { Diagnosis, Remedy, Rule } from '../rule.js';
import { type Child, childWith, isInside, isServed } from './parts/child.js';

/** The network takes frames from the host's own MAC and none from another behind it (catalogue B4). */
export const egressFiltered: Rule = {
  meta: {
    id: 'macvlan/egress-filtered',
    severity: 'error',
    summary: 'The network serves the host’s own MAC and drops frames of a macvlan child behind it',
    catalogue: 'B4',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests, in vain or again though answered', source: "the kernel's mcast_solicit" },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions, stations } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          if (question.requests < thresholds.requests) return;
          const { segment } = question;
          const own = stations.find(segment, resolutions.hi(row), resolutions.lo(row));
          // Unicast for it does come in: its MAC is known outside.
          if (own >= 0 && stations.wasWrittenTo(own) && !asksBack(network, question, thresholds.requests)) return;
          const both = childWith(network, resolutions.hi(row), resolutions.lo(row));
          if (!both) {
            if (!network.context && asksBack(network, question, thresholds.requests) && servesOthers(network, question))
              report(byPackets(network, question));
            return;
          }
          const { child, parent } = both;
          if (isInside(network, both, question.target) || !isServed(network, question, parent)) return;
          const siblings = network.context?.childrenOf(parent) ?? [];
          if (siblings.some((sibling) => sibling !== child && isServed(network, question, sibling))) return;
          if (answeredUnheard(network, question, both, thresholds.requests)) {
            withdraw(question.key);
            return;
          }
          const { spa, tpa } = question;
          const doubting = askAgain(network, question, thresholds.requests);
          report({
            ...base(network, question, both, question.mac),
            evidence: requestFrames(network, question),
            title: `${tpa} answers ${label(parent)}, not its child ${label(child)}: a second MAC is dropped`,
            summary:
              `${spa} asks who has ${tpa}, ${question.requests} times in vain, from ${question.mac}. The device that carries it, ${label(parent)}, asks the same ` +
              `with its own MAC ${parent.mac?.text ?? ''} and is answered. What differs is the source MAC: the virtual switch or the port drops frames from addresses that it did not assign.`,
            caveats:
              doubting.length > 0
                ? []
                : [
                    'a network that takes the frames and drops what is sent back to this MAC looks alike from here (macvlan/ingress-filtered)',
                  ],
            wouldRaise: [`a capture at ${tpa}: nothing from ${question.mac} arrives there`],
            explains: [...asSymptom(question), ...doubting.map((each) => asRepeated(questionOf(network, each)))],
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
        askedAgain(row) {
          if (resolutions.repeats.count(row) + 1 < thresholds.requests) return;
          const question = questionOf(network, row);
          const { segment, tpa, spa } = question;
          const holder = network.claims.holder(segment, resolutions.tpa(row));
          if (holder < 0) return;
          const hi = network.bindings.hi(holder);
          const lo = network.bindings.lo(holder);
          const both = childWith(network, hi, lo);
          if (
            !both ||
            isInside(network, both, question.asker) ||
            !leavesHere(network, both, stations.find(segment, hi, lo))
          )
            return;
          const { child, parent } = both;
          const host = parent.mac ? stations.find(segment, parent.mac.hi, parent.mac.lo) : -1;
          if (host < 0 || !stations.wasWrittenTo(host)) return;
          // As a program asks, however often it is answered.
          const isTimed = resolutions.repeats.isByTheClock(row) || resolutions.repeats.isByProgram(row);
          report({
            ...base(network, question, both, formatMac(hi, lo)),
            ...repeatedSpan(network, row),
            key: `again ${question.key}`,
            confidence: isTimed ? 'hint' : 'likely',
            caveats: isTimed ? ['the requests come by the clock: arping asks like this although it is answered'] : [],
            evidence: repeatedFrames(network, row),
            title: `${spa} never hears ${label(child)}: its answers leave ${label(parent)} and do not get through`,
            summary:
              `${spa} asks who has ${tpa} again and again. ${label(child)} answers each time, from ${formatMac(hi, lo)}, and the answers leave here; that ${spa} asks on shows that none arrives. ` +
              `Frames of ${label(parent)} itself get through: the virtual switch or the port drops frames from addresses that it did not assign.`,
            wouldRaise: [`a capture at ${spa}: nothing from ${formatMac(hi, lo)} arrives there`],
            explains: [asRepeated(question)],
          });
        },
      },
    };
  },
};

/** The target itself asks for the asker, is answered, and asks again: what the asker sends does not arrive. */
function asksBack({ resolutions, claims, bindings }: Network, { segment, row }: Question, requests: number): boolean {
  const holder = claims.holder(segment, resolutions.tpa(row));
  if (holder < 0) return false;
  const back = resolutions.find(
    segment,
    bindings.hi(holder),
    bindings.lo(holder),
    resolutions.tpa(row),
    resolutions.spa(row),
  );
  return back >= 0 && resolutions.repeats.count(back) + 1 >= requests;
}

/** The target answered somebody else on this side, so not all that goes there is lost: not a tunnel or cable that is closed one way. */
function servesOthers({ resolutions }: Network, { segment, row }: Question): boolean {
  const target = resolutions.tpa(row);
  for (const each of resolutions.askedFor(target))
    if (
      resolutions.segment(each) === segment &&
      resolutions.run(each) === 0 &&
      resolutions.lastAnswer(each) !== Number.NEGATIVE_INFINITY &&
      resolutions.repeats.count(each) === 0
    )
      return true;
  return false;
}

/** Questions of anybody for the asker that are answered again and again: what the asker sends does not arrive. Rows of `resolutions`. */
function askAgain({ resolutions }: Network, { segment, row }: Question, requests: number): number[] {
  return resolutions
    .askedFor(resolutions.spa(row))
    .filter((each) => resolutions.segment(each) === segment && resolutions.repeats.count(each) + 1 >= requests);
}

/**
 * The child answered somebody outside who then was content: what it sends arrives, so it is the other way that is closed.
 * What its siblings and its parent ask stays inside the host, and says nothing of the network.
 */
export function answeredUnheard(network: Network, question: Question, both: Child, requests: number): boolean {
  const { bindings, resolutions, context } = network;
  const { segment, row } = question;
  if (answeredAtOtherPort(network, question)) return true;
  const spa = resolutions.spa(row);
  const binding = bindings.find(segment, resolutions.hi(row), resolutions.lo(row), spa);
  if (binding < 0 || (bindings.claims(binding) & Claim.Reply) === 0) return false;
  let isHeard = false;
  for (let each = 0; each < resolutions.count; each++) {
    if (resolutions.tpa(each) !== spa || resolutions.segment(each) !== segment) continue;
    if (resolutions.repeats.count(each) + 1 >= requests) return false;
    if (resolutions.lastAnswer(each) === Number.NEGATIVE_INFINITY) continue;
    const askers = context?.devicesByMac(resolutions.hi(each), resolutions.lo(each)) ?? [];
    if (!askers.some((asker) => isInside(network, both, asker))) isHeard = true;
  }
  return isHeard;
}

/** Another port in the same capture, of the switch, shows answers to the asker: its requests got there. */
export function answeredAtOtherPort({ resolutions, segments }: Network, { segment, row, first }: Question): boolean {
  const capture = segments.captureOf(segment);
  for (const each of resolutions.askedFor(resolutions.tpa(row))) {
    if (resolutions.hi(each) !== resolutions.hi(row) || resolutions.lo(each) !== resolutions.lo(row)) continue;
    const port = resolutions.segment(each);
    if (port !== segment && segments.captureOf(port) === capture && resolutions.lastAnswer(each) >= first) return true;
  }
  return false;
}

/** Whether the capture was taken on the child's machine, so that what it sends leaves by it. */
function leavesHere({ vantage, stations }: Network, { child, parent }: Child, station: number): boolean {
  if (vantage) return vantage.namespace === child.namespace || vantage.namespace === parent.namespace;
  return station >= 0 && stations.sentOut(station);
}

function base({ context }: Network, question: Question, { child, parent }: Child, mac: string) {
  return {
    ...question,
    confidence: 'likely' as const,
    subject: { mac, device: label(child), ip: question.tpa },
    cause:
      'The port accepts one MAC only: vSphere “Forged transmits: Reject”, Hyper-V without MAC spoofing, port security of a cloud or OpenStack port, a Wi-Fi access point, a port limited to one address.',
    remedy: [...CURES, ipvlan(context, { child, parent })],
    context: [modeOf(child), `${label(parent)} has ${printable(parent.mac?.text ?? '')}`],
  };
}

function byPackets(network: Network, question: Question): Diagnosis {
  const { spa, tpa, mac, requests } = question;
  return {
    ...question,
    confidence: 'likely',
    title: `Frames from ${mac} do not get through to ${tpa}`,
    summary:
      `${spa} asks who has ${tpa}, ${requests} times in vain. ${tpa} asks for ${spa} too, again and again although ${mac} answers each time, and it does answer others. ` +
      'So its broadcasts arrive here and nothing from this MAC arrives there: the port drops frames from addresses that it did not assign.',
    subject: { mac, ip: tpa },
    evidence: requestFrames(network, question),
    cause: 'The port accepts one MAC only, and this is a second one behind it: a macvlan child, a bridged guest.',
    remedy: CURES,
    wouldRaise: ['`ip -d link` of the host (--context): is it a macvlan child?', `a capture at ${tpa}`],
    explains: asSymptom(question),
  };
}

/** What opens the usual switches to further MACs. */
export const CURES: readonly Remedy[] = [
  {
    text: 'vSphere: port group, Security: Forged transmits and MAC changes Accept, and Promiscuous mode Accept or MAC learning',
    commands: ['esxcli network vswitch standard policy security set -v vSwitch0 --allow-forged-transmits=true'],
  },
  { text: 'Hyper-V', commands: ['Set-VMNetworkAdapter -VMName <vm> -MacAddressSpoofing On'] },
  {
    text: 'OpenStack: name the further address at the port',
    commands: ['openstack port set --allowed-address ip-address=<ip>,mac-address=<mac> <port>'],
  },
  { text: 'SR-IOV virtual function', commands: ['ip link set <pf> vf <n> spoofchk off trust on'] },
];

/** One MAC for all: what works where the network cannot be changed. A device carries children of one of the two kinds alone. */
export function ipvlan(context: HostContext | null, { child, parent }: Child): Remedy {
  const others = (context?.childrenOf(parent) ?? []).filter((each) => each !== child);
  const rest =
    others.length === 0 ? '' : ` (${others.slice(0, 4).map(label).join(', ')}${others.length > 4 ? ', …' : ''})`;
  return {
    text: `Or ipvlan, whose children share the MAC of the host. ${printable(parent.name)} carries children of one kind alone: all of its macvlan children${rest} have to be made anew so`,
    commands: childAnew(context, child, parent, 'ipvlan mode l2'),
  };
}
