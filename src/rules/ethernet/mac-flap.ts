import type { Device } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { formatMac, macAt } from '../../wire/address.js';
import { ACTOR, lacpKey, lacpState, SYSTEM } from '../../wire/lacp.js';
import { stuckConnectionsAt } from '../parts/connections/connection.js';
import { unansweredPingsAt } from '../parts/pings/ping.js';
import { inNamespace } from '../parts/question.js';
import { setting } from '../parts/setting.js';
import { isVirtualRouter } from '../parts/virtual-router.js';
import type { Diagnosis, Rule } from '../rule.js';
import { carrierOf, giveAnother } from './parts/another-mac.js';
import { type TunnelFlap, TunnelFlaps } from './parts/tunnel-flaps.js';

/** State bit 3 of a LACP actor: its port is in the aggregate (IEEE 802.1AX-2014 clause 6.4.2.3). */
const IN_SYNC = 0x08;
/** Ports whose aggregates are remembered. */
const MAX_PORTS = 1 << 10;

/** Frames of one MAC enter a bridge now by one port and now by another (catalogue D3). */
export const macFlap: Rule = {
  meta: {
    id: 'ethernet/mac-flap',
    severity: 'warning',
    summary: 'Frames from one MAC enter now by one port of a bridge and now by another',
    catalogue: 'D3',
    thresholds: {
      window: setting('flapWindow'),
      endpoints: {
        value: 3,
        unit: 'changes between two tunnel endpoints within the window',
        source: 'catalogue D3; a machine that is moved there and back makes two',
      },
      stay: {
        value: 3,
        unit: 'seconds at a port on average, from which on changes are only a hint',
        source:
          'a guest that is migrated there and back stays for seconds, two senders of one MAC take turns with each packet',
      },
    },
  },
  create({ network, captures, report, thresholds }) {
    const { locations, segments, stations } = network;
    const tunnelFlaps = new TunnelFlaps(network);
    /** Systems and keys that LACP told at a port, by base segment: ports with one in common are one aggregate. */
    const aggregates = new Map<number, Set<string>>();

    /** The two ports are members of one bond, and the other end spreads its frames over them. */
    function areMembers(a: number, b: number): boolean {
      const [one, two] = [deviceOf(network, a), deviceOf(network, b)];
      if (one?.masterKind === 'bond' && one.master === two?.master) return true;
      const told = aggregates.get(b);
      return [...(aggregates.get(a) ?? [])].some((each) => told?.has(each) === true);
    }

    return {
      layers: {
        Lacp(frame, layer) {
          const { view } = frame;
          const actor = frame.offsets[layer] + ACTOR;
          if ((lacpState(view, actor) & IN_SYNC) === 0) return;
          const base = segments.base(frame);
          const told = aggregates.get(base) ?? new Set();
          if (aggregates.size < MAX_PORTS) aggregates.set(base, told);
          if (told.size < 4) told.add(`${macAt(view, actor + SYSTEM)} ${lacpKey(view, actor)}`);
        },
      },
      captureEnd(capture) {
        for (const flap of tunnelFlaps.of(capture, thresholds.endpoints)) {
          const diagnosis = betweenEndpoints(network, flap, thresholds.stay);
          if (diagnosis) report(diagnosis);
        }
      },
      events: {
        movedInTunnel(station, before, frame, layer) {
          tunnelFlaps.moved(station, before, frame, layer);
        },
        moved(row) {
          const hi = locations.hi(row);
          const lo = locations.lo(row);
          const [latest, before] = locations.ports(row);
          if (isVirtualRouter(hi, lo) || areMembers(latest, before)) return;
          const capture = segments.captureOf(latest);
          const mac = formatMac(hi, lo);
          const names = [before, latest].map((base) => nameOf(network, base)).sort();
          const moves = locations.moves(row);
          const stay = (locations.last(row) - locations.first(row)) / 1e9 / moves;
          const mayBeMoved = stay > thresholds.stay;
          // Captures of several places put together: each shows what its station sends first, and nothing is a bridge.
          const { frames, inbound, outbound } = captures[capture];
          const mayBeMerged = inbound + outbound < frames;
          const mayBeBond = locations.isShared(row) && !deviceOf(network, latest);
          report({
            key: keyOf(capture, mac),
            segment: latest,
            capture,
            count: moves,
            // A frame that was handed from port to port is told from one that entered by the copies before it.
            silence: true,
            tries: stationsOf(network, capture, hi, lo).reduce((frames, each) => frames + stations.sent(each), 0),
            first: locations.first(row),
            last: locations.last(row),
            confidence: mayBeMoved || mayBeBond || mayBeMerged ? 'hint' : 'likely',
            title: `${mac} moves between two ports of the bridge, ${moves} times`,
            summary:
              `Unicast frames from ${mac} enter by ${names.join(' and ')}, in turns: ${moves} changes within a minute. ` +
              'The bridge learns the address anew each time, and what is sent to it leaves by the port that spoke last, so part of it is lost.',
            subject: { mac },
            evidence: locations.places(row).map((frame) => ({
              capture,
              frame,
              layer: 'ethernet',
              offset: 0,
              length: 12,
              note: `from ${mac}`,
            })),
            cause:
              'Two machines have the same MAC (a clone, a MAC given by hand), or two paths lead to one machine: a loop, a bond without LACP.',
            remedy: [
              {
                text: 'See where the bridge has the address now, and again',
                commands: [`bridge fdb show | grep -i ${mac}`, `bridge monitor fdb | grep -i ${mac}`],
              },
              {
                text: 'Two machines: give one of them another MAC',
                commands: giveAnother(network, hi, lo),
              },
              {
                text: 'One machine with a bond: LACP on both sides',
                commands: [bondWith(carrierOf(network, hi, lo))],
              },
            ],
            caveats: [
              ...(mayBeBond
                ? ['one device shows what comes in by both ports: if it is a bond, this is how its members work']
                : []),
              ...(mayBeMerged
                ? ['which way frames went is not known: captures of several places that were merged look alike']
                : []),
            ],
            wouldRaise: [
              '`bridge monitor fdb` of the bridge: the address changes its port',
              ...(mayBeMoved ? ['changes that come faster: a guest may have been moved there and back'] : []),
              ...(mayBeMerged ? ['a capture that tells directions: `tcpdump -i any`, `netdiag live`'] : []),
              ...(mayBeBond ? ['host context (--context): whether the two ports are members of a bond'] : []),
            ],
          });
        },
      },
    };
  },
};

/** A MAC at all ports of a capture: rows of `stations`. */
function stationsOf({ stations, segments }: Network, capture: number, hi: number, lo: number): number[] {
  return stations.withMac(hi, lo).filter((row) => segments.captureOf(stations.segment(row)) === capture);
}

/** Two machines with one MAC, each behind a tunnel endpoint of its own; null for a virtual router. */
function betweenEndpoints(network: Network, flap: TunnelFlap, longest: number): Diagnosis | null {
  const { tunnelStations: stations, addresses } = network;
  const { station, capture, moves, first, last, sources, frames } = flap;
  const [hi, lo] = [stations.hi(station), stations.lo(station)];
  if (isVirtualRouter(hi, lo)) return null;
  const mac = formatMac(hi, lo);
  const isSlow = (last - first) / 1e9 / moves > longest;
  const [[a, [ofA]], [b, [ofB]]] = [...sources].map(([endpoint, ips]) => [endpoint, [...ips]] as const);
  const [one, two, ipOne, ipTwo] = [a, b, ofA, ofB].map((row) => addresses.format(row));
  return {
    key: tunnelKeyOf(station),
    segment: stations.segment(station),
    capture,
    count: moves,
    first,
    last,
    confidence: isSlow ? 'hint' : 'likely',
    title: `${mac} is heard from two tunnel endpoints by turns, ${moves} times`,
    summary:
      `Frames from ${mac} come now from ${one}, where it is ${ipOne}, and now from ${two}, where it is ${ipTwo}: ${moves} changes. ` +
      'Every endpoint learns the address anew each time, and what is sent to it goes to the endpoint that was heard last, so part of it may be lost.',
    subject: { mac, first: one, second: two },
    evidence: frames,
    cause: 'Two machines in one overlay network have the same MAC: a clone, or a MAC given by hand.',
    remedy: [
      { text: 'See where an endpoint has the address now, and again', commands: [`bridge fdb show | grep -i ${mac}`] },
      { text: 'Give one of the two another MAC', commands: giveAnother(network, hi, lo) },
    ],
    wouldRaise: isSlow ? ['changes that come faster: a guest may have been moved there and back'] : [],
    explains: lostAt(network, stations.segment(station), hi, lo),
  };
}

function bondWith(carrier: Device | null): string {
  const command = (name: string) => `ip link set ${name} type bond mode 802.3ad`;
  return carrier?.kind === 'bond' ? inNamespace(carrier, command(carrier.name)) : command('<bond>');
}

/** What was sent to a MAC and is not answered: part of it went to where the MAC was heard last. */
function lostAt(network: Network, segment: number, hi: number, lo: number) {
  return [...unansweredPingsAt(network, segment, hi, lo), ...stuckConnectionsAt(network, segment, hi, lo)];
}

/** Key of the finding about a station inside a tunnel (row of `tunnelStations`), for causes. */
export function tunnelKeyOf(station: number): string {
  return `tunnel ${station}`;
}

/** Key of the finding about a MAC, for causes. */
export function keyOf(capture: number, mac: string): string {
  return `${capture} ${mac}`;
}

/** Device of a port of a capture of all devices, where the host context has it. */
function deviceOf({ segments, context, namespace, vantage }: Network, base: number): Device | null {
  const { deviceIndex } = segments.describe(base);
  if (deviceIndex === 0 || vantage) return null;
  return context?.namespaces.get(namespace ?? '')?.byIndex.get(deviceIndex) ?? null;
}

function nameOf({ segments }: Network, base: number): string {
  const { interface: port, deviceIndex } = segments.describe(base);
  return deviceIndex > 0 ? `the device with index ${deviceIndex}` : `interface ${port}`;
}
