import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import type { Network } from '../../network/network.js';
import { Direction } from '../../wire/frame.js';
import { asSymptom, inNamespace, label, modeOf, type Question, questionOf, requestFrames } from '../question.js';
import { asRepeated, repeatedFrames, repeatedSpan } from '../repeated.js';
import type { Diagnosis, Rule } from '../rule.js';

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
    const { resolutions, context } = network;
    return {
      events: {
        unanswered(row) {
          const question = questionOf(network, row);
          const child =
            context && question.requests >= thresholds.requests ? childBefore(network, context, question) : null;
          if (child)
            report({
              ...diagnose(question, child),
              evidence: requestFrames(network, question),
              explains: asSymptom(question),
            });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
        askedAgain(row) {
          if (!context || resolutions.repeats.count(row) + 1 < thresholds.requests) return;
          const question = questionOf(network, row);
          const child = childBefore(network, context, question);
          if (child)
            report({
              ...diagnose(question, child),
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
  const senders = context.devicesByMac(hi, lo);
  if (senders.length !== 1) return null;
  const [sender] = senders;
  const bridge = sender.kind === 'bridge' ? sender : (sender.peer?.master ?? sender.master);
  if (bridge?.kind !== 'bridge') return null;
  return context.portsOf(bridge).find((port) => isChild(port) && !isIts(port)) ?? null;
}

/** A child that receives for its own MAC alone. */
function isChild({ kind, mode }: Device): boolean {
  return (kind === 'macvlan' || kind === 'macvtap') && mode !== 'passthru' && mode !== 'source';
}

function diagnose(question: Question, child: Device): Omit<Diagnosis, 'evidence'> {
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
    remedy: [
      {
        text: 'A bridge instead: put the parent under it and give the container a veth',
        commands: ['ip link add br0 type bridge', 'ip link set <parent> master br0'],
      },
      {
        text: 'Or mode passthru, if the parent has this one child (it has to be made anew)',
        commands: [
          inNamespace(child, `ip link del ${child.name}`),
          `ip link add ${child.name} link <parent> type ${child.kind} mode passthru`,
        ],
      },
      {
        text: 'Or route between the inner network and the child, with one MAC towards the outside',
        commands: [inNamespace(child, 'sysctl -w net.ipv4.ip_forward=1')],
      },
    ],
    wouldRaise: ['a capture on the parent: answers to this MAC come in there'],
    context: [modeOf(child)],
  };
}
