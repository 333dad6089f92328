import type { Network } from '../../../network/network.js';

export const UDP_HEADER = 8;

/** What the client (row of `Addresses`) says of answers to a socket that waits for another address: port unreachable. */
export function refusals({ icmpErrors }: Network, segment: number, to: number, from: number) {
  const found: { rule: 'icmp/unreachable'; key: string }[] = [];
  for (let row = 0; row < icmpErrors.count; row++) {
    if (icmpErrors.segment(row) !== segment || icmpErrors.reporter(row) !== to) continue;
    if (icmpErrors.source(row) === from && icmpErrors.destination(row) === to)
      found.push({ rule: 'icmp/unreachable', key: String(row) });
  }
  return found;
}

/** Whether several hosts reply to one ping: to a broadcast address, then, where the capture keeps no MACs that would tell. */
export function isToGroup({ pings }: Network, row: number): boolean {
  for (let other = 0; other < pings.count; other++) {
    if (other === row || pings.requests(other) > 0 || pings.replies(other) === 0) continue;
    if (pings.segment(other) !== pings.segment(row) || pings.source(other) !== pings.source(row)) continue;
    if (pings.identifier(other) === pings.identifier(row)) return true;
  }
  return false;
}

/** Port of the client and identification of the DNS message, in one word. */
export function queryId(view: DataView, at: number, port: number): number {
  return (port << 16) | view.getUint16(at + UDP_HEADER);
}
