import { Claim } from '../../network/neighbors/bindings.js';
import type { Network } from '../../network/network.js';
import { deviceHolding, onHost, onlyOf, settingsName } from '../parts/device-argument.js';
import { unansweredPings } from '../parts/pings/ping.js';
import { asSymptom, questionOf } from '../parts/question.js';
import { icmpErrorOf } from '../parts/refusals/icmp-error.js';
import { applying, times } from '../parts/words.js';
import type { Rule } from '../rule.js';

/** A redirect so long (ns) after the question for the new next hop shows that the host sends through the router all the same. */
const GOES_ON_NS = 500e6;
/** Redirects, and questions that followed them, that are remembered at most. */
const MAX_REMEMBERED = 1024;
/** Redirects that tell of an address that was just handed over, at most. */
const IN_PASSING = 5;

/** A router sends a host elsewhere (catalogue C6). */
export const redirect: Rule = {
  meta: {
    id: 'icmp/redirect',
    severity: 'warning',
    summary: 'A router tells a host to send to another machine on the same link instead',
    catalogue: 'C6',
    thresholds: {
      follows: {
        value: 5,
        unit: 'seconds from a redirect to the question for the new next hop that it brought about',
        source: 'a host that obeys asks with its next packet',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { icmpErrors, addresses, resolutions } = network;
    /** Rows of redirects by segment, host and new next hop; rows of questions in vain that followed, by row of the redirect. */
    const redirects = new Map<string, Set<number>>();
    const dead = new Map<number, number>();

    function keyOf(segment: number, host: number, gateway: number): string {
      return `${segment} ${host} ${gateway}`;
    }

    /** The redirects that a question follows. */
    function before(question: number): number[] {
      const key = keyOf(resolutions.segment(question), resolutions.spa(question), resolutions.tpa(question));
      const first = resolutions.first(question);
      return [...(redirects.get(key) ?? [])].filter(
        (row) => first >= icmpErrors.first(row) && first <= icmpErrors.last(row) + thresholds.follows * 1e9,
      );
    }

    /**
     * Whether the host, which gets no answer from the new next hop, goes on through the router. Linux does with IPv4: it
     * takes a redirect only where the new next hop is known to be there (kernel: `__ip_do_redirect` in net/ipv4/route.c).
     */
    function goesOn(row: number, question: number): boolean {
      if (icmpErrors.last(row) - resolutions.first(question) < GOES_ON_NS) return false;
      const { pings, now } = network;
      const ofBoth = pings.between(icmpErrors.segment(row), icmpErrors.source(row), icmpErrors.destination(row));
      return ofBoth.every((ping) => !pings.state(ping, now));
    }

    function tell(row: number): void {
      // To itself: it asked for a service that it offers, whose address NAT turned back. No host heeds that.
      if (icmpErrors.source(row) === icmpErrors.destination(row)) return;
      const question = dead.get(row);
      const isVain = question !== undefined && resolutions.run(question) >= 2;
      const isDead = isVain && !goesOn(row, question);
      const isDirect = icmpErrors.gateway(row) === icmpErrors.destination(row);
      const gateway = addresses.format(icmpErrors.gateway(row));
      const error = icmpErrorOf(network, row, `redirect to ${gateway}`);
      const { reporter, from, to, count } = error;
      const version = icmpErrors.isV6(row) ? 'ipv6' : 'ipv4';
      const holderOf = (address: number) => onlyOf(network.context?.devicesByIp(addresses.words(address)));
      const host = holderOf(icmpErrors.source(row));
      const router = holderOf(icmpErrors.reporter(row));
      // Hosts that have not heard yet that it handed the address over send to it: that is over in a moment.
      const isHandedOver = isDirect && error.count <= IN_PASSING && handedOver(network, row);
      const [end, harm] = aftermath(isVain, isDead, gateway, reporter);
      report({
        ...error,
        confidence: isHandedOver ? 'hint' : 'certain',
        title: `${reporter} tells ${from} to send to ${to} ${isDirect ? 'directly' : `through ${gateway}`}${end}`,
        summary:
          `${reporter} got packets from ${from} for ${to} and sends them out on the link they came from; it says so by ICMP redirect, ${times(count)}. ` +
          (isDirect
            ? 'A host that obeys asks for its neighbour itself: where the two cannot talk directly (VEPA without reflection, private VLAN, isolated ports) the connection then dies.'
            : 'A host that obeys uses the other gateway from now on.') +
          harm,
        subject: { router: reporter, host: from, destination: to, gateway },
        cause: isDirect
          ? 'Two subnets are on one link, or the host has a route through the router for an address on its own link.'
          : `The host's route to ${to} goes through ${reporter}, and ${gateway} on the same link is nearer.`,
        remedy: [
          {
            text: 'On the host, until it starts again: do not obey redirects, and forget the one that was obeyed',
            commands: [
              onHost(
                network,
                from,
                `sysctl -w net.${version}.conf.all.accept_redirects=0 net.${version}.conf.default.accept_redirects=0 net.${version}.conf.${settingsName(deviceHolding(host, from))}.accept_redirects=0`,
              ),
              onHost(network, from, `${icmpErrors.isV6(row) ? 'ip -6' : 'ip'} route flush cache`),
            ],
          },
          ...(icmpErrors.isV6(row)
            ? []
            : [
                {
                  text: 'Or on the router, until it starts again: do not send them; all and the device must both be 0. The host is to forget what it obeyed',
                  commands: [
                    onHost(
                      network,
                      reporter,
                      `sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 net.ipv4.conf.${settingsName(deviceHolding(router, reporter))}.send_redirects=0`,
                    ),
                    // Else the host remembers it for minutes.
                    onHost(network, from, 'ip route flush cache'),
                  ],
                },
              ]),
          { text: 'On the host: see the route', commands: [onHost(network, from, `ip route get ${to}`)] },
        ],
        caveats: applying([
          isHandedOver &&
            `${reporter} had ${to} itself, and handed it over: it tells those that have not heard of it yet`,
          !isHandedOver && !isDead && 'redirects are harmless where the host can reach the new next hop',
        ]),
        wouldRaise: isDead ? [] : [`loss right after the redirect: does ${from} ask for ${gateway} and get an answer?`],
        explains: isVain
          ? [
              ...asSymptom(questionOf(network, question)),
              { rule: 'nd/multicast-filtered', key: questionOf(network, question).key },
              ...unansweredPings(network, error.segment, icmpErrors.source(row), icmpErrors.destination(row)),
            ]
          : [],
      });
    }

    return {
      events: {
        icmpError(row) {
          if (icmpErrors.type(row) !== (icmpErrors.isV6(row) ? 137 : 5)) return;
          const key = keyOf(icmpErrors.segment(row), icmpErrors.source(row), icmpErrors.gateway(row));
          const rows = redirects.get(key) ?? new Set();
          if (redirects.size < MAX_REMEMBERED) redirects.set(key, rows);
          if (rows.size < MAX_REMEMBERED) rows.add(row);
          tell(row);
        },
        unanswered(question) {
          for (const row of before(question)) {
            if (dead.size < MAX_REMEMBERED) dead.set(row, question);
            tell(row);
          }
        },
        answered(question) {
          for (const [row, each] of dead) {
            if (each !== question) continue;
            dead.delete(row);
            tell(row);
          }
        },
      },
    };
  },
};

/** What the host is seen to do of it: the end of the title and of the summary. */
function aftermath(isVain: boolean, isDead: boolean, gateway: string, reporter: string): [end: string, harm: string] {
  if (isDead)
    return [
      ', and that way is dead',
      ` It did obey: it asks for ${gateway} itself, in vain, and what it sends there is lost.`,
    ];
  if (isVain)
    return [
      ', which does not answer',
      ` It asks for ${gateway} itself, in vain, and goes on through ${reporter} all the same.`,
    ];
  return ['', ''];
}

/** Whether the router that redirects had the destination itself: it announced the address, or another machine has it since. */
function handedOver({ icmpErrors, bindings }: Network, row: number): boolean {
  const segment = icmpErrors.segment(row);
  const holders = bindings
    .of(segment, icmpErrors.destination(row))
    .filter((each) => (bindings.claims(each) & Claim.Own) !== 0);
  const isRouter = (holder: number) =>
    bindings.find(segment, bindings.hi(holder), bindings.lo(holder), icmpErrors.reporter(row)) >= 0;
  const own = holders.filter(isRouter);
  return (
    own.some((each) => (bindings.claims(each) & Claim.Announcement) !== 0) ||
    (own.length > 0 && own.length < holders.length)
  );
}
