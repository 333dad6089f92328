import { ipKey, macKey } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import { formatIpv4 } from '../../wire/address.js';
import { ipv4Source } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { vrrpRouter } from '../../wire/vrrp.js';
import { inNamespace, label, modeOf } from '../question.js';
import type { EvidenceRef, Rule, RuleId } from '../rule.js';
import { segmentAt } from '../segment.js';

const MAX_ROUTERS = 256;
const MAX_FRAMES = 32;

interface Rival {
  readonly key: string;
  readonly child: Device;
  readonly source: number;
  readonly router: number;
  readonly segment: number;
  readonly capture: number;
  count: number;
  readonly first: number;
  last: number;
  readonly frames: EvidenceRef[];
}

/** A macvlan child with a virtual MAC never hears others that send from it (catalogue B13). Needs host context. */
export const vmacNeedsPrivate: Rule = {
  meta: {
    id: 'macvlan/vmac-needs-private',
    severity: 'warning',
    summary: 'VRRP on a macvlan child in mode bridge or vepa does not hear its peer: it needs mode private',
    catalogue: 'B13',
    silence: true,
    thresholds: {
      advertisements: {
        value: 3,
        unit: 'advertisements in a row',
        source: 'three lost ones make a backup the master (RFC 5798 section 6.1)',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { context, vantage } = network;
    const children = new Map<number, Device>();
    for (const device of context?.devices ?? [])
      if (device.mac && device.kind === 'macvlan' && (device.mode === 'bridge' || device.mode === 'vepa'))
        children.set(macKey(device.mac.hi, device.mac.lo), device);
    if (!context || children.size === 0) return {};
    const rivals = new Map<string, Rival>();

    return {
      layers: {
        Vrrp(frame, layer) {
          const { view } = frame;
          if (frame.kinds[0] !== Protocol.Ethernet || layer < 1 || frame.kinds[layer - 1] !== Protocol.Ipv4) return;
          const at = frame.offsets[0];
          const child = children.get(macKey(view.getUint16(at + 6), view.getInt32(at + 8)));
          const source = ipv4Source(view, frame.offsets[layer - 1]);
          // What the child's own machine sends it need not hear; what is seen on the child does arrive.
          if (!child || vantage === child || isOwn(child, source)) return;
          const segment = segmentAt(network, frame, layer);
          const key = `${segment} ${child.mac?.text} ${source}`;
          let rival = rivals.get(key);
          if (!rival) {
            if (rivals.size === MAX_ROUTERS) return;
            const { capture, time } = frame;
            const router = vrrpRouter(view, frame.offsets[layer]);
            rival = { key, child, source, router, segment, capture, count: 0, first: time, last: time, frames: [] };
            rivals.set(key, rival);
          }
          rival.count++;
          rival.last = frame.time;
          if (rival.frames.length < MAX_FRAMES)
            rival.frames.push({
              capture: frame.capture,
              frame: frame.number,
              layer: 'vrrp',
              offset: frame.offsets[layer] - frame.start,
              length: frame.ends[layer] - frame.offsets[layer],
              note: `advertisement of ${formatIpv4(source)} from ${child.mac?.text}`,
            });
        },
      },
      captureEnd(capture) {
        for (const rival of rivals.values()) {
          if (rival.capture !== capture || rival.count < thresholds.advertisements) continue;
          const { key, child, router, segment, count, first, last, frames } = rival;
          const source = formatIpv4(rival.source);
          const mac = child.mac?.text ?? '';
          report({
            key,
            segment,
            capture,
            count,
            first,
            last,
            confidence: 'certain',
            title: `${label(child)} never hears the VRRP router ${source}: macvlan mode ${child.mode} drops its own MAC`,
            summary:
              `${source} sends VRRP advertisements for virtual router ${router} from ${mac}, ${count} of them here. ${label(child)} has this very MAC, and macvlan in mode ${child.mode} takes broadcasts and multicasts from a child’s MAC for the child’s own and does not hand them to it. ` +
              'Its VRRP hears no peer, and both machines become master.',
            subject: { mac, device: label(child), source },
            evidence: frames,
            cause:
              'Frames from the MAC of a child are taken for reflected ones, except in mode private (kernel: macvlan_handle_frame in drivers/net/macvlan.c).',
            remedy: [
              {
                text: 'Mode private, which hears them',
                commands: [inNamespace(child, `ip link set ${child.name} type macvlan mode private`)],
              },
            ],
            context: [modeOf(child)],
            explains: splitBrains(rival),
          });
        }
      },
    };

    /** What `vrrp/split-brain` says of the child's own machine and the one it does not hear: the former cannot yield. */
    function splitBrains({ child, source, router, capture }: Rival) {
      const { virtualRouters: routers, segments, addresses } = network;
      const found: { rule: RuleId; key: string }[] = [];
      for (let row = 0; row < routers.count; row++) {
        const segment = routers.segment(row);
        if (routers.isIpv6(row) || routers.id(row) !== router || segments.captureOf(segment) !== capture) continue;
        if (!isOwn(child, addresses.words(routers.source(row))[0])) continue;
        const pair = [formatIpv4(source), addresses.format(routers.source(row))];
        for (const [one, two] of [pair, [...pair].reverse()])
          found.push({ rule: 'vrrp/split-brain', key: `${segment} IPv4 ${router} ${one} ${two}` });
      }
      return found;
    }

    /** Whether an address is held in the namespace of the child, or where its parent is. */
    function isOwn(child: Device, source: number): boolean {
      const holders = context?.devicesByIp([source]) ?? [];
      const near = [child.namespace, child.parent?.namespace];
      return holders.some(
        ({ namespace, addresses }) =>
          near.includes(namespace) && addresses.some(({ words }) => ipKey(words) === source),
      );
    }
  },
};
