/** A number that decides what the tables notice. */
export interface Setting {
  readonly value: number;
  readonly unit: string;
  /** Why this value: a standard, the kernel, a measurement. */
  readonly source: string;
}

const ALTERNATION =
  'neighbour caches live about so long (base_reachable_time 30 s × 0.5 to 1.5); a failover does not go back within it';

/**
 * What rules that live on events of the tables cannot decide themselves. Each belongs to the thresholds of one rule, so that
 * configurations can set it; other rules that live on the same table go by it too.
 */
export const SETTINGS = {
  answerEarly: {
    value: 0.01,
    unit: 'seconds that an answer may come before its request',
    source: 'ipvlan defers broadcasts to a work queue: answers overtake them, by 5 ms at most where it was measured',
  },
  answerLate: {
    value: 2,
    unit: 'seconds from a request to its answer',
    source: 'proxy ARP waits up to 0.8 s (proxy_delay in net/ipv4/arp.c)',
  },
  runPause: {
    value: 5,
    unit: 'seconds between two requests of one run',
    source: 'Linux asks each second, other stacks up to 5 s apart',
  },
  retryMin: {
    value: 0.9,
    unit: 'seconds between two requests of a kernel that got no answer, at least',
    source: 'retrans_time_ms is 1000, and captures write times some ms late',
  },
  retryMax: {
    value: 1.2,
    unit: 'seconds between them, at most',
    source: 'retrans_time_ms on the timer wheel: 1.00 to 1.03 s measured',
  },
  sweepTargets: {
    value: 20,
    unit: 'new addresses asked for within the window, from which on more are a sweep',
    source: 'hosts resolve a few neighbours at a time, scanners whole subnets',
  },
  sweepWindow: { value: 10, unit: 'seconds in which the addresses of a sweep are counted', source: 'as above' },
  doubleAnswer: {
    value: 2,
    unit: 'seconds from a request in which two answers contradict each other',
    source: 'as long as an answer is waited for; proxy ARP waits up to 0.8 s',
  },
  alternation: {
    value: 60,
    unit: 'seconds in which an address goes to another station and back, so that two claim it',
    source: ALTERNATION,
  },
  balanceUpdate: {
    value: 3,
    unit: 'seconds after a broadcast request in which a bond in mode balance-alb tells its clients its MACs again',
    source: 'RLB_UPDATE_DELAY: 2 s, and a tick of its timer (drivers/net/bonding/bond_alb.c)',
  },
  unaskedAnswers: {
    value: 2,
    unit: 'answers in a row that nobody asked for',
    source: 'one may be late; two are sent on purpose',
  },
  probeAnswer: {
    value: 2,
    unit: 'seconds between a probe and its answer',
    source: 'RFC 5227 section 1.1: probes are 1 to 2 s apart',
  },
  dadAnswer: {
    value: 2,
    unit: 'seconds between the question whether an address is free and the objection',
    source: 'twice the RetransTimer of RFC 4862 section 5.1, for slow answers',
  },
  announcementSeries: {
    value: 10,
    unit: 'seconds between two announcements that belong together',
    source: 'RFC 5227 section 1.1: DEFEND_INTERVAL',
  },
  kernelGapMin: {
    value: 1.005,
    unit: 'seconds between two requests of a kernel, at least, so that its timer can be told from a program’s',
    source: 'retrans_time_ms on the timer wheel: 1.008 to 1.03 s measured',
  },
  kernelGapMax: { value: 1.06, unit: 'seconds between them, at most', source: 'as above' },
  neighborBack: {
    value: 5,
    unit: 'seconds after the last unicast request in which an answer shows that the neighbour is there',
    source: 'a kernel asks by broadcast next, which some hosts answer alone',
  },
  flapWindow: {
    value: 60,
    unit: 'seconds in which a MAC moves from port to port and back',
    source: 'a machine that is moved does not return within a minute',
  },
  doubleReply: {
    value: 1,
    unit: 'seconds between two replies to one echo request',
    source: 'what ping waits between two requests',
  },
  deadIntervals: {
    value: 3.5,
    unit: 'intervals of advertisements after which a router that says nothing is no master any more',
    source: 'Master_Down_Interval: 3 and a skew of less than one (RFC 5798 section 6.1)',
  },
  zeroWindow: {
    value: 0.2,
    unit: 'seconds that the window is closed',
    source: 'the least time after which a sender probes it (Linux: TCP_RTO_MIN)',
  },
  offerTaken: {
    value: 1,
    unit: 'seconds after an offer, from which on a further discover shows that it was not taken up',
    source: 'clients collect offers for a moment; they request within a second',
  },
  tooBigHeard: {
    value: 1,
    unit: 'seconds after a message "too big" in which the sender may still send as before',
    source: 'packets that were under way, and a host that takes a moment',
  },
  fragmentLate: {
    value: 1,
    unit: 'seconds from the first fragment to the last',
    source: 'fragments of one datagram are sent back to back; reassembly gives up after 30 s (ipfrag_time)',
  },
  datagramLifetime: {
    value: 10,
    unit: 'seconds in which a packet comes back with a lower TTL',
    source: '255 hops of 40 ms',
  },
  pingPatience: {
    value: 0.9,
    unit: 'seconds from an echo request to its reply',
    source: 'ping asks each second',
  },
  lostGaps: {
    value: 3,
    unit: 'gaps in data that its receiver acknowledged, where the file does not count what was dropped',
    source: 'catalogue K1; fewer may be an accident of the wire',
  },
  lostShare: {
    value: 0.01,
    unit: 'of all frames lost while capturing, from which on findings of silence are less sure',
    source: 'below it an answer is missing by chance once in a hundred times, and three in a row once in a million',
  },
  disorder: {
    value: 0.1,
    unit: 'seconds that a frame is earlier than one before it',
    source: 'several queues or devices mix frames by some ms (1.6 ms measured); more is a clock that was set',
  },
} as const satisfies { readonly [name: string]: Setting };

/** Values by name, in the units of `SETTINGS`. */
export type NetworkSettings = { readonly [name in keyof typeof SETTINGS]: number };

/** The values that `SETTINGS` has itself. */
export const OWN_SETTINGS = Object.fromEntries(
  Object.entries(SETTINGS).map(([name, { value }]) => [name, value]),
) as unknown as NetworkSettings;

/** Seconds as nanoseconds. */
export function ns(seconds: number): number {
  return Math.round(seconds * 1e9);
}
