import { at } from '../device-argument.js';
import { learnedAt } from '../learned-at.js';
import type { Rule } from '../rule.js';
import { setting } from '../setting.js';
import { Contests, contestOf, kindOf } from './parts/claimants.js';

/** Answers that nobody asked for, about an address that another station holds. */
export const spoof: Rule = {
  meta: {
    id: 'arp/spoof',
    severity: 'error',
    summary: 'A host sends ARP answers that nobody asked for, in the name of another: traffic is drawn to it',
    catalogue: '',
    thresholds: {
      answers: setting('unaskedAnswers'),
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { bindings } = network;
    const contests = new Contests(network, (claim, claimants) => {
      const { ip, claimant, rival, names, ...rest } = contestOf(network, claim, claimants);
      if (kindOf(network, claimants) !== 'spoof' || claimants.unasked < thresholds.answers) {
        withdraw(rest.key);
        return;
      }
      const port = learnedAt(network.context, bindings.hi(claimants.a), bindings.lo(claimants.a));
      const drawn = bindings.delivered(claimants.a);
      report({
        ...rest,
        confidence: 'likely',
        title: `${claimant} answers in the name of ${ip}, which ${rival} holds`,
        summary:
          `${rival} holds ${ip}. ${claimant} sends answers by unicast that ${ip} is at its own MAC, and nobody asked: such answers overwrite ` +
          `what the receiver has learned.${drawn > 0 ? ` ${drawn} packets for ${ip} went to ${claimant} since.` : ''}`,
        subject: { ip, mac: claimant, victim: rival },
        cause:
          'ARP spoofing: a tool (arpspoof, ettercap, bettercap) on that machine draws the traffic to itself, to read it or to cut it off. ' +
          'Some programs that isolate or test devices do the same on purpose.',
        remedy: [
          {
            text: 'Find the machine: behind which switch port its MAC lives',
            commands: [`${at(port, 'bridge fdb show')} | grep -i ${claimant}`],
          },
          {
            text: 'Until it is off the network, pin the right MAC on the hosts that matter',
            commands: [`ip neigh replace ${ip} lladdr ${rival} dev <device> nud permanent`],
          },
          {
            text: 'On a Linux bridge, until the next restart: let only the holder answer for the address',
            commands: [
              'nft add table bridge arpguard',
              "nft add chain bridge arpguard guard '{ type filter hook forward priority 0; }'",
              `nft add rule bridge arpguard guard arp saddr ip ${ip} ether saddr != ${rival} drop`,
            ].map((command) => at(port, command)),
          },
        ],
        caveats: ['a takeover that is announced by unicast answers looks alike, if the former holder stays silent'],
        wouldRaise: [`the answers going on while ${rival} still answers for ${ip}`],
        context: names,
        explains: [{ rule: 'arp/duplicate-address', key: rest.key }],
      });
    });
    return { events: contests.events, captureEnd: (capture) => contests.again(capture) };
  },
};
