import { sharesMac } from '../../network/context/device.js';
import { Trait } from '../../network/link/stations.js';
import { hasDeviceId } from '../../network/neighbors/device-id.js';
import type { Network } from '../../network/network.js';
import { Protocol } from '../../wire/protocol.js';
import { headerOf } from '../parts/evidence.js';
import { Observations, type Observed, wholeOf } from '../parts/observations.js';
import { inNamespace } from '../parts/question.js';
import { isVirtualRouter } from '../parts/virtual-router.js';
import type { Rule } from '../rule.js';
import { carrierOf, giveAnother } from './parts/another-mac.js';

const MAX_STATIONS = 1000;
const MAX_FRAMES = 64;

/** The address comes in at another device of the capture too: a switch passes its frames on, and spanning tree may turn the way round. */
function isPassedOn({ stations, segments }: Network, station: number): boolean {
  const base = segments.baseOf(stations.segment(station));
  const capture = segments.captureOf(stations.segment(station));
  for (const row of stations.withMac(stations.hi(station), stations.lo(station))) {
    if (!stations.cameIn(row)) continue;
    const segment = stations.segment(row);
    if (segments.baseOf(segment) !== base && segments.captureOf(segment) === capture) return true;
  }
  return false;
}

/** The host context shows children that have the MAC of their parent (ipvlan): siblings hear each other's broadcasts. */
function isShared({ context, stations }: Network, station: number): boolean {
  return context?.devicesByMac(stations.hi(station), stations.lo(station)).some(sharesMac) ?? false;
}

function mayBeSibling({ context, stations, bindings }: Network, station: number): boolean {
  return !context && bindings.own(stations.segment(station), stations.hi(station), stations.lo(station)).length > 1;
}

/** Frames come in whose source is a MAC that this machine sends from, and they are no reflections (catalogue D2). */
export const ownMacReceived: Rule = {
  meta: {
    id: 'ethernet/own-mac-received',
    severity: 'warning',
    summary: 'Frames come in with a source MAC of this machine, and they are no copies of what it just sent',
    catalogue: 'D2',
    thresholds: {
      frames: { value: 3, unit: 'frames', source: 'a single one may be caught between two ports' },
    },
  },
  create({ network, report, thresholds }) {
    /** By station; what is known of it are rows of `stations`. */
    const seen = new Observations<number>(MAX_STATIONS, MAX_FRAMES);

    function tell(sighting: Observed<number>): void {
      const { count, what: station } = sighting;
      if (count < thresholds.frames || isShared(network, station)) return;
      const { stations } = network;
      const mac = stations.format(station);
      const doubt = doubtOf(network, station);
      report({
        ...wholeOf(sighting),
        confidence: doubt ? 'hint' : 'likely',
        title: `${mac}, which sends from here, also comes in from outside`,
        summary:
          `This machine sends from ${mac}, and ${count} broadcast or multicast frames with that source came in that are no copy of a frame it had just sent. ` +
          'The kernel notes it as "received packet with own address as source address".',
        subject: { mac },
        cause:
          'A second machine has the same MAC (a cloned VM, an equal --mac-address), or a loop or a bond hands frames back late.',
        remedy: [
          { text: 'See what the kernel says, and on which device', commands: ['dmesg | grep "own address as source"'] },
          {
            text: 'Two machines: give one of them another MAC',
            commands: giveAnother(network, stations.hi(station), stations.lo(station)),
          },
          { text: 'A loop: turn spanning tree on', commands: [spanningTree(network, station)] },
        ],
        caveats: doubt ? [doubt] : [],
        wouldRaise: [
          'a capture on the switch: from which port do these frames come?',
          ...(network.context
            ? []
            : ['host context (--context): `ip -d link` tells whether the device is an ipvlan child']),
        ],
      });
    }

    return {
      events: {
        ownMac(frame, station) {
          if (frame.kinds[0] === Protocol.Sll) return;
          // The next master of a virtual router sends from the same MAC.
          if (isVirtualRouter(network.stations.hi(station), network.stations.lo(station))) return;
          if ((network.stations.traits(station) & Trait.MovedAway) !== 0) {
            seen.delete(String(station));
            return;
          }
          const segment = network.stations.segment(station);
          const sighting = seen.at(String(station), segment, frame, () => station);
          if (sighting && seen.count(sighting, frame))
            sighting.evidence.push(headerOf(frame, 0, 'ethernet', 'comes in with a source of this machine'));
        },
      },
      captureEnd(capture) {
        for (const sighting of seen.of(capture)) tell(sighting);
      },
    };
  },
};

/** Why it may sit behind this device, which passes on what goes out with its MAC; null where nothing speaks for that. */
function doubtOf(network: Network, station: number): string | null {
  const { stations } = network;
  if ((stations.traits(station) & Trait.Inside) !== 0)
    return 'unicast comes in from it too: a container behind a bridge port with hairpin looks alike';
  if (isPassedOn(network, station))
    return 'it comes in at another device of the capture too: a switch whose spanning tree turned the way round looks alike';
  if (hasDeviceId(network, stations.segment(station), stations.hi(station), stations.lo(station)))
    return 'a link-local address of it has a device number in it, as those of ipvlan children have: they share a MAC, and what a sibling sends looks alike';
  if (mayBeSibling(network, station))
    return 'it has several addresses here: ipvlan children of one parent share its MAC, and what a sibling sends looks alike';
  return null;
}

/** On the bridge through which this machine sends, where the host context shows it. */
function spanningTree(network: Network, station: number): string {
  const { vantage, stations } = network;
  const carrier = carrierOf(network, stations.hi(station), stations.lo(station));
  const bridge = [carrier, carrier?.peer?.master, vantage, vantage?.master].find((each) => each?.kind === 'bridge');
  const command = (name: string) => `ip link set ${name} type bridge stp_state 1`;
  return bridge ? inNamespace(bridge, command(bridge.name)) : command('<bridge>');
}
