import type { CaptureFacts } from '../rule.js';

/**
 * Whether all frames of a capture went the same way, as far as directions are known: `tcpdump -Q out`, half of a mirror,
 * or a link on which nothing comes back (catalogue K7). Nothing can be said then of answers that would go the other way.
 */
export function showsOneWay({ frames, inbound, outbound, info }: CaptureFacts): boolean {
  // netdiag itself takes both.
  if (info.format === 'live') return false;
  return inbound + outbound === frames && (inbound === 0 || outbound === 0);
}
