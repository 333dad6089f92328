import type { Device } from '../../network/context/device.js';
import { IPV4 } from '../../network/link/moves.js';
import { Claim } from '../../network/neighbors/bindings.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { printable } from '../../wire/printable.js';
import { confidenceBy } from '../parts/confidence.js';
import { stuckConnectionsAt } from '../parts/connections/connection.js';
import { at, deviceWith, settingsName } from '../parts/device-argument.js';
import { unansweredPingsTo } from '../parts/pings/ping.js';
import { label } from '../parts/question.js';
import { SYNS } from '../parts/usual-thresholds.js';
import { isVirtualRouter } from '../parts/virtual-router.js';
import { seconds } from '../parts/words.js';
import type { Remedy, Rule } from '../rule.js';
import { outdatedNeighbors } from './parts/outdated-neighbor.js';
import { staticNeighbors } from './parts/static-neighbor.js';
import { suppressedNeighbors } from './parts/suppressed-neighbor.js';
import { takenOver } from './parts/taken-over.js';

const OWN = Claim.Request | Claim.Announcement;

/** An address has moved to another MAC, and somebody goes on sending to the old one (catalogue A8), or does by a permanent entry (A9). */
export const staleAfterMove: Rule = {
  meta: {
    id: 'arp/stale-after-move',
    severity: 'warning',
    summary: 'An address has another MAC now, and packets still go to its old one, or that of a permanent entry',
    catalogue: 'A8',
    thresholds: {
      packets: { value: 3, unit: 'packets to the old MAC', source: 'fewer may be under way while an address moves' },
      grace: {
        value: 1,
        unit: 'seconds after the move in which packets may still go to the old MAC',
        source: 'the kernel keeps an entry this long against a second answer (locktime, net/ipv4/arp.c)',
      },
      syns: SYNS,
    },
  },
  create(context) {
    const { network, report, withdraw, thresholds } = context;
    const { handlers, isFixed } = staticNeighbors(context);
    const suppressed = suppressedNeighbors(context);
    const outdated = outdatedNeighbors(context);
    const vrrp = takenOver(context);
    const { moves, addresses, segments, bindings, claims, neighborHolders, stations } = network;
    let hasTold = false;

    function tell(row: number): void {
      const ip = moves.family(row) === IPV4 ? addresses.ipv4(moves.address(row)) : moves.address(row);
      const sender = formatMac(moves.hi(row), moves.lo(row));
      const key = `${moves.segment(row)} ${addresses.format(ip)} ${sender}`;
      if (isFixed(key)) return;
      if (judge(row, key, ip, sender)) hasTold = true;
      else if (hasTold) withdraw(key);
    }

    /** Whether the sender goes on sending to the old MAC, long enough after the address moved, and in vain as far as that shows. */
    function isStale(row: number, address: number): boolean {
      const move = moves.moveOf(row);
      if (move < 0 || moves.wrong(row) < thresholds.packets) return false;
      if (moves.last(row) - moves.since(move) < thresholds.grace * 1e9) return false;
      if (isVirtualRouter(...moves.oldMac(move)) || isVirtualRouter(...moves.newMac(move))) return false;
      // Both have it: arp/duplicate-address. Or the old one hands packets on, as a router or a proxy does.
      const contests = moves.family(row) === IPV4 ? claims : neighborHolders;
      return moves.alive(move) === 0 && !moves.forwards(move) && !contests.isContested(moves.segment(row), address);
    }

    function judge(row: number, key: string, address: number, sender: string): boolean {
      if (!isStale(row, address)) return false;
      const segment = moves.segment(row);
      const move = moves.moveOf(row);
      const count = moves.wrong(row);
      const isIpv4 = moves.family(row) === IPV4;
      const [oldHi, oldLo] = moves.oldMac(move);
      const [newHi, newLo] = moves.newMac(move);
      const ip = addresses.format(address);
      const oldMac = formatMac(oldHi, oldLo);
      const newMac = formatMac(newHi, newLo);
      const capture = segments.captureOf(segment);
      const isAnswered = moves.answered(row) * 2 >= count;
      const old = bindings.find(segment, oldHi, oldLo, address);
      // It only ever answered for the address, and has others: a router that answers by proxy looks so.
      const isProxy =
        (old < 0 || (bindings.claims(old) & (OWN | Claim.Source)) === 0) &&
        bindings.own(segment, oldHi, oldLo).length > 1;
      const isDoubtful = isAnswered || isProxy;
      const home = homeOf(network, address, newMac);
      const own = bindings.own(segment, moves.hi(row), moves.lo(row)).map((each) => addresses.format(each));
      const from = own.length === 1 ? `${own[0]} (${sender})` : sender;
      const passed = moves.right(row) > 0;
      const entry = network.context ? entryOf(network, moves.hi(row), moves.lo(row), ip) : null;
      const station = stations.find(segment, newHi, newLo);
      report({
        key,
        segment,
        capture,
        confidence: confidenceBy({ hint: isDoubtful, certain: home !== null && entry?.mac === oldMac }),
        title: `${ip} is at ${newMac} now, and ${own.length === 1 ? own[0] : sender} still sends to ${oldMac}`,
        summary:
          `${newMac} has claimed ${ip} by ${isIpv4 ? 'ARP' : 'neighbor discovery'}, which ${oldMac} had before. ${from} went on sending packets for ${ip} to ${oldMac}, ` +
          `${count} of them, the last ${seconds(moves.last(row) - moves.since(move))} ` +
          `after ${moves.wasAnnounced(move) ? 'the address was announced' : 'that claim'}. ${oldMac} has said nothing more as ${ip}.`,
        subject: { ip, mac: oldMac, newMac, sender },
        count,
        first: moves.first(row),
        last: moves.last(row),
        evidence: [
          { capture, layer: isIpv4 ? 'arp' : 'icmpv6', note: `${newMac} has ${ip} now`, ...moves.place(move) },
          ...moves.places(row).map((place) => ({
            capture,
            layer: isIpv4 ? 'ipv4' : 'ipv6',
            note: `for ${ip}, still to ${oldMac}`,
            ...place,
          })),
        ],
        cause: moves.wasAnnounced(move)
          ? 'The new holder announced the address and the sender did not take it over: its entry is static, or the announcement did not reach it.'
          : 'The address was given to another container, VM or host, which did not announce it, and the sender goes by its old entry: until that times out, or for ever if it is static.',
        explains: [
          ...unansweredPingsTo(network, segment, address),
          ...stuckConnectionsAt(network, segment, oldHi, oldLo),
        ],
        remedy: remedyOf(isIpv4, ip, oldMac, newMac, sender, home, entry?.device ?? null),
        caveats: [
          ...(passed ? ['later packets of this sender go to the new MAC: it passed'] : []),
          ...(isAnswered ? ['packets come back from the address all the while: both MACs may lead to it'] : []),
          ...(isProxy
            ? ['the old holder answers for several addresses: it may be a router that passes packets on']
            : []),
        ],
        wouldRaise:
          isDoubtful || !entry || !home
            ? [
                `host context (--context) of ${sender} and of ${newMac}: the ${isIpv4 ? 'ARP' : 'neighbour'} entry of the one, the address of the other`,
                ...(station >= 0 && isDoubtful ? [`a capture at ${oldMac}: what becomes of the packets there?`] : []),
              ]
            : [],
        context: [
          ...(home ? [`${label(home)}: ${ip}, ${newMac}`] : []),
          ...(entry ? [printable(`${label(entry.device)}: ${ip} lladdr ${entry.mac} ${entry.state}`)] : []),
        ],
      });
      return true;
    }

    return {
      events: {
        sentToOld: tell,
        ...vrrp.events,
        pingLost(row) {
          handlers.events?.pingLost?.(row);
          suppressed.events?.pingLost?.(row);
          outdated.events?.pingLost?.(row);
        },
        connecting(row) {
          handlers.events?.connecting?.(row);
          suppressed.events?.connecting?.(row);
          outdated.events?.connecting?.(row);
        },
      },
      captureEnd(capture) {
        vrrp.captureEnd?.(capture);
        for (let row = 0; row < moves.senderCount; row++)
          if (moves.wrong(row) >= thresholds.packets || hasTold)
            if (segments.captureOf(moves.segment(row)) === capture) tell(row);
      },
    };
  },
};

/** The one device of the host context that has the address, if it has this MAC. */
function homeOf({ context, addresses }: Network, address: number, mac: string): Device | null {
  const devices = context?.devicesByIp(addresses.words(address)) ?? [];
  return devices.length === 1 && devices[0].mac?.text === mac ? devices[0] : null;
}

/** What the sender has in its ARP table for the address. */
function entryOf({ context }: Network, hi: number, lo: number, ip: string) {
  const devices = context?.devicesByMac(hi, lo) ?? [];
  const [device] = devices;
  if (!context || devices.length !== 1) return null;
  const neighbours = context.namespaces.get(device.namespace)?.neighbours ?? [];
  const found = neighbours.find(({ dst, dev }) => dst.text === ip && dev === device.name);
  return found?.lladdr ? { device, mac: found.lladdr.text, state: found.state.join(' ') } : null;
}

/** `home` is the device that has the address now, `asking` the one of the sender, where they are known. */
function remedyOf(
  isIpv4: boolean,
  ip: string,
  oldMac: string,
  newMac: string,
  sender: string,
  home: Device | null,
  asking: Device | null,
): Remedy[] {
  const target = deviceWith(home, newMac);
  const neigh = `ip ${isIpv4 ? '' : '-6 '}neigh`;
  const entry = [`${neigh} show ${ip}`, `${neigh} del ${ip} dev ${deviceWith(asking, sender)}`];
  return [
    {
      text: 'Announce the address from its new place',
      commands: [at(home, isIpv4 ? `arping -c 3 -U -I ${target} ${ip}` : `ndsend ${ip} ${target}`)],
    },
    {
      text: 'At the sender: look at the entry, and take it away',
      commands: entry.map((command) => at(asking, command)),
    },
    isIpv4
      ? {
          text: 'So that it stays: give the container the same MAC each time',
          commands: [`docker run --mac-address ${oldMac} …`],
        }
      : {
          text: 'So that it stays: let the new place announce each address that comes up (Linux does not by itself)',
          commands: [at(home, `sysctl -w net.ipv6.conf.${settingsName(target)}.ndisc_notify=1`)],
        },
  ];
}
