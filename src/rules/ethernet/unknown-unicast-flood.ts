import type { Device } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { at } from '../parts/device-argument.js';
import { label } from '../parts/question.js';
import { isVirtualRouter } from '../parts/virtual-router.js';
import type { Rule } from '../rule.js';

/** Rows looked at in order to learn whether the port is a mirror, or who else sends from here. */
const MAX_ROWS = 10_000;

/** Unicast between others keeps arriving at an end host: the switch does not know where its receiver is (catalogue D5). */
export const unknownUnicastFlood: Rule = {
  meta: {
    id: 'ethernet/unknown-unicast-flood',
    severity: 'warning',
    summary: 'Unicast between two other stations keeps arriving here: the switch floods it to every port',
    catalogue: 'D5',
    thresholds: {
      framesPerSecond: {
        value: 20,
        unit: 'frames a second for one receiver',
        source: 'a table that is flushed floods a few frames until the receiver answers',
      },
      seconds: {
        value: 5,
        unit: 'seconds',
        source: 'a receiver that answers at all is learned within a round trip',
      },
      exchanges: {
        value: 20,
        unit: 'answers between others after which the port counts as a mirror',
        source: 'flooding shows one direction only; a mirror, a hub or a promiscuous port shows both',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { unheard, stations, addresses, segments } = network;
    return {
      events: {
        unheard(row) {
          const seconds = (unheard.last(row) - unheard.first(row)) / 1e9;
          const count = unheard.frameCount(row);
          if (seconds < thresholds.seconds || count < seconds * thresholds.framesPerSecond) return;
          const segment = unheard.segment(row);
          const place = placeOf(network, row);
          if (!place || isForUs(network, row) || isMirror(network, segment, thresholds.exchanges)) return;
          const receiver = formatMac(unheard.hi(row), unheard.lo(row));
          const sender = formatMac(unheard.senderHi(row), unheard.senderLo(row));
          const capture = segments.captureOf(segment);
          const target = unheard.address(row);
          const ip = target < 0 ? '' : addresses.format(target);
          const wasHeard = stations.sent(unheard.station(row)) > 0;
          const there = network.context?.devicesByMac(unheard.hi(row), unheard.lo(row)) ?? [];
          const port = (there.length === 1 && network.context?.switchPort(there[0])) || null;
          const near = (place.device && network.context?.switchPort(place.device)) ?? null;
          const bridge = port?.master ?? near?.master ?? null;
          report({
            key: String(row),
            segment,
            capture,
            count,
            first: unheard.first(row),
            last: unheard.last(row),
            confidence: place.isSure ? 'likely' : 'hint',
            title: `Frames for ${receiver} are flooded to ${place.name}, which has nothing to do with them`,
            summary:
              `${count} unicast frames from ${sender} to ${receiver}${ip ? ` (${ip})` : ''} came in within ${Math.round(seconds)} s, ${Math.round(count / seconds)} a second. ` +
              `Neither is a station of this machine, and not one frame came back the other way: the switch does not know where ${receiver} is and sends to every port what is for it. ` +
              `${wasHeard ? 'It spoke before that' : 'It is never heard here'}.`,
            subject: { mac: receiver, sender },
            evidence: unheard
              .frames(row)
              .map((each) => ({ capture, layer: 'ethernet', note: `unicast ${sender} > ${receiver}`, ...each })),
            cause:
              'The switch has no entry for the receiver: it only listens and is forgotten after 300 s while the sender’s ARP entry lives on, its answers take another way (asymmetric routing), ' +
              'it is gone, or the table was flushed or is full. A hub or a promiscuous virtual switch does the same.',
            remedy: [
              {
                text: 'See whether the switch knows the receiver (Linux bridge)',
                commands: [at(bridge, `bridge fdb show | grep -i ${receiver}`)],
              },
              {
                text: 'Let the receiver speak now and then, or give the switch an entry that does not age',
                commands: [
                  at(port, `bridge fdb replace ${receiver} dev ${port?.name ?? `<port of ${receiver}>`} master static`),
                ],
              },
              {
                text: 'Or let the switch remember stations longer than hosts and routers remember neighbours (in 10 ms; here 15,000 s, for ARP entries of 4 h)',
                commands: [at(bridge, `ip link set ${bridge?.name ?? '<bridge>'} type bridge ageing_time 1500000`)],
              },
              {
                text: 'Keep unknown unicast from a port',
                commands: [at(near, `bridge link set dev ${near?.name ?? '<port of this machine>'} flood off`)],
              },
            ],
            caveats: place.isSure
              ? []
              : ['several MACs send from here: the receiver may be a silent guest or container of this machine'],
            wouldRaise: place.isSure ? [] : ['the host context of this machine (--context)'],
            context: place.device ? [`${label(place.device)}: end of its link, no bridge or bond above it`] : [],
          });
        },
      },
    };
  },
};

/** Where the frames come in; null where nothing tells which stations are of this machine. */
function placeOf(network: Network, row: number): { name: string; device: Device | null; isSure: boolean } | null {
  const { context, vantage, unheard, stations, segments } = network;
  if (context && vantage) {
    // What passes a bridge or a bond, or a child that takes everything, is for stations that no context knows.
    const children = context.childrenOf(vantage);
    if (
      vantage.master ||
      vantage.kind === 'bridge' ||
      children.some(({ mode, master }) => mode === 'passthru' || master)
    )
      return null;
    const sender = context.localMac(vantage, unheard.senderHi(row), unheard.senderLo(row));
    const receiver = context.localMac(vantage, unheard.hi(row), unheard.lo(row));
    if (sender === 'local' || receiver === 'local') return null;
    return { name: label(vantage), device: vantage, isSure: true };
  }
  const segment = unheard.segment(row);
  const sender = stations.find(segment, unheard.senderHi(row), unheard.senderLo(row));
  if (!segments.sawOutbound(segment) || sender < 0 || !stations.cameIn(sender) || stations.sentOut(sender)) return null;
  let senders = 0;
  for (let each = 0; each < Math.min(stations.count, MAX_ROWS); each++)
    if (segments.baseOf(stations.segment(each)) === segments.baseOf(segment) && stations.sentOut(each)) senders++;
  return { name: 'this machine', device: null, isSure: senders === 1 };
}

/** A second MAC of this machine: a virtual router's, or one whose IP address this machine sends from. */
function isForUs({ unheard, stations, bindings }: Network, row: number): boolean {
  if (stations.sentOut(unheard.station(row)) || isVirtualRouter(unheard.hi(row), unheard.lo(row))) return true;
  const address = unheard.address(row);
  const segment = unheard.segment(row);
  return (
    address >= 0 &&
    bindings.of(segment, address).some((binding) => {
      const station = stations.find(segment, bindings.hi(binding), bindings.lo(binding));
      return station >= 0 && stations.sentOut(station);
    })
  );
}

/** Stations that are not of this machine talk with each other in both directions. */
function isMirror(network: Network, segment: number, exchanges: number): boolean {
  const { unheard, stations, segments, context, vantage } = network;
  const base = segments.baseOf(segment);
  for (let row = 0; row < Math.min(unheard.rowCount, MAX_ROWS); row++) {
    if (unheard.spokeBetween(row) < exchanges || segments.baseOf(unheard.segment(row)) !== base) continue;
    const hi = unheard.senderHi(row);
    const lo = unheard.senderLo(row);
    if (context && vantage) {
      const ends = [context.localMac(vantage, hi, lo), context.localMac(vantage, unheard.hi(row), unheard.lo(row))];
      if (!ends.includes('local')) return true;
    } else if (!stations.sentOut(unheard.station(row))) return true;
  }
  return false;
}
