import type { Threshold } from '../rule.js';

/** Thresholds that several rules have alike; each rule has its own value of them. */

/** Questions that nobody answers. */
export const REQUESTS: Threshold = { value: 3, unit: 'requests in vain', source: "the kernel's mcast_solicit" };

/** Attempts to open a TCP connection. */
export const SYNS: Threshold = {
  value: 3,
  unit: 'SYNs in vain of one connection',
  source: 'the client waited a second and more for each but the last; a single one may be lost',
};
