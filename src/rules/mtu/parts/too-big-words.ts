import type { Network } from '../../../network/network.js';
import { onHost, setMtu } from '../../parts/device-argument.js';
import { clampFor, letTooBigPass } from '../../parts/firewalls/netfilter.js';
import type { Remedy } from '../../rule.js';
import type { Merged } from './merged-segments.js';

/** Outer headers of VXLAN that an endpoint adds to what it is given, over IPv4 and over IPv6. */
const VXLAN_OVERHEAD = 50;
const VXLAN_OVERHEAD_IPV6 = 70;

/** "Fragmentation needed" or "packet too big", and what became of it. */
export interface TooBig {
  /** Who sent the packet, whom it was for, and who says that it is too big. */
  readonly from: string;
  readonly to: string;
  readonly reporter: string;
  readonly isIpv4: boolean;
  /** Drivers of tunnels answer so on the way, as the target itself: it never got the packet. */
  readonly isInItsName: boolean;
  /** What fits, in bytes; 0 where the message does not tell. */
  readonly mtu: number;
  /** Length of the packet that was refused. */
  readonly size: number;
  /** Whether the packet was VXLAN. */
  readonly isTunnel: boolean;
  /** What was refused though its sender made it of segments that fit. */
  readonly merged: Merged | null;
  /** Packets just as big that followed, where these are too many to have been on their way. */
  readonly ignoring: number;
}

function limitOf({ mtu }: TooBig): string {
  return mtu > 0 ? `${mtu} bytes at most` : 'how much fits it does not tell';
}

/** What a message says, for its frame. */
export function noteOf(message: TooBig): string {
  const { from, to, reporter, isInItsName } = message;
  return isInItsName
    ? `tells ${from} in the name of ${to}: too big, ${limitOf(message)}`
    : `${reporter} tells ${from}: too big for ${to}, ${limitOf(message)}`;
}

export function titleOf(message: TooBig): string {
  const { from, to, reporter, isInItsName, merged, ignoring } = message;
  if (merged)
    return `${isInItsName ? 'A device on the way' : reporter} refuses packets from ${from} to ${to} as too big, though all that was sent fits`;
  if (ignoring > 0)
    return `${from} goes on sending packets too big for ${to}, though ${isInItsName ? 'it was told' : `${reporter} told it`}`;
  return `Packets from ${from} are too big for the path to ${to}: ${limitOf(message)}${isInItsName ? '' : `, says ${reporter}`}`;
}

export function summaryOf(message: TooBig): string {
  const { from, to, reporter, isInItsName, size, merged } = message;
  const teller = isInItsName ? `A device on the way, in the name of ${to},` : reporter;
  return (
    `${teller} dropped a packet of ${size} bytes from ${from} to ${to}, which must not be fragmented, and told the sender: ${limitOf(message)}. ` +
    (isInItsName
      ? `${to} itself never got the packet: Linux answers so where a tunnel begins (VXLAN, Geneve), and behind NAT. `
      : '') +
    (merged
      ? `But ${to} takes segments that make packets of ${merged.fits} bytes, no more, and these fit: nobody sent a packet of ${merged.refused} bytes. Something before the router put segments together, and the router measured the whole. `
      : '') +
    outcomeOf(message)
  );
}

function outcomeOf({ from, isTunnel, merged, ignoring }: TooBig): string {
  if (ignoring > 0)
    return `More than a second later ${from} sent ${ignoring} packets just as big: the message does not reach it, or it does not take it.`;
  if (isTunnel)
    return 'The packet was VXLAN: the tunnel endpoint learns the limit, and from then on drops what is too big, often without telling the stations inside.';
  if (merged) return 'The sender can do nothing about it: the connection hangs, or crawls with what passes alone.';
  return 'A sender that takes the message sends smaller packets from then on; that is path MTU discovery at work.';
}

export function causeOf({ from, reporter, isInItsName, isTunnel, merged, ignoring }: TooBig): string {
  if (merged)
    return `Large receive offload (LRO, also "rx-gro-hw") in the network card or virtual switch${isInItsName ? '' : ` of ${reporter}`} puts segments together as if they had been one packet. Such a packet cannot be taken apart again when it is forwarded.`;
  if (ignoring > 0)
    return `A firewall in front of ${from} drops the message, NAT or a load balancer does not pass it on, or the program does not care.`;
  if (isTunnel) return 'The path between the tunnel endpoints carries less than the endpoints believe.';
  if (isInItsName)
    return `A tunnel on the way has less room than the MTU of ${from}: VXLAN over IPv4 takes ${VXLAN_OVERHEAD} bytes of each packet.`;
  return `A link behind ${reporter} has a smaller MTU than the sender's.`;
}

export function remedyOf(network: Network, message: TooBig): Remedy[] {
  const { from, to, reporter, isInItsName, isIpv4, mtu, isTunnel, merged } = message;
  if (merged) return unmerge(network, isInItsName ? null : reporter);
  if (isTunnel) {
    const inner = mtu > 0 ? mtu - (isIpv4 ? VXLAN_OVERHEAD : VXLAN_OVERHEAD_IPV6) : '<path MTU − 50>';
    return [
      {
        text: 'Make what goes into the tunnel small enough: the MTU of the path, less 50 bytes (70 over IPv6)',
        commands: [`ip link set <vxlan device> mtu ${inner}`],
      },
    ];
  }
  const lower: Remedy = {
    text: `On ${from}, and on all that send through this tunnel: an MTU that fits`,
    commands: [setMtu(network, from, mtu)],
  };
  return [
    ...(isInItsName && mtu > 0 ? [lower] : []),
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
  ];
}

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
