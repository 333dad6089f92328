import type { Network } from '../../network/network.js';
import type { Frame } from '../../wire/frame.js';
import { icmpCode, icmpType, isFragmentationNeeded } from '../../wire/icmp.js';
import { Icmpv6Type, icmpv6Type } from '../../wire/icmpv6.js';
import { TcpFlag, tcpFlags } from '../../wire/tcp.js';
import { onHost, setMtu } from '../parts/device-argument.js';
import { clampFor, letTooBigPass } from '../parts/netfilter.js';
import { setting } from '../parts/setting.js';
import type { EvidenceRef, Remedy, Rule } from '../rule.js';
import { type Merged, MergedSegments } from './parts/merged-segments.js';

/** Messages about merged segments that are remembered. */
const MAX_MERGED = 256;

/** A router tells that packets are too big for the path (catalogue G1). */
export const fragmentationNeeded: Rule = {
  meta: {
    id: 'mtu/fragmentation-needed',
    severity: 'warning',
    summary: 'A router says that packets are too big for the path',
    catalogue: 'G1',
    thresholds: {
      packets: {
        value: 3,
        unit: 'packets as big as before, after which the sender does not take the message',
        source: 'catalogue G1; one or two may have been on their way already',
      },
      patience: setting('tooBigHeard'),
    },
  },
  create({ network, report, thresholds }) {
    const { pathMtus, segments, addresses, tunnelErrors } = network;
    const segmentsOf = new MergedSegments(network);
    /** What was refused though its sender made it of segments that fit, by row of `pathMtus`. */
    const merged = new Map<number, Merged>();

    function tell(row: number): void {
      const segment = pathMtus.segment(row);
      const capture = segments.captureOf(segment);
      const isIpv4 = addresses.isIpv4(pathMtus.source(row));
      const from = addresses.format(pathMtus.source(row));
      const to = addresses.format(pathMtus.destination(row));
      const reporter = addresses.format(pathMtus.reporter(row));
      const mtu = pathMtus.mtu(row);
      const size = pathMtus.quotedLength(row);
      const ignoring = pathMtus.ignoring(row);
      const isIgnored = ignoring >= thresholds.packets;
      const isTunnel = tunnelErrors.concerns(segment, pathMtus.source(row), pathMtus.destination(row));
      // Drivers of tunnels answer so on the way, as the target itself: it never got the packet.
      const whole = merged.get(row) ?? null;
      const isInItsName = pathMtus.reporter(row) === pathMtus.destination(row);
      const limit = mtu > 0 ? `${mtu} bytes at most` : 'how much fits it does not tell';
      const teller = isInItsName ? `a device on the way, in the name of ${to},` : reporter;
      const layer = isIpv4 ? 'icmp' : 'icmpv6';
      const evidence: EvidenceRef[] = [
        ...pathMtus.places(row).map((place) => ({
          capture,
          layer,
          note: isInItsName
            ? `tells ${from} in the name of ${to}: too big, ${limit}`
            : `${reporter} tells ${from}: too big for ${to}, ${limit}`,
          ...place,
        })),
        ...(isIgnored
          ? pathMtus.ignoringPlaces(row).map((place) => ({
              capture,
              layer: isIpv4 ? 'ipv4' : 'ipv6',
              note: `from ${from}, as big as before`,
              ...place,
            }))
          : []),
      ];
      report({
        key: String(row),
        segment,
        capture,
        confidence: 'certain',
        // Path MTU discovery at work is healthy: it costs one packet.
        severity: isIgnored || isTunnel || whole ? 'warning' : 'info',
        title: whole
          ? `${isInItsName ? 'A device on the way' : reporter} refuses packets from ${from} to ${to} as too big, though all that was sent fits`
          : isIgnored
            ? `${from} goes on sending packets too big for ${to}, though ${isInItsName ? 'it was told' : `${reporter} told it`}`
            : `Packets from ${from} are too big for the path to ${to}: ${limit}${isInItsName ? '' : `, says ${reporter}`}`,
        summary:
          `${teller[0].toUpperCase()}${teller.slice(1)} dropped a packet of ${size} bytes from ${from} to ${to}, which must not be fragmented, and told the sender: ${limit}. ` +
          (isInItsName
            ? `${to} itself never got the packet: Linux answers so where a tunnel begins (VXLAN, Geneve), and behind NAT. `
            : '') +
          (whole
            ? `But ${to} takes segments that make packets of ${whole.fits} bytes, no more, and these fit: nobody sent a packet of ${whole.refused} bytes. Something before the router put segments together, and the router measured the whole. `
            : '') +
          (isIgnored
            ? `More than a second later ${from} sent ${ignoring} packets just as big: the message does not reach it, or it does not take it.`
            : isTunnel
              ? 'The packet was VXLAN: the tunnel endpoint learns the limit, and from then on drops what is too big, often without telling the stations inside.'
              : whole
                ? 'The sender can do nothing about it: the connection hangs, or crawls with what passes alone.'
                : 'A sender that takes the message sends smaller packets from then on; that is path MTU discovery at work.'),
        subject: { sender: from, receiver: to, router: reporter, ...(mtu > 0 ? { mtu } : {}) },
        count: pathMtus.errors(row),
        first: pathMtus.first(row),
        last: pathMtus.last(row),
        evidence,
        cause: whole
          ? `Large receive offload (LRO, also "rx-gro-hw") in the network card or virtual switch${isInItsName ? '' : ` of ${reporter}`} puts segments together as if they had been one packet. Such a packet cannot be taken apart again when it is forwarded.`
          : isIgnored
            ? `A firewall in front of ${from} drops the message, NAT or a load balancer does not pass it on, or the program does not care.`
            : isTunnel
              ? 'The path between the tunnel endpoints carries less than the endpoints believe.'
              : isInItsName
                ? `A tunnel on the way has less room than the MTU of ${from}: VXLAN over IPv4 takes 50 bytes of each packet.`
                : `A link behind ${reporter} has a smaller MTU than the sender's.`,
        remedy: whole
          ? unmerge(network, isInItsName ? null : reporter)
          : isTunnel
            ? [
                {
                  text: 'Make what goes into the tunnel small enough: the MTU of the path, less 50 bytes (70 over IPv6)',
                  commands: [
                    `ip link set <vxlan device> mtu ${mtu > 0 ? mtu - (isIpv4 ? 50 : 70) : '<path MTU − 50>'}`,
                  ],
                },
              ]
            : [
                ...(isInItsName && mtu > 0
                  ? [
                      {
                        text: `On ${from}, and on all that send through this tunnel: an MTU that fits`,
                        commands: [setMtu(network, from, mtu)],
                      },
                    ]
                  : []),
                {
                  text: 'Let the messages pass to the sender (made by iptables; what a rule of another nftables table drops stays dropped)',
                  commands: [onHost(network, from, letTooBigPass(from, 'INPUT'))],
                },
                {
                  text: `On ${isInItsName ? 'the machine where the tunnel begins' : reporter}: let TCP learn the size from the start, in both directions; until the next restart`,
                  commands: [isInItsName ? clampFor(to) : onHost(network, reporter, clampFor(to))],
                },
                {
                  text: 'On the sender: probe sizes by itself, in connections that begin from now on, each of which hangs some seconds before; until the next restart',
                  commands: [onHost(network, from, 'sysctl -w net.ipv4.tcp_mtu_probing=1')],
                },
              ],
      });
    }

    function refused(frame: Frame, layer: number): void {
      const found = segmentsOf.refused(frame, layer);
      if (!found || (merged.size === MAX_MERGED && !merged.has(found.row))) return;
      merged.set(found.row, found.merged);
      tell(found.row);
    }

    return {
      layers: {
        Tcp(frame, layer) {
          if ((tcpFlags(frame.view, frame.offsets[layer]) & TcpFlag.Syn) !== 0) segmentsOf.syn(frame, layer);
        },
        Icmp(frame, layer) {
          const { view } = frame;
          const at = frame.offsets[layer];
          if (isFragmentationNeeded(icmpType(view, at), icmpCode(view, at))) refused(frame, layer);
        },
        Icmpv6(frame, layer) {
          if (icmpv6Type(frame.view, frame.offsets[layer]) === Icmpv6Type.PacketTooBig) refused(frame, layer);
        },
      },
      events: { tooBig: tell },
      captureEnd(capture) {
        for (let row = 0; row < pathMtus.count; row++)
          if (segments.captureOf(pathMtus.segment(row)) === capture) tell(row);
      },
    };
  },
};

/** Keeps cards from putting segments together on the router that forwards them. */
function unmerge(network: Network, router: string | null): Remedy[] {
  const on = (command: string) => (router === null ? command : onHost(network, router, command));
  return [
    {
      text: 'On the router, at the device where the packets come in: no receive offload that loses the segments; costs some CPU. In a VM also at the host or virtual switch below',
      commands: [on('ethtool -K <device> lro off'), on('ethtool -K <device> rx-gro-hw off')],
    },
  ];
}
