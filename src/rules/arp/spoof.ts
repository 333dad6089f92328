import { Claim } from '../../network/neighbors/bindings.js';
import { setting } from '../parts/setting.js';
import type { Rule } from '../rule.js';
import { isForwarded } from './parts/answers.js';
import { Contests, contestOf, kindOf } from './parts/claimants.js';
import { disregardedBy, guards } from './parts/disregarded.js';

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
      announcing: {
        value: 15,
        unit: 'seconds for which an address is announced to all while its holder goes on sending from it, and so often at least',
        source: 'takeovers are announced for 10 s at most (keepalived: five times, and five again 5 s later)',
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
        remedy: guards(network, { a: claimants.a, ip, claimant, rival }),
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
    /** As `contests`, of what is announced to all. */
    function disregarded(a: number, b: number, claim: number, times: number): void {
      const isLong = network.now - network.claims.takeovers.of(claim).since >= thresholds.announcing * 1e9;
      if (
        times + 1 < thresholds.unheardAnswers ||
        !isLong ||
        (bindings.claims(a) & Claim.Source && !isForwarded(network, a))
      )
        return;
      const diagnosis = disregardedBy(network, a, b, claim, times);
      if (diagnosis) report(diagnosis);
    }

    return { events: { ...contests.events, disregarded }, captureEnd: (capture) => contests.again(capture) };
  },
};
