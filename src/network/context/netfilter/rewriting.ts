import { parseIp } from '../address.js';
import { count, type Row, record, text } from '../rows.js';
import { written } from './conditions.js';
import { addressValue, type Packet } from './packet.js';

/*
 * What rules write into a packet. What is not shown, or may not have happened, is not known from then on: null.
 */

/** A `mangle` statement of libnftables-json(5): it sets a mark, or a field of the packet. */
export function mangle(packet: Packet, statement: Row | null, isSure: boolean): void {
  const key = record(statement?.key);
  if (record(key?.meta)?.key === 'mark') {
    const value = written(statement?.value);
    packet.mark = isSure && typeof value === 'number' ? value : null;
    packet.isMarkAssumed = false;
  } else if (record(key?.payload))
    packet.source = packet.destination = packet.sourcePort = packet.destinationPort = null;
}

/** What a target of iptables writes is not shown. Returns whether the packet goes on behind it. */
export function applyTarget(packet: Packet, target: unknown): boolean {
  if (target === 'MARK' || target === 'CONNMARK') {
    packet.mark = null;
    packet.isMarkAssumed = false;
    return true;
  }
  if (target === 'CT' || target === 'NOTRACK') {
    packet.state = null;
    return true;
  }
  if (target === 'SNAT' || target === 'MASQUERADE') packet.source = packet.sourcePort = null;
  if (target === 'DNAT' || target === 'REDIRECT' || target === 'NETMAP' || target === 'TPROXY')
    packet.destination = packet.destinationPort = packet.isTranslated = packet.isLocal = null;
  return false;
}

/** A `dnat` statement. */
export function translate(packet: Packet, nat: Row | null, isSure: boolean): void {
  const ip = parseIp(text(nat?.addr) ?? '');
  const isKnown = isSure && ip !== null && (ip.family === 4) === packet.isIpv4;
  packet.destination = isKnown ? addressValue(ip.words) : null;
  packet.isTranslated = isSure ? true : null;
  packet.isLocal = null;
  if (nat?.port !== undefined) packet.destinationPort = isSure ? count(nat.port) : null;
}

/** A `redirect` statement, to a port of the machine itself; what was for another one gets an address that is not shown. */
export function redirect(packet: Packet, to: Row | null, isSure: boolean): void {
  if (!isSure || packet.isLocal !== true) {
    applyTarget(packet, 'REDIRECT');
    return;
  }
  packet.isTranslated = true;
  if (to?.port !== undefined) packet.destinationPort = count(to.port);
}
