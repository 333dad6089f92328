import type { EvidenceRef, RuleId } from '../../rule.js';

/** Requests of one host to another, pings, SYNs or DNS questions, that nobody answered, refused or passed on in this capture. */
export interface Vanished {
  readonly segment: number;
  readonly capture: number;
  /** Rows of `Addresses`, and as text. */
  readonly source: number;
  readonly destination: number;
  readonly from: string;
  readonly to: string;
  readonly isIpv4: boolean;
  readonly protocol: 'icmp' | 'tcp' | 'udp';
  /** Of TCP and UDP; null of pings. */
  readonly sourcePort: number | null;
  readonly destinationPort: number | null;
  /** They went on, and were answered, at another port of the same capture: the answers do not come back from there. */
  readonly isAnsweredBeyond: boolean;
  /** MAC that they were sent to; hi is -1 where the capture does not tell. */
  readonly hi: number;
  readonly lo: number;
  /** Every one of them came in to the machine that captured. */
  readonly cameIn: boolean;
  /** Every one of them left the machine that captured. */
  readonly wentOut: boolean;
  /** A cooked capture says that they were for another machine: this one is a bridge on their way, or overhears them. */
  readonly forOther: boolean;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly evidence: readonly EvidenceRef[];
  readonly symptoms: readonly { rule: RuleId; key: string }[];
}

/** The parts of a diagnosis that all requests of a finding add up to. */
export function together(members: readonly Vanished[]) {
  const [{ segment, capture }] = members;
  return {
    segment,
    capture,
    count: members.reduce((sum, { count }) => sum + count, 0),
    first: Math.min(...members.map(({ first }) => first)),
    last: Math.max(...members.map(({ last }) => last)),
    evidence: members.flatMap(({ evidence }) => evidence),
    explains: members.flatMap(({ symptoms }) => symptoms),
  };
}
