import { printable } from '../../wire/printable.js';
import { asSymptoms, inNamespace, label, questionOf, requestFrames } from '../parts/question.js';
import { translators } from '../parts/translators.js';
import type { Rule } from '../rule.js';

/** A NAT rule rewrites an address that no device has: nobody answers ARP for it. */
export const floatingAddressUnowned: Rule = {
  meta: {
    id: 'ip/floating-address-unowned',
    severity: 'error',
    summary: 'A NAT rule waits for packets to a floating address, and no device has it: ARP for it is not answered',
    catalogue: '',
    silence: true,
    thresholds: {
      requests: { value: 2, unit: 'requests in vain', source: 'one may be a packet that went astray' },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { addresses } = network;
    return {
      events: {
        unanswered(row) {
          const { context } = network;
          if (!context) return;
          const question = questionOf(network, row);
          const { key, isIpv4, spa, tpa, requests } = question;
          const words = addresses.words(network.resolutions.tpa(row));
          if (requests < thresholds.requests || context.devicesByIp(words).length > 0) return;
          const found = translators(context, words, addresses.words(network.resolutions.spa(row)));
          if (found.length === 0) return;
          const [{ device, rule, isSource }] = found;
          const inside = rule.to ? ` and sends them on to ${printable(rule.to.text)}` : '';
          const does = isSource
            ? `A rule of source NAT in ${printable(device.namespace)} gives packets ${tpa} as their source`
            : `A NAT rule in ${printable(device.namespace)} waits for packets to ${tpa}${inside}`;
          report({
            ...question,
            key,
            confidence: found.length === 1 ? 'certain' : 'likely',
            title: `${tpa} is translated in ${printable(device.namespace)} and belongs to no device: nobody answers for it`,
            summary:
              `${spa} asks who has ${tpa}, ${requests} times, and gets no answer. ${does}, ` +
              `but no device there has the address, so the kernel does not answer ${isIpv4 ? 'ARP requests' : 'neighbor solicitations'} for it and the ${isSource ? 'answers' : 'packets'} never come.`,
            subject: { ip: tpa, requester: spa, device: label(device) },
            evidence: requestFrames(network, question),
            cause: `The floating address ${tpa} is missing on ${label(device)}: a NAT rule alone makes no host answer for an address.`,
            remedy: [
              {
                text: 'Give the address to the device whose network it belongs to; lasts until its network starts again',
                commands: [inNamespace(device, `ip addr add ${tpa}/${isIpv4 ? 32 : 128} dev ${device.name}`)],
              },
              ...(isSource
                ? [
                    {
                      text: 'Or, where the rule names a wrong address: look for it, and let it name one of the device',
                      commands: [inNamespace(device, 'nft list ruleset | grep -n snat')],
                    },
                  ]
                : []),
              ...(isIpv4
                ? [
                    {
                      text: 'Let neighbors that hold an old answer learn it at once',
                      commands: [inNamespace(device, `arping -c 2 -U -I ${device.name} ${tpa}`)],
                    },
                  ]
                : []),
            ],
            context: [
              `NAT rule for ${tpa} in ${printable(device.namespace)}`,
              `${label(device)}: ${device.addresses.map(({ text, prefixLength }) => `${printable(text)}/${prefixLength}`).join(', ')}`,
            ],
            explains: asSymptoms(network, question),
          });
        },
        answered(row) {
          withdraw(questionOf(network, row).key);
        },
      },
    };
  },
};
