import type { Network } from '../../../network/network.js';
import { IpProtocol } from '../../../wire/ip-protocols.js';
import { printable } from '../../../wire/printable.js';
import type { Filtered } from '../../parts/firewalls/filtered.js';
import { cureOf, placeWords } from '../../parts/firewalls/words.js';
import { refusedBy } from '../../parts/refusals/refused.js';
import type { Remedy } from '../../rule.js';
import type { Refusal } from './refusals.js';
import { fewHops, isOnItsLink, routerFrom } from './reporter-view.js';
import { onEndpoint, PORT_UNREACHABLE, vxlanDevices } from './tunnel.js';

/** Codes of ICMP destination unreachable (RFC 792, RFC 1812 section 5.2.7.1) and of ICMPv6 (RFC 4443 section 3.1) that forbid. */
const FORBIDS_V4: readonly number[] = [9, 10, 13];
const FORBIDS_V6: readonly number[] = [1, 5, 6];
/** ICMP code that tells an MTU: another fault. */
const FRAGMENTATION_NEEDED = 4;
const TTL_EXCEEDED_V4 = 11;
const TTL_EXCEEDED_V6 = 3;

/** Why the network below does not bring packets to the far endpoint. */
export interface Reason {
  readonly kind: 'forbidden' | 'few hops' | 'circle' | 'nobody on the link' | 'no way';
  readonly words: string;
  /** The firewall rule that forbids, where the host context shows it. */
  readonly filter: Filtered | null;
}

/** What an ICMP error says; null if it says nothing about reaching the endpoint. */
export function reasonOf(network: Network, refusal: Refusal): Reason | null {
  const error = network.tunnelErrors.kind(refusal.row);
  const isIpv4 = error >> 16 === 4;
  const type = (error >> 8) & 255;
  const code = error & 255;
  const because = (kind: Reason['kind'], words: string): Reason => ({ kind, words, filter: null });
  if (type === (isIpv4 ? TTL_EXCEEDED_V4 : TTL_EXCEEDED_V6)) {
    if (code !== 0) return null;
    const hops = fewHops(network, refusal);
    if (hops === null) return because('circle', 'the packets run in a circle');
    return because('few hops', `they are sent with ${isIpv4 ? 'TTL' : 'hop limit'} ${hops}, too few for the way`);
  }
  if (type !== (isIpv4 ? 3 : 1) || (isIpv4 && code === FRAGMENTATION_NEEDED)) return null;
  const isPort = code === (isIpv4 ? 3 : 4);
  if (isPort || (isIpv4 ? FORBIDS_V4 : FORBIDS_V6).includes(code)) {
    const words = isPort ? 'it is forbidden (a reject in the name of the port)' : 'it is forbidden';
    return { kind: 'forbidden', words, filter: filterOf(network, refusal) };
  }
  if (code === 0) return because('no way', 'network unreachable');
  return because(isOnItsLink(network, refusal) ? 'nobody on the link' : 'no way', 'host unreachable');
}

/** The rule on the machine that refuses them. */
function filterOf(network: Network, { row, sender, target, port }: Refusal): Filtered | null {
  const reporter = network.tunnelErrors.reporter(row);
  const asPort = PORT_UNREACHABLE.includes(network.tunnelErrors.kind(row));
  return refusedBy(network, { reporter, source: sender, destination: target, protocol: IpProtocol.Udp, port, asPort });
}

export function causeOf({ from, to, port, reporter }: Refusal, { kind, filter }: Reason): string {
  if (filter) return `On ${reporter} ${placeWords(filter.place)} refuses UDP port ${port} between the endpoints.`;
  if (kind === 'forbidden') return `A firewall at ${reporter} forbids UDP port ${port} between the endpoints.`;
  if (kind === 'few hops')
    return `${from} sends the packets of the tunnel with a number that each router counts down, and it is 0 at ${reporter}.`;
  if (kind === 'nobody on the link')
    return `${reporter} has ${to} on its own link, looks for it there, and nobody answers: ${to} is down, cut off from that link, or a wrong address.`;
  if (reporter === from)
    return `${from} itself finds no way: nobody answers for ${to} or for the router to it. ${to} is down or a wrong address, or a route is missing.`;
  return `${reporter} has no way to ${to}: a route is missing or wrong, or ${to} is down or a wrong address.`;
}

/** What lets the packets through; empty where somebody has to look first. */
export function remediesOf(network: Network, refusal: Refusal, { kind, filter }: Reason): Remedy[] {
  const { to, port, reporter, row, sender } = refusal;
  const onReporter = (command: string) => onEndpoint(network, network.tunnelErrors.reporter(row), command);
  if (filter) return cureOf([filter], reporter);
  switch (kind) {
    case 'forbidden': {
      const accept = `iptables -I FORWARD -p udp --dport ${port} -d ${to} -j ACCEPT`;
      return [{ text: `Let VXLAN pass on ${reporter}`, commands: [onReporter(accept)] }];
    }
    case 'few hops':
      return vxlanDevices(network, sender)
        .slice(0, 1)
        .map(({ name }) => ({
          text: 'Let them pass more routers; lasts until the device is made anew',
          commands: [onEndpoint(network, sender, `ip link set ${printable(name)} type vxlan ttl 64`)],
        }));
    case 'nobody on the link':
      return [];
    default: {
      const route = `ip route add ${to} via ${routerFrom(network, refusal)}`;
      return [{ text: `Give ${reporter} a route to ${to}`, commands: [onReporter(route)] }];
    }
  }
}
