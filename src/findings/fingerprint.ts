import { createHash } from 'node:crypto';
import type { RuleId, Subject } from '../rules/rule.js';
import type { SegmentRef } from './segment-ref.js';

/**
 * 16 hex digits that are equal for the same fault in any run and any capture: SHA-256 of rule, segment
 * (without the capture's number) and subject (in any order of its keys), shortened.
 */
export function fingerprint(rule: RuleId, segment: SegmentRef, subject: Subject): string {
  const about = Object.entries(subject).sort(([a], [b]) => (a < b ? -1 : 1));
  const identity = [rule, segment.interface, segment.vlans, segment.vnis, about];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
}
