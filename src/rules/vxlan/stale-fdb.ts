import { ipKey, macKey } from '../../network/context/address.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { confidenceBy } from '../parts/confidence.js';
import { showsOneWay } from '../parts/one-way-capture.js';
import { label } from '../parts/question.js';
import { SYNS } from '../parts/usual-thresholds.js';
import { isVirtualRouter } from '../parts/virtual-router.js';
import type { Diagnosis, Remedy, Rule } from '../rule.js';
import { misdirectedSymptoms, watchMisdirected } from './parts/misdirected.js';
import { outerAddressTowards, underlayOf } from './parts/peers.js';
import { staleEntry } from './parts/stale-entry.js';
import { address, deviceName, evidence, isGroup, onEndpoint, tunnelsCarrying, vxlanDevices } from './parts/tunnel.js';

/** Frames for a station go to an endpoint behind which it is not (catalogue F6). */
export const staleFdb: Rule = {
  meta: {
    id: 'vxlan/stale-fdb',
    severity: 'warning',
    summary: 'Frames for a station go to another tunnel endpoint than the one behind which it is',
    catalogue: 'F6',
    thresholds: {
      frames: { value: 2, unit: 'misdirected frames', source: 'one may be under way while a station moves' },
      sure: {
        value: 3,
        unit: 'misdirected frames that make it certain',
        source: 'more than what is under way while a station moves',
      },
      move: {
        value: 0.5,
        unit: 'seconds until a station that moved is known at its new place',
        source: 'an announcement takes no longer',
      },
      syns: SYNS,
      returns: {
        value: 2,
        unit: 'times that a station is heard behind the endpoint before the latest, from which on it is behind both',
        source:
          'a guest is moved there and back once; the gateway of all leaves of a fabric speaks behind each of them',
      },
    },
  },
  create(context) {
    const { network, captures, thresholds } = context;
    const { tunnelStations: stations, segments } = network;

    function diagnose(station: number): Diagnosis | null {
      const target = stations.misdirectedTo(station);
      const count = stations.wrong(station);
      // What goes to a group is flooded: the sender has no entry.
      if (target < 0 || count < thresholds.frames || stations.right(station) > 0 || isGroup(network, target))
        return null;
      const heard = stations.heardAt(station);
      const home = heard >= 0 ? null : homeOf(network, station);
      if (
        heard < 0
          ? home === null
          : stations.last(station) - stations.heardTime(station) < thresholds.move * 1e9 &&
            stations.heardSince(station) === 0
      )
        return null;
      if (network.context && home === null && isFlooded(network, station)) return null;
      // It goes on answering: two endpoints share an address, or reach each other.
      const answers = stations.heardSince(station) * 2 >= count;
      const inner = stations.segment(station);
      const capture = segments.captureOf(inner);
      // It may have moved to where they go, and what it sends there is left out.
      const isHidden = home === null && showsOneWay(captures[capture]);
      const isShared = home === null && isBehindSeveral(network, station, thresholds.returns);
      const mayFlood = home === null && mayBeFlooded(network, station);
      const mac = formatMac(stations.hi(station), stations.lo(station));
      const to = address(network, target);
      const right = home === null ? address(network, heard) : home.endpoint;
      const [vni] = segments.describe(inner).vnis.slice(-1);
      return {
        key: String(station),
        segment: inner,
        capture,
        confidence: confidenceBy({
          hint: answers || isHidden || isShared || mayFlood,
          certain: home !== null || count >= thresholds.sure,
        }),
        title: `Frames for ${mac} go to ${to}, but the station is behind ${right}`,
        summary:
          `${count} frames for ${mac} in VNI ${vni} were sent to ${to}. ` +
          (home === null
            ? `The station was heard from ${right}, before or while they were sent, and nothing for it goes there.`
            : `The host context shows the station on ${home.label}, behind ${right}.`),
        subject: { mac, endpoint: to, rightEndpoint: right, vni },
        count,
        first: stations.first(station),
        last: stations.last(station),
        evidence: [
          ...(home === null
            ? [
                {
                  capture,
                  frame: stations.heardFrame(station),
                  layer: 'ethernet',
                  offset: 0,
                  length: 0,
                  note: `from ${mac}, behind ${right}`,
                },
              ]
            : []),
          ...evidence(capture, 'ethernet', stations.places(station), `for ${mac}, sent to ${to}`),
        ],
        cause:
          'The forwarding table of the sender holds an old entry: the station moved, and the entry is static, or the program that writes the table missed it.',
        explains: [
          { rule: 'vxlan/inner-mac-not-receiver', key: String(station) },
          ...misdirectedSymptoms(network, station, target),
        ],
        remedy: remedyOf(network, { mac, sender: senderTo(network, inner, target), vni, right }),
        wouldRaise:
          answers || isHidden || isShared || mayFlood ? [`a capture at ${to}: what becomes of the frames there?`] : [],
        caveats: [
          ...(answers ? ['the station goes on sending: perhaps both endpoints lead to it'] : []),
          ...(isShared
            ? [`${mac} is behind several endpoints at once: as the gateway of all leaves it has its place behind each`]
            : []),
          ...(mayFlood
            ? [
                `this capture shows what ${to} sends and gets alone: these may be copies of what is flooded to all endpoints`,
              ]
            : []),
          ...(isHidden
            ? [`all frames of this capture go one way: it does not show what the station sends, perhaps from ${to} now`]
            : []),
        ],
        context: home === null ? [] : [home.label],
      };
    }

    const watched = watchMisdirected(context, thresholds.frames, diagnose);
    return { ...watched, events: { ...staleEntry(context).events, ...watched.events } };
  },
};

/**
 * Whether a station is the gateway of several endpoints, each of which has its MAC (anycast gateway), and frames for it that are flooded are no
 * sign of an old entry: by its MAC, by the host context, or as it is heard behind two by turns.
 */
function isBehindSeveral({ tunnelStations: stations, context }: Network, station: number, returns: number): boolean {
  const hi = stations.hi(station);
  const lo = stations.lo(station);
  if (isVirtualRouter(hi, lo) || stations.returned(station) >= returns) return true;
  const [first, ...others] = context?.devicesByMac(hi, lo) ?? [];
  return others.some(({ namespace }) => namespace !== first.namespace);
}

/**
 * Whether the capture shows the tunnels of one endpoint alone, behind which the station never was: it is sent a copy of each frame for a station that the
 * sender has no entry for, and the copies for others are not seen.
 */
function mayBeFlooded(network: Network, station: number): boolean {
  const { tunnelStations: stations, tunnels } = network;
  const target = stations.misdirectedTo(station);
  if (stations.before(station) === target) return false;
  return tunnelsCarrying(network, stations.segment(station)).every(
    (row) => tunnels.source(row) === target || tunnels.destination(row) === target,
  );
}

/** Whoever sends to this endpoint in this tunnel, -1 if several do. */
function senderTo(network: Network, inner: number, target: number): number {
  const { tunnels } = network;
  const senders = new Set(
    tunnelsCarrying(network, inner)
      .filter((row) => tunnels.destination(row) === target)
      .map((row) => tunnels.source(row)),
  );
  return senders.size === 1 ? [...senders][0] : -1;
}

/** The endpoint behind which the host context shows a station, if it is not the one that frames for it go to. */
function homeOf(network: Network, station: number): { endpoint: string; label: string } | null {
  const { context, tunnelStations: stations, segments, addresses } = network;
  if (!context) return null;
  const vni = segments.describe(stations.segment(station)).vnis.at(-1);
  const devices = context.devicesByMac(stations.hi(station), stations.lo(station));
  const [device] = devices;
  if (devices.length !== 1) return null;
  // The station may be the VXLAN device itself (flannel, Calico), or a guest behind its bridge.
  const bridge = device.peer?.master;
  const tunnel = device.vxlan ? device : bridge && context.portsOf(bridge).find(({ vxlan }) => vxlan?.id === vni);
  if (!tunnel || tunnel.vxlan?.id !== vni) return null;
  const home = underlayOf(context, tunnel);
  if (home === null) return null;
  // In fabrics the endpoints' addresses are on `lo`.
  const local = context.devices.filter(({ namespace }) => namespace === home);
  const holders = context.devicesByIp(addresses.words(stations.misdirectedTo(station)));
  if (local.some((each) => holders.includes(each)) || isFlooded(network, station)) return null;
  const endpoint = outerAddressTowards(context, tunnel, addresses.words(stations.misdirectedTo(station)));
  return endpoint !== null ? { endpoint, label: label(device) } : null;
}

/**
 * Whether the tables of all that send to the endpoint hold no entry for a station that leads there: what goes to a station without one is flooded, as
 * while the leaf that it is behind starts anew.
 */
function isFlooded(network: Network, station: number): boolean {
  const { tunnelStations: stations, tunnels, segments } = network;
  const target = stations.misdirectedTo(station);
  const inner = stations.segment(station);
  const vni = segments.describe(inner).vnis.at(-1);
  const senders = tunnelsCarrying(network, inner)
    .filter((row) => tunnels.destination(row) === target)
    .flatMap((row) => vxlanDevices(network, tunnels.source(row), vni));
  const to = ipKey(network.addresses.words(target));
  const mac = macKey(stations.hi(station), stations.lo(station));
  return (
    senders.length > 0 &&
    senders.every(
      ({ endpoints }) =>
        endpoints !== null && !endpoints.some((each) => each.mac === mac && ipKey(each.dst.words) === to),
    )
  );
}

/** To look at the entry of `sender` (row of `addresses`, -1 if it is not known) for a MAC, and to set it to the endpoint `right`. */
function remedyOf(
  network: Network,
  { mac, sender, vni, right }: { mac: string; sender: number; vni: number; right: string },
): Remedy[] {
  const name = sender < 0 ? '<vxlan device>' : deviceName(network, sender, vni);
  const on = (command: string) => (sender < 0 ? command : onEndpoint(network, sender, command));
  return [
    {
      text: 'Look at the entry',
      commands: [on(`bridge fdb show ${sender < 0 ? '' : `dev ${name} `}| grep ${mac}`)],
    },
    { text: 'Set it right', commands: [on(`bridge fdb replace ${mac} dev ${name} dst ${right}`)] },
  ];
}
