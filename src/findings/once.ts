import type { Diagnosis } from '../rules/rule.js';
import type { Reported } from './collector.js';
import { overlap } from './places/kinds.js';
import type { SegmentRef } from './segment-ref.js';

/** Numbers in titles that differ a little from device to device. */
const MEASURED = /\d+(\.\d+)? (times|frames|segments|addresses|of them|ms|s)\b/g;
/** Different networks that say the same in the same words, each compared with those before. */
const MAX_NETWORKS = 64;

/** A diagnosis, those that say the same elsewhere or again, and where those are. */
export interface Once extends Reported {
  readonly twins: readonly Reported[];
  readonly again: readonly SegmentRef[];
}

/**
 * Says once what a run shows several times in the same words: at each device that the frames pass (`tcpdump -i any` on a
 * bridge), in captures from several places, or again and again at one. Two VLANs or VNIs of one device are two networks, though, and so
 * are two devices or captures that do not show it at the same time. The first of `reported` stays.
 */
export function sayOnce(reported: readonly Reported[], describe: (diagnosis: Diagnosis) => SegmentRef): Once[] {
  const said = new Map<string, { first: Reported; segment: SegmentRef; twins: Reported[]; again: SegmentRef[] }[]>();
  const all = [];
  for (const each of reported) {
    const { meta, diagnosis } = each;
    const segment = describe(diagnosis);
    // The same requests in vain may be told in other words where more is known of the target.
    const title = diagnosis.trail ? '' : diagnosis.title.replace(MEASURED, '');
    const words = JSON.stringify([meta.id, title, Object.entries(diagnosis.subject).sort()]);
    const before = said.get(words) ?? [];
    const same = before.find((other) => isSame(other.segment, segment, other.first.diagnosis, diagnosis));
    if (same) {
      same.twins.push(each);
      same.again.push(segment);
      continue;
    }
    const entry = { first: each, segment, twins: [], again: [] };
    if (before.length < MAX_NETWORKS) said.set(words, [...before, entry]);
    all.push(entry);
  }
  return all.map(({ first, twins, again }) => ({ ...first, twins, again }));
}

function isSame(a: SegmentRef, b: SegmentRef, one: Diagnosis, other: Diagnosis): boolean {
  // What is about a capture itself is about that one; what is in it may be the network's.
  if (a.capture !== b.capture && (one.segment < 0 || Object.keys(one.subject).length === 0)) return false;
  if (a.capture === b.capture && a.interface === b.interface)
    return `${a.vlans}` === `${b.vlans}` && `${a.vnis}` === `${b.vnis}`;
  // A device behind a VLAN or tunnel device shows the same without the tag or outer headers.
  if (!mayBeSame(a.vlans, b.vlans) || !mayBeSame(a.vnis, b.vnis)) return false;
  return overlap(one, other);
}

function mayBeSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === 0 || b.length === 0 || `${a}` === `${b}`;
}
