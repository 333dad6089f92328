import { inNamespace, label, modeOf, questionOf } from '../question.js';
import { asRepeated, repeatedFrames, repeatedSpan } from '../repeated.js';
import type { Rule } from '../rule.js';

/** A passthru child receives everything, and its parent's own addresses get nothing (catalogue B14). Needs host context. */
export const passthruTakesParent: Rule = {
  meta: {
    id: 'macvlan/passthru-takes-parent',
    severity: 'warning',
    summary: 'A macvlan child in mode passthru takes what is sent to addresses of its parent',
    catalogue: 'B14',
    thresholds: {
      requests: { value: 3, unit: 'requests, in vain or again though answered', source: "the kernel's mcast_solicit" },
    },
  },
  create({ network, report, thresholds }) {
    const { resolutions, context, addresses } = network;
    return {
      events: {
        askedAgain(row) {
          if (!context || resolutions.repeats.count(row) + 1 < thresholds.requests) return;
          const question = questionOf(network, row);
          const { spa, tpa, mac } = question;
          const parent = context
            .devicesByIp(addresses.words(resolutions.spa(row)))
            .find((device) => device.mac?.hi === resolutions.hi(row) && device.mac.lo === resolutions.lo(row));
          const child =
            parent && context.childrenOf(parent).find(({ kind, mode }) => isMacvlan(kind) && mode === 'passthru');
          if (!parent || !child) return;
          const address = parent.addresses.find(({ text }) => text === spa);
          const prefix = `${spa}/${address?.prefixLength ?? 24}`;
          report({
            ...question,
            ...repeatedSpan(network, row),
            confidence: 'certain',
            title: `${spa} on ${label(parent)} is cut off: ${label(child)} takes what comes in (macvlan passthru)`,
            summary:
              `${spa} asks who has ${tpa} again and again, though answers come for ${mac} each time. ${label(child)} is a passthru child: it has the MAC of ${label(parent)} and receives all that comes in there, ` +
              `so the answers end at the child. ${label(parent)} can send, and hears nothing.`,
            subject: { ip: spa, mac, device: label(parent) },
            evidence: repeatedFrames(network, row),
            cause:
              'In passthru mode the device belongs to its one child; the host is not to use it (kernel: drivers/net/macvlan.c).',
            remedy: [
              {
                text: 'Move the address to the child, which then speaks for it',
                commands: [
                  inNamespace(parent, `ip addr del ${prefix} dev ${parent.name}`),
                  inNamespace(child, `ip addr add ${prefix} dev ${child.name}`),
                ],
              },
              {
                text: 'Or make the child anew in another mode (passthru cannot be changed), with a MAC of its own',
                commands: [
                  inNamespace(child, `ip link del ${child.name}`),
                  inNamespace(parent, `ip link add ${child.name} link ${parent.name} type ${child.kind} mode bridge`),
                ],
              },
            ],
            context: [modeOf(child), `${label(parent)} holds ${spa}`],
            explains: [asRepeated(question)],
          });
        },
      },
    };
  },
};

function isMacvlan(kind: string | null): boolean {
  return kind === 'macvlan' || kind === 'macvtap';
}
