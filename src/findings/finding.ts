import type { Confidence, Diagnosis, RuleId, Severity } from '../rules/rule.js';
import type { Forgotten } from './forgotten.js';
import type { SegmentRef } from './segment-ref.js';
import type { Topology } from './topology/station-view.js';

/** A finding as it leaves the program (`analyze --format json`, the library). Times are ISO 8601 with nanoseconds, UTC. */
export interface Finding {
  rule: RuleId;
  severity: Severity;
  confidence: Confidence;
  title: string;
  summary: string;
  subject: Diagnosis['subject'];
  segment: SegmentRef;
  count: number;
  /** Null in a finding about a capture without a single frame. */
  first: string | null;
  last: string | null;
  evidence: { capture: number; frame: number; layer: string; offset: number; length: number; note: string }[];
  cause: string;
  remedy: { text: string; commands: string[] }[];
  caveats: string[];
  wouldRaise: string[];
  /** Lines about what the host context contributed. */
  context: string[];
  /** The failing path drawn in text. */
  picture: string[];
  /** Symptoms that this finding explains, with the frames that showed them. */
  explains: { rule: RuleId; count: number; frames: number[] }[];
  /** Stable over runs and over captures of the same fault: rule, segment path and subject, hashed. */
  fingerprint: string;
}

/** One input as `analyze --format json` describes it. */
export interface CaptureReport {
  name: string;
  /** `text`: pasted; its frames go by the numbers of their lines. */
  format: 'pcap' | 'pcapng' | 'text' | 'live';
  compression: 'gzip' | 'zstd' | null;
  interfaces: { name: string | null; linkType: string; snapLength: number }[];
  frames: number;
  bytes: number;
  first: string | null;
  last: string | null;
  complete: boolean;
  problems: { offset: number; message: string }[];
  /** Live: what happened to the devices and the machine meanwhile, and what the way of capturing left out. */
  notes?: { time: string; message: string }[];
  dropped: number | null;
  directions: 'none' | 'some' | 'all';
  undecoded: Record<string, number>;
  /** Frames by protocol name, for the line "Examined". */
  protocols: Record<string, number>;
}

/** What `analyze` prints as JSON and the library returns. */
export interface Analysis {
  schema: 'netdiag.findings/1';
  tool: { name: 'netdiag'; version: string };
  captures: CaptureReport[];
  findings: Finding[];
  /** Of the findings above. */
  summary: { error: number; warning: number; info: number };
  /** What the findings, or their absence, rest on: how many rules ran, and whether they had a host context. */
  examined: {
    rules: number;
    context: boolean;
    /** Present where faults may be missing because more went wrong at once than is kept. */
    forgotten?: Forgotten;
  };
  /** Who is there and attached how, with what that is concluded from. */
  topology: Topology;
  /** Findings left out because they are milder or weaker than was asked for. */
  hidden: number;
  /** Findings left out because the configuration names them as known, with the reason. */
  suppressed: { rule: RuleId; title: string; fingerprint: string; reason: string }[];
}
