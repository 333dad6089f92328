import type { Frame } from '../../wire/frame.js';
import { IpProtocol } from '../../wire/ip-protocols.js';
import { Protocol } from '../../wire/protocol.js';
import type { Rule } from '../rule.js';
import { frames as asEvidence, ofCapture } from './parts/whole.js';

/** Packets looked at in a capture: what a device leaves to be filled in shows in the first ones. */
const SAMPLE = 2000;
const MAX_EXAMPLES = 16;
/** Offsets of the checksum in TCP (RFC 9293 section 3.1) and UDP (RFC 768). */
const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;

/** Checksums are left to the device: the field holds the sum of the pseudo header only (catalogue K4). */
export const offloadChecksums: Rule = {
  meta: {
    id: 'capture/offload-checksums',
    severity: 'info',
    summary: 'Checksums are unfinished where frames were captured: offload, not corruption',
    catalogue: 'K4',
    thresholds: {
      packets: { value: 3, unit: 'unfinished checksums', source: 'each is one of 65536 values: three are no accident' },
    },
  },
  create(context) {
    const { thresholds } = context;
    const captures = new Map<number, { looked: number; frames: number[]; count: number }>();
    let latest = -1;
    let seen = { looked: 0, frames: [] as number[], count: 0 };

    function look(frame: Frame, layer: number, protocol: number, field: number): void {
      if (frame.capture !== latest) {
        latest = frame.capture;
        seen = { looked: 0, frames: [], count: 0 };
        captures.set(latest, seen);
      }
      seen.looked++;
      if (layer === 0 || frame.kinds[layer - 1] !== Protocol.Ipv4) return;
      const at = frame.offsets[layer] + field;
      if (at + 2 > frame.end) return;
      const checksum = frame.view.getUint16(at);
      if (checksum === 0 || checksum !== pseudoHeaderSum(frame, layer, protocol)) return;
      seen.count++;
      if (seen.frames.length < MAX_EXAMPLES) seen.frames.push(frame.number);
    }

    return {
      layers: {
        Tcp(frame, layer) {
          if (seen.looked < SAMPLE || frame.capture !== latest) look(frame, layer, IpProtocol.Tcp, TCP_CHECKSUM);
        },
        Udp(frame, layer) {
          if (seen.looked < SAMPLE || frame.capture !== latest) look(frame, layer, IpProtocol.Udp, UDP_CHECKSUM);
        },
      },
      captureEnd(capture) {
        const found = captures.get(capture);
        if (!found || found.count < thresholds.packets) return;
        const { name, ...whole } = ofCapture(context, capture);
        context.report({
          ...whole,
          confidence: 'certain',
          title: `Checksums are left to the device in ${found.count === found.looked ? 'all' : found.count} of the first ${found.looked} TCP and UDP packets`,
          summary: `In ${name} these packets carry the sum of the pseudo header in the checksum field: the kernel leaves the rest to the network device, and a virtual one never fills it in. Wireshark may call them bad; they are not.`,
          count: found.count,
          evidence: asEvidence(capture, found.frames, 'checksum of the pseudo header only'),
          cause:
            'Checksum offload: the frames were captured on their sender, or on a path of virtual devices (veth, tap, bridge).',
          remedy: [
            {
              text: 'Nothing to cure. For a test with finished checksums, on the sender',
              commands: ['ethtool -K <device> tx off'],
            },
          ],
        });
      },
    };
  },
};

/** Folded sum of the IPv4 pseudo header (RFC 9293 section 3.1): what CHECKSUM_PARTIAL leaves in the field (linux/skbuff.h). */
function pseudoHeaderSum({ view, offsets, limits }: Frame, layer: number, protocol: number): number {
  const ip = offsets[layer - 1];
  let sum = protocol + (limits[layer - 1] - offsets[layer]);
  for (let at = ip + 12; at < ip + 20; at += 2) sum += view.getUint16(at);
  sum = (sum & 0xffff) + (sum >>> 16);
  return (sum & 0xffff) + (sum >>> 16);
}
