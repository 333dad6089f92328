import { macKey } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import { sharesMac } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { reach } from '../../network/context/reach.js';
import type { Network } from '../../network/network.js';
import { formatMac, ipv4At, ipv6At } from '../../wire/address.js';
import { isEthernetIpv4, SPA } from '../../wire/arp.js';
import type { Frame } from '../../wire/frame.js';
import { SOURCE as IPV4_SOURCE } from '../../wire/ipv4.js';
import { SOURCE as IPV6_SOURCE } from '../../wire/ipv6.js';
import { Protocol, protocolName } from '../../wire/protocol.js';
import { stuckConnectionsAt } from '../parts/connections/connection.js';
import { bytesOf } from '../parts/evidence.js';
import { Observations, type Observed, wholeOf } from '../parts/observations.js';
import { unansweredPingsAt } from '../parts/pings/ping.js';
import { asSymptoms, label, questionOf } from '../parts/question.js';
import { segmentAt } from '../parts/segment.js';
import { isVirtualRouter } from '../parts/virtual-router.js';
import type { Rule } from '../rule.js';
import { keyOf, tunnelKeyOf } from './mac-flap.js';
import { withAnotherMac } from './parts/another-mac.js';

const MAX_SIGHTINGS = 256;
const MAX_FRAMES = 32;
const MAX_QUESTIONS = 256;
/** Machines with one MAC that are told apart, and MACs that are looked at: what their broadcasts get to takes a while to find. */
const MAX_HOLDERS = 8;
const MAX_MACS = 256;

interface Sighting {
  readonly hi: number;
  readonly lo: number;
  readonly seen: Set<Device>;
}

/** Two machines on one network have the same MAC (catalogue D4). Needs host context. */
export const duplicateMac: Rule = {
  meta: {
    id: 'ethernet/duplicate-mac',
    severity: 'warning',
    summary: 'Two machines on one network have the same MAC',
    catalogue: 'D4',
  },
  create({ network, report }) {
    const { context } = network;
    const doubles = context ? doublesOf(context) : new Map<number, readonly Device[]>();
    if (!context || doubles.size === 0) return {};
    const joined = new Map<number, readonly Device[]>();
    const sightings = new Observations<Sighting>(MAX_SIGHTINGS, MAX_FRAMES);

    /** An address of `length` bytes at `at`, in `layer`, which the frame is from. */
    function note(frame: Frame, layer: number, at: number, length: 4 | 16): void {
      const { view } = frame;
      // Cooked headers have the sender elsewhere; the files of a bridge's ports have not.
      let link = layer - 1;
      while (link > 0 && frame.kinds[link] === Protocol.Vlan) link--;
      if (link < 0 || frame.kinds[link] !== Protocol.Ethernet) return;
      const hi = view.getUint16(frame.offsets[link] + 6);
      const lo = view.getInt32(frame.offsets[link] + 8);
      const key = macKey(hi, lo);
      const devices = doubles.get(key);
      if (!devices || network.context === null) return;
      const holders = joined.get(key) ?? (joined.size < MAX_MACS ? joinedOf(network.context, devices) : []);
      if (joined.size < MAX_MACS) joined.set(key, holders);
      const having = holders.filter((device) => holds(device, view, at, length));
      // Both may have made the same IPv6 address of their MAC: it does not tell them apart.
      if (having.length !== 1) return;
      const [holder] = having;
      const segment = segmentAt(network, frame, layer);
      const mac = formatMac(hi, lo);
      const facts = () => ({ hi, lo, seen: new Set<Device>() });
      const sighting = sightings.at(`${segment} ${mac}`, segment, frame, facts);
      if (!sighting) return;
      sighting.what.seen.add(holder);
      if (!sightings.count(sighting, frame)) return;
      const name = protocolName(frame.kinds[layer]);
      const note = `${length === 4 ? ipv4At(view, at) : ipv6At(view, at)} from ${mac}`;
      sighting.evidence.push(bytesOf(frame, name, at, length, note));
    }

    return {
      layers: {
        Arp(frame, layer) {
          const at = frame.offsets[layer];
          if (isEthernetIpv4(frame.view, at)) note(frame, layer, at + SPA, 4);
        },
        Ipv4(frame, layer) {
          note(frame, layer, frame.offsets[layer] + IPV4_SOURCE, 4);
        },
        Ipv6(frame, layer) {
          note(frame, layer, frame.offsets[layer] + IPV6_SOURCE, 16);
        },
      },
      captureEnd(capture) {
        for (const sighting of sightings.of(capture)) {
          const { segment } = sighting;
          const { hi, lo, seen } = sighting.what;
          if (seen.size < 2) continue;
          const mac = formatMac(hi, lo);
          const machines = [...seen];
          const names = machines.map(
            (device) =>
              `${label(device)} (${(device.addresses.find(({ family }) => family === 4) ?? device.addresses[0]).text})`,
          );
          report({
            ...wholeOf(sighting),
            confidence: 'certain',
            title: `${machines.map(label).join(' and ')} have the same MAC ${mac}`,
            summary:
              `${names.join(' and ')} both send from ${mac} into one network. Switches take them for one machine that moves, and deliver what is for either to the one that spoke last: ` +
              'connections to both fail now and then, or in turns.',
            subject: { mac },
            cause:
              'A cloned virtual machine, a MAC given by hand twice, or two hosts that make MACs from the same seed.',
            remedy: machines.slice(1).map((device) => ({
              text: `Give ${label(device)} another MAC, and have it tell its neighbours at once; its connections are cut for a moment`,
              commands: withAnotherMac(device, lo),
            })),
            context: machines.map((device) => `${label(device)}: ${mac}`),
            explains: [
              { rule: 'ethernet/mac-flap', key: keyOf(capture, mac) },
              { rule: 'ethernet/mac-flap', key: tunnelKeyOf(network.tunnelStations.find(segment, hi, lo)) },
              { rule: 'ethernet/own-mac-received', key: String(network.stations.find(segment, hi, lo)) },
              ...unansweredPingsAt(network, segment, hi, lo),
              ...stuckConnectionsAt(network, segment, hi, lo),
              ...questionsAmong(network, sighting),
            ],
          });
        }
      },
    };
  },
};

/** What the two ask for of each other in vain: whoever has a MAC takes frames from it for its own. */
function questionsAmong(network: Network, { segment, what: { hi, lo, seen } }: Observed<Sighting>) {
  const { resolutions } = network;
  const found = [];
  for (const row of resolutions.in(segment)) {
    if (found.length >= MAX_QUESTIONS) break;
    if (resolutions.hi(row) !== hi || resolutions.lo(row) !== lo) continue;
    const question = questionOf(network, row);
    if (!question.target || !seen.has(question.target)) continue;
    found.push(...asSymptoms(network, question), { rule: 'ipvlan/sibling-unanswered', key: question.key } as const);
  }
  return found;
}

/** Whether a device has the address of `length` bytes at `at`. */
function holds({ addresses }: Device, view: DataView, at: number, length: 4 | 16): boolean {
  return addresses.some(({ family, words }) => {
    if (family !== (length === 4 ? 4 : 6)) return false;
    for (let word = 0; word * 4 < length; word++) if (words[word] !== view.getInt32(at + word * 4)) return false;
    return true;
  });
}

/** MACs that devices of several machines have, each with addresses of its own. */
function doublesOf(context: HostContext): Map<number, readonly Device[]> {
  const byMac = new Map<number, Device[]>();
  for (const device of context.devices) {
    if (!device.mac || device.loopback || device.addresses.length === 0 || sharesMac(device) || device.kind === 'vlan')
      continue;
    if (isVirtualRouter(device.mac.hi, device.mac.lo)) continue;
    const key = macKey(device.mac.hi, device.mac.lo);
    const group = byMac.get(key) ?? [];
    byMac.set(key, group);
    // Devices of one machine share their MAC as a bridge and its port do.
    if (group.length < MAX_HOLDERS && group.every(({ namespace }) => namespace !== device.namespace))
      group.push(device);
  }
  return new Map([...byMac].filter(([, group]) => group.length > 1));
}

/** Those of devices with one MAC whose broadcasts get to another of them. */
function joinedOf(context: HostContext, devices: readonly Device[]): readonly Device[] {
  const near = devices.map((device) => reach(context, device));
  return devices.filter((device, i) =>
    devices.some(
      (other, j) =>
        i !== j &&
        (context.sharesParent(device, other) === 'yes' || near[i].has(other) || shareTunnel(near[i], near[j])),
    ),
  );
}

/** Whether a VXLAN device of one network leads to one of the other. */
function shareTunnel(one: ReadonlySet<Device>, two: ReadonlySet<Device>): boolean {
  const ends = [...two].flatMap(({ vxlan }) => vxlan ?? []);
  return [...one].some(({ vxlan }) => vxlan && ends.some(({ id, port }) => id === vxlan.id && port === vxlan.port));
}
