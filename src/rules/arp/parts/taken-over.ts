import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { printable } from '../../../wire/printable.js';
import { at, deviceWith, onlyOf } from '../../parts/device-argument.js';
import { isVirtualRouter } from '../../parts/virtual-router.js';
import type { Diagnosis, Handlers, RuleContext } from '../../rule.js';
import { inVain, type Lost } from './lost-beyond.js';

/** Somebody who still sends to the router that had a virtual address before. */
interface Late {
  /** Row of `strays`. */
  readonly row: number;
  /** Rows of `virtualRouters`. */
  readonly master: number;
  readonly former: number;
  /** The virtual address, a row of `Addresses`. */
  readonly address: number;
  readonly lost: Lost;
}

/**
 * Another router of a VRRP group became master, and somebody goes on sending to the former one, to the virtual address or through it: the
 * announcement (gratuitous ARP) did not arrive (catalogue A8, D8). Advertisements go to all and tell who has the address, though nobody keeps it
 * by them.
 */
export function takenOver({ network, report, withdraw, thresholds }: RuleContext): Handlers {
  const { strays, segments } = network;
  /** Keys of what was told, by row of `strays`. */
  const told = new Map<number, string>();

  function look(row: number): void {
    const late = lateOf(network, row, thresholds.packets, thresholds.grace * 1e9);
    const diagnosis = late && diagnosisOf(network, late);
    const before = told.get(row);
    if (before !== undefined && before !== diagnosis?.key) withdraw(before);
    if (diagnosis) {
      told.set(row, diagnosis.key);
      report(diagnosis);
    } else told.delete(row);
  }

  return {
    events: { strayed: look },
    captureEnd(capture) {
      if (strays.formerCount === 0) return;
      for (let row = 0; row < strays.count; row++) if (segments.captureOf(strays.segment(row)) === capture) look(row);
    },
  };
}

function lateOf(network: Network, row: number, packets: number, grace: number): Late | null {
  const { strays, virtualRouters: routers } = network;
  const takeover = strays.takeover(row);
  if (!takeover || strays.sent(row) < packets) return null;
  const { master, former, hi, lo } = takeover;
  const address = routers.firstAddress(master);
  if (address < 0 || routers.firstAddress(former) !== address || isVirtualRouter(hi, lo)) return null;
  const since = routers.since(master);
  // The former one has fallen silent, and the other goes on.
  if (routers.last(former) >= since || strays.last(row) > routers.last(master) + routers.patience(master)) return null;
  if (strays.last(row) - Math.max(since, strays.first(row)) < grace || isElsewhereMaster(network, row, since))
    return null;
  const lost = inVain(network, row, { hi, lo, address, own: routers.source(former), since: since + grace, packets });
  return lost && { row, master, former, address, lost };
}

/** Whether the router that is sent to is still master of another group, by which the packets may go to it. */
function isElsewhereMaster({ strays, virtualRouters: routers }: Network, row: number, since: number): boolean {
  const { hi, lo } = strays.takeover(row) ?? { hi: -1, lo: 0 };
  for (let other = 0; other < routers.count; other++)
    if (routers.segment(other) === strays.segment(row) && routers.hi(other) === hi && routers.lo(other) === lo)
      if (routers.last(other) >= since) return true;
  return false;
}

function diagnosisOf(network: Network, { row, master, former, address, lost }: Late): Diagnosis {
  const { strays, virtualRouters: routers, addresses, segments, context } = network;
  const segment = strays.segment(row);
  const capture = segments.captureOf(segment);
  const [ip, now, before] = [address, routers.source(master), routers.source(former)].map((each) =>
    addresses.format(each),
  );
  const from = lost.from;
  const newMac = formatMac(routers.hi(master), routers.lo(master));
  const oldMac = formatMac(routers.hi(former), routers.lo(former));
  const isIpv4 = addresses.isIpv4(address);
  const there = onlyOf(context?.devicesByMac(routers.hi(master), routers.lo(master)));
  const here = onlyOf(context?.devicesByMac(strays.hi(row), strays.lo(row)));
  const target = deviceWith(there, newMac);
  const adverts = routers.ownPlaces(master).map((place) => ({
    capture,
    layer: 'vrrp',
    note: `${now} is master and serves ${ip}`,
    ...place,
  }));
  const packets = strays.places(row).map((place) => ({
    capture,
    layer: isIpv4 ? 'ipv4' : 'ipv6',
    note: `still to ${oldMac}`,
    ...place,
  }));
  return {
    key: `${segment} ${ip} vrrp ${from}`,
    segment,
    capture,
    count: strays.sent(row),
    first: strays.first(row),
    last: strays.last(row),
    silence: true,
    confidence: lost.isSure ? 'likely' : 'hint',
    title: `${now} is master of ${ip} now, and ${from} still sends to ${before}`,
    summary:
      `${now} (${newMac}) advertises itself as master of VRRP id ${routers.id(master)}, which serves ${ip}, and ${before} has advertised nothing since. ` +
      `${from} goes on sending to ${oldMac}, which is ${before}, ${strays.sent(row)} packets in a row, and gets no answer: ${lost.words}.`,
    subject: { ip, mac: oldMac, newMac, sender: from, former: before },
    evidence: [...adverts, ...packets],
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
    explains: lost.symptoms,
    caveats: lost.isSure
      ? []
      : [`${before} may pass the pings on, and their replies may come back by ${now}, past this capture`],
    wouldRaise: [`a capture at ${from}: does the announcement arrive there?`],
  };
}
