import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { at, deviceWith, onlyOf } from '../../parts/device-argument.js';
import { unansweredPingsTo } from '../../parts/pings/ping.js';
import { isVirtualRouter } from '../../parts/virtual-router.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';

const MAX_REMEMBERED = 256;

/** A ping to a virtual address that still goes to the router which had it before. */
interface Late {
  readonly ping: number;
  /** Rows of `virtualRouters`. */
  readonly master: number;
  readonly former: number;
  /** Row of `bindings`: the master and the address that it speaks from. */
  readonly home: number;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Another router of a VRRP group became master, and somebody goes on sending to the former one: the announcement (gratuitous ARP) did not arrive
 * (catalogue A8, D8). Advertisements go to all and tell who has the address, though nobody keeps it by them.
 */
export function takenOver({ network, report, withdraw, thresholds }: RuleContext): Handlers {
  /** What is told of lost pings, by their rows: the key of the finding, null where there is none. */
  const lost = new Map<number, string | null>();

  const judge = (ping: number) => lateOf(network, ping, thresholds.packets, thresholds.grace * 1e9);

  /** Takes back what was told of a ping that has found the new master since. */
  function takeBack(ping: number): void {
    const key = lost.get(ping);
    if (!key || judge(ping)) return;
    lost.set(ping, null);
    withdraw(key);
  }

  function tell(ping: number): void {
    const late = judge(ping);
    if (!late) return;
    const diagnosis = diagnosisOf(network, late);
    lost.set(ping, diagnosis.key);
    report(diagnosis);
  }

  return {
    events: {
      pingLost(row) {
        if (network.virtualRouters.count === 0) return;
        if (!lost.has(row)) {
          if (lost.size === MAX_REMEMBERED) return;
          lost.set(row, null);
        }
        takeBack(row);
        tell(row);
      },
    },
    captureEnd(capture) {
      const { pings, segments } = network;
      const ended = [...lost.keys()].filter((row) => segments.captureOf(pings.segment(row)) === capture);
      // Several pings of one host are one finding: it stands as long as one of them goes to the former master.
      ended.forEach(takeBack);
      ended.forEach(tell);
    },
  };
}

function lateOf(network: Network, ping: number, packets: number, grace: number): Late | null {
  const { pings, virtualRouters: routers, bindings } = network;
  const [segment, hi, lo] = [pings.segment(ping), pings.hi(ping), pings.lo(ping)];
  if (hi < 0 || isVirtualRouter(hi, lo)) return null;
  const group = routers.serving(segment, pings.destination(ping)).sort((a, b) => routers.last(b) - routers.last(a));
  const [master, former] = group;
  if (group.length !== 2 || routers.id(master) !== routers.id(former)) return null;
  // The former one has fallen silent, and the requests go to it.
  if (routers.last(former) >= routers.since(master)) return null;
  if (bindings.find(segment, hi, lo, routers.source(former)) < 0) return null;
  const homes = bindings
    .of(segment, routers.source(master))
    .filter((row) => (bindings.claims(row) & Claim.Source) !== 0);
  const [home] = homes;
  if (homes.length !== 1 || (bindings.hi(home) === hi && bindings.lo(home) === lo)) return null;
  const times = pings
    .requestsKept(ping)
    .map(({ time }) => time)
    .filter((time) => time > routers.since(master) + grace && time < routers.last(master) + routers.patience(master));
  if (times.length < packets || pings.answeredAfter(ping, times[0])) return null;
  return { ping, master, former, home, count: times.length, first: times[0], last: times[times.length - 1] };
}

function diagnosisOf(network: Network, { ping, master, former, home, count, first, last }: Late): Diagnosis {
  const { pings, virtualRouters: routers, addresses, bindings, segments } = network;
  const segment = pings.segment(ping);
  const capture = segments.captureOf(segment);
  const [from, ip, now, before] = [
    pings.source(ping),
    pings.destination(ping),
    routers.source(master),
    routers.source(former),
  ].map((row) => addresses.format(row));
  const [oldMac, newMac] = [formatMac(pings.hi(ping), pings.lo(ping)), formatMac(bindings.hi(home), bindings.lo(home))];
  const isIpv4 = addresses.isIpv4(pings.destination(ping));
  const there = onlyOf(network.context?.devicesByMac(bindings.hi(home), bindings.lo(home)));
  const here = onlyOf(network.context?.devicesByIp(addresses.words(pings.source(ping))));
  const target = deviceWith(there, newMac);
  const adverts = routers.ownPlaces(master).map((place) => ({
    capture,
    layer: 'vrrp',
    note: `${now} is master and serves ${ip}`,
    ...place,
  }));
  const requests = pings.latest(ping).map((place) => ({
    capture,
    layer: isIpv4 ? 'icmp' : 'icmpv6',
    note: `for ${ip}, still to ${oldMac}`,
    ...place,
  }));
  return {
    key: `${segment} ${ip} vrrp ${from}`,
    segment,
    capture,
    count,
    first,
    last,
    silence: true,
    confidence: 'likely',
    title: `${now} is master of ${ip} now, and ${from} still sends to ${before}`,
    summary:
      `${now} (${newMac}) advertises itself as master of VRRP id ${routers.id(master)}, which serves ${ip}, and ${before} has advertised nothing since. ` +
      `${from} goes on sending its pings for ${ip} to ${oldMac}, which is ${before}, and gets no reply.`,
    subject: { ip, mac: oldMac, newMac, sender: from },
    evidence: [...adverts, ...requests],
    cause: `The announcement (gratuitous ARP) with which ${now} took the address over did not reach ${from}, or ${from} does not heed it; its entry stays until it times out.`,
    remedy: [
      {
        text: `On ${now}: announce the address again`,
        commands: [at(there, isIpv4 ? `arping -c 3 -U -I ${target} ${ip}` : `ndsend ${ip} ${target}`)],
      },
      {
        text: `On ${from}: look at the entry, and take it away`,
        commands: ['show', 'del'].map((word) =>
          at(here, `ip ${isIpv4 ? '' : '-6 '}neigh ${word} ${ip} dev ${here ? printable(here.name) : '<device>'}`),
        ),
      },
      {
        text: 'So that a lost announcement does no harm: let the master announce its addresses every minute (keepalived.conf, `vrrp_instance`, `garp_master_refresh 60`)',
        commands: ['systemctl reload keepalived'],
      },
    ],
    explains: unansweredPingsTo(network, segment, pings.destination(ping)),
    caveats: [],
    wouldRaise: [`a capture at ${from}: does the announcement arrive there?`],
  };
}
