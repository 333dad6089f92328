/** Conditions of iptables that mostly ask for established connections. */
export const TRACKING: readonly unknown[] = ['conntrack', 'state'];

/** Targets of iptables that decide nothing, and change nothing that conditions ask for. */
export const PASSING: readonly unknown[] = [
  'LOG',
  'NFLOG',
  'TRACE',
  'TCPMSS',
  'CHECKSUM',
  'DSCP',
  'TOS',
  'CLASSIFY',
  'AUDIT',
  'ULOG',
];

/** Statements that decide nothing, and change nothing that conditions ask for. */
export const QUIET: readonly string[] = [
  'log',
  'counter',
  'flow',
  'last',
  'dup',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'secmark',
  'tunnel',
  'continue',
  'reset',
];

/** Statements that hold at times. */
export const AT_TIMES: readonly string[] = ['limit', 'quota', 'meter', 'ct count', 'connlimit', 'socket', 'osf'];
