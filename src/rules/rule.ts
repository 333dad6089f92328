import type { NetworkEvents } from '../network/events.js';
import type { Network } from '../network/network.js';
import type { NetworkSettings } from '../network/settings.js';
import type { CaptureInfo } from '../wire/capture-info.js';
import type { Frame } from '../wire/frame.js';

export type Severity = 'error' | 'warning' | 'info';

/**
 * `certain`: the bytes (and the host context, if given) entail it. `likely`: one common cause, and every
 * known innocent explanation was excluded with the data at hand. `hint`: consistent; `wouldRaise` says
 * what would raise it.
 */
export type Confidence = 'certain' | 'likely' | 'hint';

/** `<group>/<name>`, as in `docs/rules/<group>/<name>.md`. */
export type RuleId = `${string}/${string}`;

/** A number that decides when a rule speaks. A configuration may set another. */
export interface Threshold {
  readonly value: number;
  /** What is counted or measured, such as 'requests' or 'seconds'. */
  readonly unit: string;
  /** Why this value: a standard, the kernel, a measurement. */
  readonly source: string;
  /** The setting of the network that it is, where the tables decide by it. */
  readonly setting?: keyof NetworkSettings;
}

/** What is known of a rule before it runs: `netdiag rules` lists it. */
export interface RuleMeta {
  readonly id: RuleId;
  readonly severity: Severity;
  /** One line for `netdiag rules`: what is wrong when the rule speaks. */
  readonly summary: string;
  /** Entry of the problem catalogue that the rule implements, '' where it has none. */
  readonly catalogue: string;
  /**
   * What it says rests on something that is not in the capture: an answer, a copy, a fragment. Where the capture lost
   * frames such findings are less sure (`src/findings/losses.ts`).
   */
  readonly silence?: true;
  /** By name, in camel case. */
  readonly thresholds?: { readonly [name: string]: Threshold };
}

/** Bytes that prove something: a frame as Wireshark numbers it, and where in it. */
export interface EvidenceRef {
  readonly capture: number;
  /** 1-based. */
  readonly frame: number;
  /** Protocol name as in `netdiag frames`, such as 'arp'. */
  readonly layer: string;
  /** Offset in the frame and length of the proving bytes. */
  readonly offset: number;
  readonly length: number;
  readonly note?: string;
}

/** One way to cure a fault, or to find out more: commands that can be pasted. */
export interface Remedy {
  readonly text: string;
  readonly commands: readonly string[];
}

/** What a finding is about, by kind: `{ ip, mac, device, vni, … }`. */
export type Subject = Readonly<Record<string, string | number>>;

/**
 * Requests that nothing answers, as rows of a table of the network, and the words that are needed to follow them. The first entry of
 * the diagnosis' `wouldRaise` asks for a capture at the target.
 */
export interface Trail {
  readonly of: 'resolutions' | 'pings' | 'handshakes' | 'leases';
  readonly rows: readonly number[];
  /** The title without what it supposes of the reason. */
  readonly title: string;
  /** Who asks, and who is asked: addresses, or words for them. */
  readonly asker: string;
  readonly target: string;
  /** Filter of tcpdump that lets these requests and their answers through. */
  readonly watch: string;
  /** MAC of who asks, where it stays the same from place to place. */
  readonly mac?: string;
  /** Cures that stay right wherever the requests or answers are lost: the cause is known, and those who look for it need not. */
  readonly cures?: readonly Remedy[];
}

/** What a rule says. Everything in it is final wording; addresses and device names are already in the text. */
export interface Diagnosis {
  /** Identity within the rule: a second report with the same key replaces the first. */
  readonly key: string;
  readonly confidence: Confidence;
  /** Only where the case at hand is milder or worse than `meta.severity`, with the reason on the rule's page. */
  readonly severity?: Severity;
  /** Where the case at hand rests on what is not in the capture, though the rule's others do not: as in `RuleMeta`. */
  readonly silence?: true;
  /** One line, without a full stop: who, what, why. */
  readonly title: string;
  /** One paragraph with the addresses in it. */
  readonly summary: string;
  readonly subject: Subject;
  /** Row of `network.segments`; -1 where the finding is about a whole capture. */
  readonly segment: number;
  /** Capture the finding is about. */
  readonly capture: number;
  /** How often the thing was seen. */
  readonly count: number;
  /** Of how many tries, where others succeeded: as many as the capture's own losses explain prove nothing. */
  readonly tries?: number;
  /** `Frame.time` of the first and last sighting. */
  readonly first: number;
  readonly last: number;
  readonly evidence: readonly EvidenceRef[];
  readonly cause: string;
  /** Safest first. */
  readonly remedy: readonly Remedy[];
  readonly caveats?: readonly string[];
  readonly wouldRaise?: readonly string[];
  /** What the host context contributed, for the line "Context". */
  readonly context?: readonly string[];
  /** The failing path drawn in text, lines without indentation. */
  readonly picture?: readonly string[];
  /** Findings (rule and key) that are symptoms of this one; they become its evidence. Takes effect at `likely` and above. */
  readonly explains?: readonly { readonly rule: RuleId; readonly key: string }[];
  /** What stays unanswered, so that other captures of the run can tell how far it gets (`src/findings/places`). */
  readonly trail?: Trail;
}

/** What is known of one input, for rules about captures; grows while it is read, final in `captureEnd`. */
export interface CaptureFacts {
  readonly info: CaptureInfo;
  /** Frames read, and how many of them were seen coming in and going out; the rest have no direction. */
  readonly frames: number;
  readonly inbound: number;
  readonly outbound: number;
  /** Frames in the capture, with those that a filter of this run leaves out; 0 until they are read. */
  readonly records: number;
  /** Bytes captured of these frames. */
  readonly bytes: number;
  /** `Frame.time` of the first and the last record; NaN before the first. */
  readonly first: number;
  readonly last: number;
}

/** What a rule sees, and where it reports. */
export interface RuleContext {
  readonly network: Network;
  /** By capture number; an entry appears when its capture is opened. */
  readonly captures: readonly CaptureFacts[];
  /** Values of `meta.thresholds`, or those of the configuration in their stead. */
  readonly thresholds: { readonly [name: string]: number };
  report(diagnosis: Diagnosis): void;
  /** Takes back what was reported under this key, when later frames excused it. */
  withdraw(key: string): void;
}

/** Called for every layer of this kind in every frame; `layer` indexes the frame's columns. */
export type LayerHandler = (frame: Frame, layer: number) => void;

/** What a rule wants to be called for. */
export interface Handlers {
  /**
   * By protocol name of `Protocol`. Delivered are headers that were read well; not those that are cut or
   * wrong, and not those that an ICMP error quotes.
   */
  readonly layers?: { readonly [name in LayerName]?: LayerHandler };
  /** By network event. */
  readonly events?: Partial<NetworkEvents>;
  /** Once for each capture, after its last frame and the events that its end raised. */
  readonly captureEnd?: (capture: number) => void;
}

export type LayerName =
  | 'Ethernet'
  | 'Sll'
  | 'Sll2'
  | 'Arp'
  | 'Ipv4'
  | 'Ipv6'
  | 'Icmp'
  | 'Icmpv6'
  | 'Igmp'
  | 'Udp'
  | 'Tcp'
  | 'Vxlan'
  | 'Geneve'
  | 'Gre'
  | 'Dhcp'
  | 'Stp'
  | 'Erspan'
  | 'Lacp'
  | 'Lldp'
  | 'Cdp'
  | 'Vrrp';

/** One diagnosis: `create` is called once a run. */
export interface Rule {
  readonly meta: RuleMeta;
  create(context: RuleContext): Handlers;
}
