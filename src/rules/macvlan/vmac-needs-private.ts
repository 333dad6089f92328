import { ipKey, macKey } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import { ipv4Source } from '../../wire/ipv4.js';
import { SOURCE as IPV6_SOURCE } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import { vrrpRouter } from '../../wire/vrrp.js';
import { headerOf } from '../parts/evidence.js';
import { Observations, type Observed, wholeOf } from '../parts/observations.js';
import { inNamespace, label, modeOf } from '../parts/question.js';
import { segmentAt } from '../parts/segment.js';
import type { Rule, RuleId } from '../rule.js';

const MAX_ROUTERS = 256;
const MAX_FRAMES = 32;

interface Rival {
  readonly child: Device;
  readonly isIpv4: boolean;
  /** Row of `addresses`. */
  readonly source: number;
  readonly router: number;
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
    const { addresses, context } = network;
    const children = new Map<number, Device>();
    for (const device of context?.devices ?? [])
      if (device.mac && device.kind === 'macvlan' && (device.mode === 'bridge' || device.mode === 'vepa'))
        children.set(macKey(device.mac.hi, device.mac.lo), device);
    if (!context || children.size === 0) return {};
    const rivals = new Observations<Rival>(MAX_ROUTERS, MAX_FRAMES);

    return {
      layers: {
        Vrrp(frame, layer) {
          const { view } = frame;
          if (frame.kinds[0] !== Protocol.Ethernet) return;
          const at = frame.offsets[0];
          const child = children.get(macKey(view.getUint16(at + 6), view.getInt32(at + 8)));
          // What is seen on the child does arrive.
          if (!child || !network.context || network.vantage === child) return;
          const isIpv4 = frame.kinds[layer - 1] === Protocol.Ipv4;
          if (!isIpv4 && frame.kinds[layer - 1] !== Protocol.Ipv6) return;
          const ip = frame.offsets[layer - 1];
          const source = isIpv4 ? addresses.ipv4(ipv4Source(view, ip)) : addresses.ipv6(view, ip + IPV6_SOURCE);
          // What the child's own machine sends it need not hear.
          if (isOwn(child, source)) return;
          const segment = segmentAt(network, frame, layer);
          const key = `${segment} ${child.mac?.text} ${addresses.format(source)}`;
          const router = vrrpRouter(view, frame.offsets[layer]);
          const rival = rivals.at(key, segment, frame, () => ({ child, isIpv4, source, router }));
          if (!rival || !rivals.count(rival, frame)) return;
          const note = `advertisement of ${addresses.format(source)} from ${child.mac?.text}`;
          rival.evidence.push(headerOf(frame, layer, 'vrrp', note));
        },
      },
      captureEnd(capture) {
        for (const rival of rivals.of(capture)) {
          const { count } = rival;
          if (count < thresholds.advertisements) continue;
          const { child, router } = rival.what;
          const source = addresses.format(rival.what.source);
          const mac = child.mac?.text ?? '';
          report({
            ...wholeOf(rival),
            confidence: 'certain',
            title: `${label(child)} never hears the VRRP router ${source}: macvlan mode ${child.mode} drops its own MAC`,
            summary:
              `${source} sends VRRP advertisements for virtual router ${router} from ${mac}, ${count} of them here. ${label(child)} has this very MAC, and macvlan in mode ${child.mode} takes broadcasts and multicasts from a child’s MAC for the child’s own and does not hand them to it. ` +
              'Its VRRP hears no peer, and both machines become master.',
            subject: { mac, device: label(child), source },
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
    function splitBrains({ capture, what: { child, isIpv4, source, router } }: Observed<Rival>) {
      const { virtualRouters: routers, segments } = network;
      const found: { rule: RuleId; key: string }[] = [];
      for (let row = 0; row < routers.count; row++) {
        const segment = routers.segment(row);
        if (routers.isIpv6(row) === isIpv4 || routers.id(row) !== router || segments.captureOf(segment) !== capture)
          continue;
        if (!isOwn(child, routers.source(row))) continue;
        const pair = [addresses.format(source), addresses.format(routers.source(row))];
        for (const [one, two] of [pair, [...pair].reverse()])
          found.push({
            rule: 'vrrp/split-brain',
            key: `${segment} ${isIpv4 ? 'IPv4' : 'IPv6'} ${router} ${one} ${two}`,
          });
      }
      return found;
    }

    /** Whether an address is held in the namespace of the child, or where its parent is. */
    function isOwn(child: Device, source: number): boolean {
      const words = addresses.words(source);
      const near = [child.namespace, child.parent?.namespace];
      return (context?.devicesByIp(words) ?? []).some(
        (holder) =>
          near.includes(holder.namespace) && holder.addresses.some((each) => ipKey(each.words) === ipKey(words)),
      );
    }
  },
};
