import { unansweredPingsAt } from '../parts/pings/ping.js';
import { inNamespace } from '../parts/question.js';
import type { Rule } from '../rule.js';
import { answerTogether, Contests, contestOf, deviceOfBoth, kindOf } from './parts/claimants.js';

/** One host answers for an address on several of its devices (catalogue A7). */
export const flux: Rule = {
  meta: {
    id: 'arp/flux',
    severity: 'warning',
    summary: 'One host answers ARP on two of its devices: traffic comes in by the wrong one',
    catalogue: 'A7',
    thresholds: {
      packets: {
        value: 2,
        unit: 'packets to the two MACs without one back, for a warning',
        source: 'a single one may be under way',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { bindings } = network;
    const contests = new Contests(network, (claim, claimants) => {
      const { ip, claimant, rival, names, ...rest } = contestOf(network, claim, claimants);
      // Turns without two answers to one request are a move between devices.
      if (kindOf(network, claimants) !== 'flux' || !claimants.doubly) {
        withdraw(rest.key);
        return;
      }
      const { a, b } = claimants;
      const device = deviceOfBoth(network, a, b);
      const isKnown = device !== null;
      const isTogether = !isKnown && (claimants.oneHost || answerTogether(network, claimants));
      const there = (command: string) => (device === null ? command : inNamespace(device, command));
      const delivered = bindings.delivered(a) + bindings.delivered(b);
      const isHarmful = delivered >= thresholds.packets && bindings.sourcedSince(a) + bindings.sourcedSince(b) === 0;
      report({
        ...rest,
        confidence: isKnown ? 'certain' : 'likely',
        severity: isHarmful ? 'warning' : 'info',
        title: `${ip} is answered by two devices of one host: ${rival} and ${claimant}`,
        summary:
          `One question for ${ip} got two answers, from ${rival} and ${claimant}. ` +
          signOf(isKnown, isTogether) +
          (isHarmful
            ? ` ${delivered} packets for ${ip} went there and none came back: a filter of that host drops what comes in by that device, or the answers take a way that is not captured here.`
            : ' Traffic may come in by one device and leave by the other.'),
        subject: { ip, mac: rival, rival: claimant },
        cause:
          'Linux answers ARP for any of its addresses on any device (arp_ignore=0). With two devices, or a macvlan child and its parent, ' +
          'in one subnet and one namespace, both answer.',
        remedy: [
          {
            text: 'At that host, until it starts again: answer only on the device that has the address, and name it when asking',
            commands: [
              there('sysctl -w net.ipv4.conf.all.arp_ignore=1'),
              there('sysctl -w net.ipv4.conf.all.arp_announce=2'),
            ],
          },
          {
            text: 'Or do not put two devices of one namespace into one subnet',
            commands: [there('ip -br -4 addr')],
          },
        ],
        caveats: isTogether ? ['two copies of one machine, with all its addresses, look alike'] : [],
        wouldRaise: isKnown ? [] : ['`ip addr` of that host (--context): both MACs on one host'],
        context: names,
        explains: isHarmful
          ? [a, b].flatMap((row) => unansweredPingsAt(network, rest.segment, bindings.hi(row), bindings.lo(row)))
          : [],
      });
    });
    return { events: contests.events, captureEnd: (capture) => contests.again(capture) };
  },
};

/** How it shows that both are devices of one host. */
function signOf(isKnown: boolean, isTogether: boolean): string {
  if (isKnown) return 'Both are devices of one host.';
  if (isTogether)
    return 'Both answer for other addresses together as well, and neither has one of its own: devices of one host in one subnet do so.';
  return 'What is sent to the one is answered from the other, so both belong to one host.';
}
