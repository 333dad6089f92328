import type { Device } from '../../network/context/device.js';
import { reach } from '../../network/context/reach.js';
import { formatMac } from '../../wire/address.js';
import { printable } from '../../wire/printable.js';
import type { Diagnosis, Rule } from '../rule.js';
import { misdirectedSymptoms, watchMisdirected } from './parts/misdirected.js';
import { address, deviceName, evidence, onEndpoint, tunnelsCarrying, vxlanDevices, vxlanLine } from './parts/tunnel.js';

/** Neighbour entries named in a command. */
const MAX_BELIEVERS = 4;

/** Frames inside are for a MAC that the far endpoint does not have (catalogue F5). */
export const innerMacNotReceiver: Rule = {
  meta: {
    id: 'vxlan/inner-mac-not-receiver',
    severity: 'warning',
    summary: 'Frames inside VXLAN are for another MAC than the far endpoint has: an old address of it',
    catalogue: 'F5',
    thresholds: {
      frames: { value: 3, unit: 'frames for a MAC that nobody has', source: "a kernel's three attempts" },
    },
  },
  create(context) {
    const { network, thresholds } = context;
    const { tunnelStations: stations, tunnels, segments, bindings } = network;

    function diagnose(station: number): Diagnosis | null {
      const target = stations.misdirectedTo(station);
      const count = stations.wrong(station);
      if (target < 0 || count < thresholds.frames || stations.heardAt(station) >= 0) return null;
      const inner = stations.segment(station);
      const vni = segments.describe(inner).vnis.at(-1);
      const rows = tunnelsCarrying(network, inner);
      const device = receiverOf(station, target, vni);
      const holder = holderOf(station, target, rows);
      if (device === null && holder === null) return null;
      const mac = formatMac(stations.hi(station), stations.lo(station));
      const real = device?.mac?.text ?? holder ?? '';
      const capture = segments.captureOf(inner);
      const to = address(network, target);
      const sender = rows.find((row) => tunnels.destination(row) === target);
      const source = sender === undefined ? -1 : tunnels.source(sender);
      const name = source < 0 ? '<vxlan device>' : deviceName(network, source, vni);
      const ip = stations.ip(station) < 0 ? null : address(network, stations.ip(station));
      const on = (command: string) => (source < 0 ? command : onEndpoint(network, source, command));
      return {
        key: String(station),
        segment: inner,
        capture,
        confidence: device ? 'certain' : 'likely',
        title: `Frames to ${to} are for MAC ${mac}, but it has ${real}`,
        summary:
          `${count} frames in VNI ${vni} go to endpoint ${to} with the inner destination ${mac}, which was never heard. ` +
          (device
            ? `Its VXLAN device ${printable(device.name)} has ${real}`
            : `What comes from ${to}, ${ip} among it, has the inner source ${real}`) +
          `: the receiver takes such frames for somebody else's and drops them.`,
        subject: { mac, endpoint: to, receiver: real, ...(vni === undefined ? {} : { vni }) },
        count,
        first: stations.first(station),
        last: stations.last(station),
        evidence: evidence(capture, 'ethernet', stations.places(station), `for ${mac}, sent to ${to}`),
        cause: `The VXLAN device on ${to} was made again and has another MAC (a restart, NetworkManager, systemd's MACAddressPolicy); the sender keeps the old one in its neighbour table and forwarding table.`,
        explains: [...misdirectedSymptoms(network, station, target)],
        remedy: [
          {
            text: 'See what the sender believes',
            commands: [on(`bridge fdb show dev ${name} | grep ${mac}`), on(`ip neigh show dev ${name} | grep ${mac}`)],
          },
          {
            text: 'Set it right by hand',
            commands: [
              on(`bridge fdb replace ${real} dev ${name} dst ${to}`),
              ...believers(source, vni, mac).map((ip) => on(`ip neigh replace ${ip} lladdr ${real} dev ${name}`)),
            ],
          },
          {
            text: 'Have the overlay program do it: restart it on the sender (flannel), and keep systemd from changing the MAC',
            commands: [
              "printf '[Match]\\nOriginalName=flannel*\\n[Link]\\nMACAddressPolicy=none\\n' > /etc/systemd/network/50-flannel.link",
            ],
          },
        ],
        wouldRaise: device ? [] : [`\`ip -d link\` of ${to} (--context)`],
        context: device ? [`${vxlanLine(device)}, MAC ${real}`] : [],
      };
    }

    /** Addresses that the sender's neighbour table gives to the old MAC, by the host context, or a placeholder. */
    function believers(source: number, vni: number | undefined, mac: string): string[] {
      const [device] = source < 0 ? [] : vxlanDevices(network, source, vni);
      const neighbours = (device && network.context?.namespaces.get(device.namespace)?.neighbours) ?? [];
      const found = neighbours.filter(({ dev, lladdr }) => dev === device?.name && lladdr?.text === mac);
      return found.length > 0
        ? found.slice(0, MAX_BELIEVERS).map(({ dst }) => printable(dst.text))
        : ['<inner address>'];
    }

    /** The endpoint's own VXLAN device, where it is the only receiver: it is in no bridge, and has another MAC. */
    function receiverOf(station: number, target: number, vni: number | undefined): Device | null {
      const devices = vxlanDevices(network, target, vni);
      const [device] = devices;
      if (devices.length !== 1 || device.master || !device.mac || isBehindBridge(device, station)) return null;
      const isSame = device.mac.hi === stations.hi(station) && device.mac.lo === stations.lo(station);
      return isSame ? null : device;
    }

    /** The MAC is that of a host behind a bridge there: the VXLAN device is to be a port of it, and is none. */
    function isBehindBridge({ namespace }: Device, station: number): boolean {
      const { context } = network;
      const holders = context?.devicesByMac(stations.hi(station), stations.lo(station)) ?? [];
      return holders.some((holder) =>
        context
          ? [...reach(context, holder)].some((each) => each.kind === 'bridge' && each.namespace === namespace)
          : false,
      );
    }

    /** The one MAC behind the endpoint, if the address that the frames are for comes from it: each endpoint is one station. */
    function holderOf(station: number, target: number, rows: readonly number[]): string | null {
      const ip = stations.ip(station);
      const back = rows.filter((row) => tunnels.source(row) === target);
      if (ip < 0 || back.length === 0 || !back.every((row) => tunnels.hasOneSource(row))) return null;
      const hi = tunnels.sourceHi(back[0]);
      const lo = tunnels.sourceLo(back[0]);
      if (back.some((row) => tunnels.sourceHi(row) !== hi || tunnels.sourceLo(row) !== lo)) return null;
      return bindings.find(stations.segment(station), hi, lo, ip) >= 0 ? formatMac(hi, lo) : null;
    }

    return watchMisdirected(context, thresholds.frames, diagnose);
  },
};
