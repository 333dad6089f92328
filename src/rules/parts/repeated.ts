import type { Network } from '../../network/network.js';
import type { EvidenceRef } from '../rule.js';

/** Repetitions of an answered question that are more than chance: with the first, the kernel's mcast_solicit. */
export const REPETITIONS = 2;

/** Requests that came again although answered, and their answers, as evidence. */
export function repeatedFrames({ resolutions, segments, addresses }: Network, row: number): EvidenceRef[] {
  const capture = segments.captureOf(resolutions.segment(row));
  const tpa = resolutions.tpa(row);
  const isIpv4 = addresses.isIpv4(tpa);
  const asker = addresses.format(resolutions.spa(row));
  const note = `${isIpv4 ? 'ARP who-has' : 'neighbor solicitation for'} ${addresses.format(tpa)}${isIpv4 ? ' tell' : ' from'} ${asker}, and the answers`;
  const layer = isIpv4 ? 'arp' : 'icmpv6';
  return resolutions.repeats.frames(row).map((place) => ({ capture, layer, note, ...place }));
}

/** Times and count of the repeated questions, for a diagnosis. */
export function repeatedSpan({ resolutions }: Network, row: number) {
  const { repeats } = resolutions;
  return { count: repeats.count(row) + 1, first: repeats.first(row), last: repeats.last(row) };
}

/** The symptom that a cause of repeated questions explains. */
export function asRepeated({ key }: { key: string }) {
  return { rule: 'arp/reply-not-accepted', key } as const;
}
