import { type Device, isWithoutAddress } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import type { Network } from '../../network/network.js';
import { Direction } from '../../wire/frame.js';
import { printable } from '../../wire/printable.js';
import { childAnew, into, routesAgain } from '../parts/made-again.js';
import { asSymptom, inNamespace, label, modeOf, type Question, questionOf, requestFrames } from '../parts/question.js';
import { asRepeated, repeatedFrames, repeatedSpan } from '../parts/repeated.js';
import type { Diagnosis, Remedy, Rule } from '../rule.js';

/** Something behind a macvlan child sends with a MAC of its own, for which the child receives nothing (catalogue B10). */
export const foreignMacBehindChild: Rule = {
  meta: {
    id: 'macvlan/foreign-mac-behind-child',
    severity: 'warning',
    summary: 'A bridge or guest behind a macvlan child sends with another MAC, for which the child receives nothing',
    catalogue: 'B10',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests, in vain or again though answered', source: "the kernel's mcast_solicit" },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { resolutions } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const { context } = network;
          if (!context || question.requests < thresholds.requests) return;
          const child = childBefore(network, context, question);
          if (child)
            report({
              ...diagnose(context, question, child),
              evidence: requestFrames(network, question),
              explains: [
                ...asSymptom(question),
                ...elsewhere(network, question).map((each) => asRepeated(questionOf(network, each))),
              ],
            });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
        askedAgain(row) {
          const { context } = network;
          if (!context || resolutions.repeats.count(row) + 1 < thresholds.requests) return;
          const question = questionOf(network, row);
          const child = childBefore(network, context, question);
          if (child)
            report({
              ...diagnose(context, question, child),
              ...repeatedSpan(network, row),
              evidence: repeatedFrames(network, row),
              explains: [asRepeated(question)],
            });
        },
      },
    };
  },
};

/** The macvlan child that the asker sits behind; null if there is none, or the MAC is its own. */
function childBefore(network: Network, context: HostContext, question: Question): Device | null {
  const { vantage, resolutions, stations } = network;
  const hi = resolutions.hi(question.row);
  const lo = resolutions.lo(question.row);
  const isIts = ({ mac }: Device) => mac?.hi === hi && mac.lo === lo;
  const station = stations.find(question.segment, hi, lo);
  const leaves = station >= 0 && (stations.traits(station) & (1 << Direction.Out)) !== 0;
  if (vantage && isChild(vantage) && !isIts(vantage)) {
    const side = context.localMac(vantage, hi, lo);
    if (side === 'local' || (side === 'unknown' && leaves)) return vantage;
  }
  const seenAt = deviceHere(network, context, question.segment);
  if (leaves && seenAt && isChild(seenAt) && !isIts(seenAt) && context.localMac(seenAt, hi, lo) !== 'foreign')
    return seenAt;
  const senders = context.devicesByMac(hi, lo);
  if (senders.length !== 1) return null;
  const [sender] = senders;
  const bridge = sender.kind === 'bridge' ? sender : (sender.peer?.master ?? sender.master);
  if (bridge?.kind !== 'bridge') return null;
  return context.portsOf(bridge).find((port) => isChild(port) && !isIts(port)) ?? null;
}

/** The device whose number a capture with `-i any` gives, of the namespace where it was taken. */
function deviceHere({ segments, namespace }: Network, context: HostContext, segment: number): Device | null {
  const index = segments.describe(segment).deviceIndex;
  if (index === 0 || namespace === null) return null;
  return context.namespaces.get(namespace)?.byIndex.get(index) ?? null;
}

/** The same question at other devices of the capture, where answers are seen to come in, and are not handed on. */
function elsewhere({ resolutions, segments }: Network, { row, capture }: Question): number[] {
  return resolutions
    .askedFor(resolutions.tpa(row))
    .filter(
      (each) =>
        each !== row &&
        resolutions.hi(each) === resolutions.hi(row) &&
        resolutions.lo(each) === resolutions.lo(row) &&
        segments.captureOf(resolutions.segment(each)) === capture,
    );
}

/** A child that receives for its own MAC alone. */
function isChild({ kind, mode }: Device): boolean {
  return (kind === 'macvlan' || kind === 'macvtap') && mode !== 'passthru' && mode !== 'source';
}

function diagnose(context: HostContext, question: Question, child: Device): Omit<Diagnosis, 'evidence'> {
  const { spa, tpa, mac } = question;
  const own = child.mac?.text ?? 'its own MAC';
  return {
    ...question,
    confidence: 'likely',
    title: `${spa} behind ${label(child)} gets no answer: macvlan receives for ${own} alone`,
    summary:
      `${spa} asks who has ${tpa} from ${mac}, through ${label(child)}, and hears nothing. A macvlan child sends frames from any MAC, but its parent hands it only unicast for its own, ${own}: ` +
      `answers to ${mac} come to the machine and are dropped there.`,
    subject: { ip: spa, mac, device: label(child) },
    cause:
      'A bridge, a guest or a nested container behind a macvlan child (kernel: macvlan_hash_lookup in drivers/net/macvlan.c).',
    remedy: remediesOf(context, question, child),
    wouldRaise: ['a capture on the parent: answers to this MAC come in there'],
    context: [modeOf(child)],
  };
}

/** What helps without a change for others on the same parent comes first. */
function remediesOf(context: HostContext, { asker, mac, spa }: Question, child: Device): Remedy[] {
  const { parent } = child;
  const remedies: Remedy[] = [];
  if (child.kind === 'macvtap')
    remedies.push({
      text: 'A guest alone at the tap: give the tap the MAC that the guest uses (or the guest that of the tap)',
      commands: [inNamespace(child, `ip link set dev ${child.name} address ${mac}`)],
    });
  if (asker && asker === child.master && child.mac)
    remedies.push({
      text: `Give the bridge ${label(asker)} the MAC of the child. That serves its own addresses, and nobody behind it`,
      commands: [inNamespace(asker, `ip link set dev ${asker.name} address ${child.mac.text}`)],
    });
  else if (asker && parent) remedies.push(childFor(context, asker, parent, spa));
  if (parent && isWithoutAddress(parent) && context.childrenOf(parent).length === 1)
    remedies.push(passthru(context, child, parent));
  remedies.push({
    text: 'Or route: the inner network gets a subnet of its own, and leaves by the address and MAC of the child',
    commands: [
      inNamespace(child, 'sysctl -w net.ipv4.ip_forward=1'),
      inNamespace(child, `iptables -t nat -A POSTROUTING -o ${child.name} -j MASQUERADE`),
    ],
  });
  return remedies;
}

/** A child for the container itself, in place of its cable to the bridge. */
function childFor(context: HostContext, asker: Device, parent: Device, spa: string): Remedy {
  const held = asker.addresses.find(({ text }) => text === spa);
  const prefix = `${spa}/${held?.prefixLength ?? 24}`;
  const name = context.device(asker.namespace, 'mv0') ? 'mv1' : 'mv0';
  return {
    text: `Instead of the cable to the bridge: give ${printable(asker.namespace)} a child of its own, and move the address to it`,
    commands: [
      inNamespace(parent, `ip link add ${name} link ${parent.name}${into(asker, parent)} type macvlan mode bridge`),
      inNamespace(asker, `ip addr del ${prefix} dev ${asker.name}`),
      inNamespace(asker, `ip addr add ${prefix} dev ${name}`),
      inNamespace(asker, `ip link set ${name} up`),
      ...routesAgain(context, asker, name),
    ],
  };
}

/** The one child takes whatever comes in: only where the parent has no use of its own for that. */
function passthru(context: HostContext, child: Device, parent: Device): Remedy {
  return {
    text: `Or make ${label(child)} anew in mode passthru, as it is the only child and ${label(parent)} has no address of its own`,
    commands: childAnew(context, child, parent, `${child.kind} mode passthru`),
  };
}
