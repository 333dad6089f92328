import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { printable } from '../../wire/printable.js';
import { childAnew, routesAgain } from '../parts/made-again.js';
import { asSymptom, inNamespace, label, modeOf, type Question, questionOf, requestFrames } from '../parts/question.js';
import { asRepeated, repeatedFrames, repeatedSpan } from '../parts/repeated.js';
import { SYNS } from '../parts/usual-thresholds.js';
import { together, type Vanished } from '../parts/vanished/requests.js';
import { vanishing } from '../parts/vanished/vanished.js';
import type { Diagnosis, Remedy, Rule } from '../rule.js';

const CAUSE =
  'In passthru mode the device belongs to its one child; the host is not to use it (kernel: drivers/net/macvlan.c).';

/** What the frames show: answers and questions again, or questions alone. */
type Seen = Pick<Diagnosis, 'confidence' | 'evidence' | 'explains' | 'wouldRaise'> &
  Partial<ReturnType<typeof repeatedSpan>>;

/** A device and the passthru child that takes what comes in. */
interface Pair {
  readonly parent: Device;
  readonly child: Device;
}

/** A passthru child receives everything, and its parent's own addresses get nothing (catalogue B14). Needs host context. */
export const passthruTakesParent: Rule = {
  meta: {
    id: 'macvlan/passthru-takes-parent',
    severity: 'warning',
    summary: 'A macvlan child in mode passthru takes what is sent to addresses of its parent',
    catalogue: 'B14',
    silence: true,
    thresholds: {
      requests: { value: 3, unit: 'requests, in vain or again though answered', source: "the kernel's mcast_solicit" },
      syns: SYNS,
    },
  },
  create(rule) {
    const { network, report, thresholds } = rule;
    const { resolutions, addresses } = network;

    /** The device that a question comes from, if it has a passthru child. */
    function ownerOf(row: number): Pair | null {
      const { context } = network;
      const parent = context
        ?.devicesByIp(addresses.words(resolutions.spa(row)))
        .find((device) => device.mac?.hi === resolutions.hi(row) && device.mac.lo === resolutions.lo(row));
      const child = parent && childOf(context, parent);
      return parent && child ? { parent, child } : null;
    }

    function tell(context: HostContext, question: Question, { parent, child }: Pair, seen: Seen): void {
      const { spa, tpa, mac } = question;
      report({
        ...question,
        ...seen,
        title: `${spa} on ${label(parent)} is cut off: ${label(child)} takes what comes in (macvlan passthru)`,
        summary:
          `${spa} asks who has ${tpa} again and again, ${seen.confidence === 'certain' ? `though answers come for ${mac} each time` : 'and no answer is in this capture'}. ${label(child)} is a passthru child: it has the MAC of ${label(parent)} and receives all that comes in there, ` +
          `so answers end at the child. ${label(parent)} can send, and hears nothing.`,
        subject: { ip: spa, mac, device: label(parent) },
        cause: CAUSE,
        remedy: remediesOf(context, { parent, child }, spa),
        context: [modeOf(child), `${label(parent)} holds ${spa}`],
      });
    }

    /** The device that requests are for, if it has a passthru child. */
    function targetOf({ source, destination }: Vanished): Pair | null {
      const [senders, holders] = [source, destination].map(
        (row) => network.context?.devicesByIp(addresses.words(row)) ?? [],
      );
      const [parent] = holders;
      const child = holders.length === 1 ? childOf(network.context, parent) : undefined;
      // What the child itself sends leaves by the card.
      return child && !senders.includes(child) ? { parent, child } : null;
    }

    /** Its machine answers ARP, for broadcasts get to both, and no packet for one host. */
    const sent = vanishing(
      rule,
      (vanished) => (targetOf(vanished) ? `sent ${vanished.segment} ${vanished.to}` : null),
      (members) => {
        const [vanished] = members;
        const { from, to, segment, hi, lo } = vanished;
        const { parent, child } = targetOf(vanished) as Pair;
        // Not the machine: its child has that MAC too, and may be in another namespace.
        const arrives = parent.mac?.hi === hi && (parent.mac.lo | 0) === (lo | 0);
        return {
          ...together(members),
          key: `sent ${segment} ${to}`,
          confidence: arrives ? 'certain' : 'likely',
          title: `${to} on ${label(parent)} is cut off: ${label(child)} takes what comes in (macvlan passthru)`,
          summary:
            `What ${from} sends to ${to} gets no answer. ${label(child)} is a passthru child: it has the MAC of ${label(parent)} and receives all that comes in there for one host. ` +
            `${label(parent)} answers ARP, as broadcasts get to both.`,
          subject: { ip: to, device: label(parent) },
          cause: CAUSE,
          remedy: remediesOf(network.context as HostContext, { parent, child }, to),
          caveats: arrives ? [] : [`that the requests get to ${label(parent)} is not in this capture`],
          wouldRaise: arrives ? [] : [`a capture on ${label(parent)}: do the requests come in there?`],
          context: [modeOf(child), `${label(parent)} holds ${to}`],
        };
      },
    );

    return {
      events: {
        ...sent.events,
        askedAgain(row) {
          const { context } = network;
          if (!context || resolutions.repeats.count(row) + 1 < thresholds.requests) return;
          const owner = ownerOf(row);
          if (!owner) return;
          const question = questionOf(network, row);
          tell(context, question, owner, {
            ...repeatedSpan(network, row),
            confidence: 'certain',
            evidence: repeatedFrames(network, row),
            explains: [asRepeated(question)],
          });
        },
        // Elsewhere on the segment the broadcast question shows, and the unicast answer does not.
        unanswered(row) {
          const { context } = network;
          if (!context || resolutions.requests(row) < thresholds.requests) return;
          const owner = ownerOf(row);
          if (!owner) return;
          const question = questionOf(network, row);
          tell(context, question, owner, {
            confidence: 'likely',
            evidence: requestFrames(network, question),
            wouldRaise: [`a capture on ${label(owner.parent)}: do answers come in there?`],
            explains: asSymptom(question),
          });
        },
      },
    };
  },
};

function childOf(context: HostContext | null, parent: Device): Device | undefined {
  return context
    ?.childrenOf(parent)
    .find(({ kind, mode }) => (kind === 'macvlan' || kind === 'macvtap') && mode === 'passthru');
}

/** The address moves to the child, or the child gets a MAC of its own; first what leaves its host an address. */
function remediesOf(context: HostContext, { parent, child }: Pair, ip: string): Remedy[] {
  const address = parent.addresses.find(({ text }) => text === ip);
  const prefix = `${ip}/${address?.prefixLength ?? 24}`;
  const isApart = child.namespace !== parent.namespace;
  const moved: Remedy = {
    text: isApart
      ? `Or move the address to the child: ${printable(child.namespace)} then speaks for it, and ${printable(parent.namespace)} does without`
      : 'Move the address to the child, which then speaks for it',
    commands: [
      inNamespace(parent, `ip addr del ${prefix} dev ${parent.name}`),
      inNamespace(child, `ip addr add ${prefix} dev ${child.name}`),
      ...(child.up ? [] : [inNamespace(child, `ip link set ${child.name} up`)]),
      ...(isApart ? [] : routesAgain(context, parent, child.name)),
    ],
  };
  const anew: Remedy = {
    text: `${isApart ? 'M' : 'Or m'}ake the child anew in another mode (passthru cannot be changed), with a MAC of its own`,
    commands: childAnew(context, child, parent, `${child.kind} mode bridge`),
  };
  return isApart ? [anew, moved] : [moved, anew];
}
