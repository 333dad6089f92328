import type { Segments } from '../link/segments.js';
import type { Resolutions } from './resolutions.js';
import { SAME_REQUEST_NS } from './same-request.js';

/**
 * Whether a question was seen at another port of the capture before, and its answer there. A bridge shows questions at all
 * ports that it floods them to, and unicast answers only at the two that they pass: the asker's is the one that counts.
 */
export function isAnsweredWhereAsked(resolutions: Resolutions, segments: Segments, row: number): boolean {
  const segment = resolutions.segment(row);
  if (segments.depth(segment) > 0) return false;
  const last = resolutions.last(row);
  return segments.otherPorts(segment).some((port) => {
    const [hi, lo] = [resolutions.hi(row), resolutions.lo(row)];
    const other = resolutions.find(port, hi, lo, resolutions.spa(row), resolutions.tpa(row));
    if (other < 0) return false;
    const asked = resolutions.last(other);
    return asked <= last && last - asked < SAME_REQUEST_NS && resolutions.lastAnswer(other) >= asked;
  });
}
