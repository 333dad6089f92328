import type { Rule } from './ruleset.js';

/** Where a packet is dropped. */
export interface Place {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** The chain that the kernel called, and at which hook. */
  readonly base: string;
  readonly hook: string;
  /** Null where no rule took the packet, and the policy of the base chain drops it. */
  readonly rule: Rule | null;
  /** What the rule counted; null where it does not count. */
  readonly packets: number | null;
}

/**
 * What becomes of a packet. `drop`: whatever is not known of it, it is dropped. `refuse`: a rule answers it with an error, perhaps;
 * of a broadcast nobody is told, it is dropped.
 * `open`: it is dropped or not, by what is not known.
 */
export interface Fate {
  readonly kind: 'accept' | 'drop' | 'refuse' | 'open';
  /** Of a drop: the place that it comes to if it comes to no other before. Of a refusal: the only one that may refuse it. */
  readonly place: Place | null;
  /** Other chains at the same hook, or behind it, that would drop it as well. */
  readonly further: readonly Place[];
  /** Of an open one: a rule that would drop it for sure, and counted, behind others that may take it. */
  readonly suspect: Place | null;
  /** Whether it rests on the packet having no mark, and on a chain of a device that nft does not name. */
  readonly assumesMark: boolean;
  readonly assumesDevice: boolean;
  /** Whether it rests on the device that the main routing table sends the packet to. */
  readonly assumesRoute: boolean;
  /** An open one: it is dropped unless a condition on connection tracking, which nft cannot show, lets it through. */
  readonly hidesTracking: boolean;
}

export const ACCEPTED: Fate = {
  kind: 'accept',
  place: null,
  further: [],
  suspect: null,
  assumesMark: false,
  assumesDevice: false,
  assumesRoute: false,
  hidesTracking: false,
};

export const OPEN: Fate = { ...ACCEPTED, kind: 'open' };
