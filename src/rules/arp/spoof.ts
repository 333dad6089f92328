import type { HostContext } from '../../network/context/host-context.js';
import { at, atNamespace } from '../parts/device-argument.js';
import { learnedAt } from '../parts/learned-at.js';
import { setting } from '../parts/setting.js';
import type { Rule } from '../rule.js';
import { isForwarded } from './parts/answers.js';
import { Contests, contestOf, kindOf } from './parts/claimants.js';

/** Hosts that a cure names at most. */
const MAX_HOSTS = 8;

/** Answers that nobody asked for, about an address that another station holds. */
export const spoof: Rule = {
  meta: {
    id: 'arp/spoof',
    severity: 'error',
    summary: 'A host sends ARP answers that nobody asked for, in the name of another: traffic is drawn to it',
    catalogue: '',
    thresholds: {
      answers: setting('unaskedAnswers'),
      unheardAnswers: {
        value: 4,
        unit: 'such answers where no question for the address is seen, and the holder goes on sending from it, straight or through the other',
        source: 'announcements of a takeover are two or three; who poisons a cache goes on',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { bindings } = network;
    const contests = new Contests(network, (claim, claimants) => {
      const { ip, claimant, rival, names, ...rest } = contestOf(network, claim, claimants);
      const wasAsked = network.claims.wasAsked(claim);
      // Where nobody asks, a takeover that is announced by unicast would look alike: the holder has to go on speaking, by itself or through
      // the other.
      const isEnough = wasAsked
        ? claimants.unasked >= thresholds.answers
        : claimants.unasked >= thresholds.unheardAnswers &&
          (bindings.sourcedSince(claimants.b) > 0 || isForwarded(network, claimants.a));
      if (kindOf(network, claimants) !== 'spoof' || !isEnough) {
        withdraw(rest.key);
        return;
      }
      const port = learnedAt(network.context, bindings.hi(claimants.a), bindings.lo(claimants.a));
      const takers = takersOf(network.context, ip, claimant);
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
            text: `On a Linux bridge, until the next restart: let only the holder answer for the address${takers.length > 0 ? ', and have hosts forget what they were told' : ''}`,
            commands: [
              'nft add table bridge arpguard',
              "nft add chain bridge arpguard guard '{ type filter hook forward priority 0; }'",
              `nft add rule bridge arpguard guard arp saddr ip ${ip} ether saddr != ${rival} drop`,
            ]
              .map((command) => at(port, command))
              .concat(takers),
          },
          ...(takers.length > 0
            ? []
            : [
                {
                  text: 'And have each host that was told forget it, which else takes half a minute',
                  commands: [`ip neigh flush to ${ip}`],
                },
              ]),
        ],
        caveats: wasAsked
          ? ['a takeover that is announced by unicast answers looks alike, if the former holder stays silent']
          : [
              `no question for ${ip} is in this capture: that questions of who is answered would be seen is concluded from its other packets`,
            ],
        wouldRaise: [`the answers going on while ${rival} still answers for ${ip}`],
        context: names,
        explains: [
          { rule: 'arp/duplicate-address', key: rest.key },
          // Who draws traffic to itself and forwards it answers for others.
          { rule: 'arp/proxy', key: `${rest.segment} ${claimant}` },
        ],
      });
    });
    return { events: contests.events, captureEnd: (capture) => contests.again(capture) };
  },
};

/** Has hosts forget an address whose entry the host context shows with the wrong MAC. */
function takersOf(context: HostContext | null, ip: string, mac: string): string[] {
  return [...(context?.namespaces.values() ?? [])]
    .filter(({ neighbours }) => neighbours.some(({ dst, lladdr }) => dst.text === ip && lladdr?.text === mac))
    .map(({ name }) => atNamespace(name, `ip neigh flush to ${ip}`))
    .slice(0, MAX_HOSTS);
}
