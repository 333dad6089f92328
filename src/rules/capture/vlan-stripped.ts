import { isWithin } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import { ArpOperation, arpOperation, isEthernetIpv4, SHA, SPA, TPA } from '../../wire/arp.js';
import { printable } from '../../wire/printable.js';
import { Protocol } from '../../wire/protocol.js';
import type { Rule } from '../rule.js';
import { frames as asEvidence, ofCapture } from './parts/whole.js';

const MAX_EXAMPLES = 16;

/** The capture does not keep VLAN tags (catalogue K10). Needs host context. */
export const vlanStripped: Rule = {
  meta: {
    id: 'capture/vlan-stripped',
    severity: 'info',
    summary: 'VLAN tags are missing in the capture: it cannot tell VLANs apart',
    catalogue: 'K10',
  },
  create(context) {
    const { network, captures, report } = context;
    const { context: host, vantage, namespace, segments } = network;
    const vlans = (vantage ? (host?.childrenOf(vantage) ?? []) : []).filter(({ vlan, mac }) => vlan && mac);
    /** Requests of this host for the network of a VLAN device, without its tag, by capture. */
    const untagged = new Map<number, { device: Device; numbers: number[]; count: number }>();

    /** A capture on one device: what the host sends through eth0.100 must have tag 100 on eth0. */
    function tellDevice(capture: number): void {
      const found = untagged.get(capture);
      if (!found || !vantage || !network.vantage || hasTags(capture)) return;
      const { device, numbers, count } = found;
      const { name, ...whole } = ofCapture(context, capture);
      const [vlan, trunk] = [printable(device.name), printable(vantage.name)];
      report({
        ...whole,
        confidence: 'certain',
        title: `The capture on ${trunk} has lost the VLAN tags of its frames`,
        summary: `${vlan} sends through ${trunk} with tag ${device.vlan?.id}, and ${count} of its requests are in ${name} without one. No frame there has a tag: what belongs to which VLAN cannot be told, and nothing about tags is judged.`,
        count,
        evidence: asEvidence(capture, numbers, `sent by ${vlan}, without its tag`),
        cause:
          'The driver hands tags over beside the frame (VLAN offload), and the tool that captured does not put them back.',
        remedy: [
          {
            text: 'Let the kernel keep tags in the frames while capturing, or use a newer libpcap',
            commands: [`ethtool -K ${trunk} rxvlan off txvlan off`],
          },
        ],
        context: [`${vlan}: VLAN ${device.vlan?.id} on ${trunk}`],
      });
    }

    /** A capture on all devices as LINUX_SLL2 (libpcap 1.10): both eth0 and eth0.100 are in it, and no tag. */
    function tellAll(capture: number): void {
      const devices = network.context?.namespaces.get(namespace ?? '')?.byIndex;
      if (!devices || vantage) return;
      const seen = new Set<Device>();
      for (let segment = 0; segment < segments.count; segment++) {
        const { deviceIndex, capture: of } = segments.describe(segment);
        const device = of === capture && deviceIndex > 0 ? devices.get(deviceIndex) : undefined;
        if (device) seen.add(device);
      }
      const pairs = [...seen].filter(({ vlan, parent }) => vlan && parent && seen.has(parent));
      if (pairs.length === 0 || hasTags(capture)) return;
      const [{ name: child, vlan, parent }] = pairs;
      const { name, ...whole } = ofCapture(context, capture);
      const [device, trunk] = [printable(child), printable(parent?.name ?? '')];
      report({
        ...whole,
        confidence: 'certain',
        title: `A capture on all devices keeps no VLAN tags: frames on ${trunk} lack theirs`,
        summary: `${name} shows frames both on ${device} (VLAN ${vlan?.id}) and on ${trunk}, where they carry a tag, and none of them has one. Which VLAN a frame on ${trunk} belongs to cannot be told.`,
        count: captures[capture].frames,
        evidence: [],
        cause: 'tcpdump -i any writes LINUX_SLL2, in which libpcap 1.10 leaves the tags out.',
        remedy: [
          {
            text: 'Capture on the trunk itself, or as LINUX_SLL, which keeps tags',
            commands: [`tcpdump -i ${trunk} -w again.pcap`, 'tcpdump -i any -y LINUX_SLL -w again.pcap'],
          },
        ],
        context: pairs
          .slice(0, 8)
          .map((each) => printable(`${each.name}: VLAN ${each.vlan?.id} on ${each.parent?.name}`)),
      });
    }

    function hasTags(capture: number): boolean {
      for (let segment = 0; segment < segments.count; segment++)
        if (segments.captureOf(segment) === capture && segments.describe(segment).vlans.length > 0) return true;
      return false;
    }

    return {
      layers:
        vlans.length === 0
          ? {}
          : {
              Arp(frame, layer) {
                const { view } = frame;
                const at = frame.offsets[layer];
                if (layer !== 1 || frame.kinds[0] !== Protocol.Ethernet || !isEthernetIpv4(view, at)) return;
                if (arpOperation(view, at) !== ArpOperation.Request) return;
                const [hi, lo] = [view.getUint16(at + SHA), view.getInt32(at + SHA + 2)];
                const spa = view.getInt32(at + SPA);
                const device = vlans.find((each) => each.mac?.hi === hi && each.mac.lo === lo && holds(each, spa));
                // The kernel asks for what is on the link of a device through that device.
                if (!device || !isOnLink(device, view.getInt32(at + TPA)) || isOnLink(vantage as Device, spa)) return;
                const found = untagged.get(frame.capture) ?? { device, numbers: [], count: 0 };
                untagged.set(frame.capture, found);
                found.count++;
                if (found.numbers.length < MAX_EXAMPLES) found.numbers.push(frame.number);
              },
            },
      captureEnd(capture) {
        tellDevice(capture);
        tellAll(capture);
      },
    };
  },
};

function holds({ addresses }: Device, address: number): boolean {
  return addresses.some(({ family, words }) => family === 4 && words[0] === address);
}

function isOnLink({ addresses }: Device, address: number): boolean {
  return addresses.some(({ words, prefixLength }) => isWithin([address], words, prefixLength));
}
