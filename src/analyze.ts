import { filtered } from './capture/filter/filtered.js';
import { openCapture } from './capture/open.js';
import type { CaptureSource } from './capture/source.js';
import { assemble } from './findings/assemble.js';
import { Collector } from './findings/collector.js';
import { longestFirst, obeyedWords } from './findings/commands.js';
import { type Suppression, summarize, suppress } from './findings/filter.js';
import type { Analysis } from './findings/finding.js';
import { forgottenBy } from './findings/forgotten.js';
import type { SegmentRef } from './findings/segment-ref.js';
import { Tally } from './findings/tally.js';
import { topologyOf } from './findings/topology/topology.js';
import type { Device } from './network/context/device.js';
import type { HostContext } from './network/context/host-context.js';
import { Network } from './network/network.js';
import { version } from './package/version.js';
import type { Dispatcher } from './rules/engine/dispatch.js';
import { settingsOf, startRules, type ThresholdValues } from './rules/engine/engine.js';
import { generatedDispatcher } from './rules/engine/generated-dispatch.js';
import { type Selection, selectRules } from './rules/engine/selection.js';
import { RULES } from './rules/index.js';
import { lossesOf } from './rules/parts/losses.js';
import type { Handlers, Rule, RuleId, Severity } from './rules/rule.js';
import { decode, udpPortTable } from './wire/decode.js';
import { Frame } from './wire/frame.js';

/** Where a capture was taken. */
export interface Vantage {
  namespace: string;
  interface: string;
}

/** What a file says of the machine that made it, as `netdiag live -w` writes. */
export interface OwnContext {
  context: HostContext;
  vantage: Vantage | null;
}

/** How captures are read and judged; a run without options takes all rules with their own thresholds. */
export interface AnalyzeOptions extends Selection {
  /** Severities instead of the rules' own. */
  severity?: Partial<Record<RuleId, Severity>> | undefined;
  /** Thresholds instead of the rules' own. */
  thresholds?: ThresholdValues | undefined;
  /** Known faults that are not to be told. */
  suppressions?: readonly Suppression[] | undefined;
  /** Only frames that this expression of pcap-filter(7) lets through; needs libpcap. */
  filter?: string | undefined;
  /** UDP ports that carry VXLAN, besides 4789 and 8472. */
  vxlanPorts?: readonly number[] | undefined;
  /** What the machine that captured knows of itself. */
  context?: HostContext | null | undefined;
  /** Further captures follow: the context is used for those that show its host, as it is for all but the first in any case. */
  several?: boolean | undefined;
  /** Where the captures were taken, for those that do not say. */
  vantage?: Vantage | null | undefined;
  /** What captures say of their own machines, by their names: each is judged by that in the stead of `context` and `vantage`. */
  own?: ReadonlyMap<string, OwnContext> | undefined;
  /** Ends the reading early; what was read until then is analysed. */
  signal?: AbortSignal | undefined;
}

/** What a host context calls the namespace of the machine itself. */
const HOST = 'host';

/** Parts that only tests exchange. */
export interface AnalyzerParts {
  rules?: readonly Rule[];
  dispatch?: (rules: readonly Handlers[]) => Dispatcher;
}

/**
 * One run over any number of captures: takes them one after the other and knows the findings at the
 * end. `analyze` is the short way to use it.
 */
export class Analyzer {
  #options: AnalyzeOptions;
  readonly #frame = new Frame();
  readonly #tallies: Tally[] = [];
  readonly #collector = new Collector();
  readonly #network: Network;
  readonly #dispatcher: Dispatcher;
  readonly #ruleCount: number;
  /** By number, what captures say of their own machines. */
  readonly #owns: (OwnContext | null)[] = [];
  /** Words of the host contexts that are kept out of commands. */
  #obeyed: readonly string[];

  /** @throws UnknownRuleError */
  constructor(options: AnalyzeOptions = {}, { rules = RULES, dispatch = generatedDispatcher }: AnalyzerParts = {}) {
    this.#options = options;
    this.#frame.udpPorts = udpPortTable(options.vxlanPorts);
    // The rules need the network and the network the rules' handlers: it gets them in the second step.
    const { context = null } = options;
    this.#obeyed = obeyedWords(context);
    this.#network = new Network({
      context,
      vantage: this.#vantageIn(context),
      namespace: options.vantage?.namespace ?? HOST,
      listener: generatedDispatcher([]).events,
      // Of all rules: others go by the same tables.
      settings: settingsOf(rules, options.thresholds ?? {}),
    });
    const observed = { network: this.#network, captures: this.#tallies };
    const selected = selectRules(rules, options);
    this.#ruleCount = selected.length;
    this.#dispatcher = startRules(selected, observed, this.#collector, dispatch, options.thresholds);
    this.#network.listener = this.#dispatcher.events;
  }

  /**
   * Reads a capture to its end.
   * @throws CaptureError if nothing at all of it could be read, or the filter makes no sense for it; the run can go on
   * with other captures
   */
  async read(source: CaptureSource): Promise<void> {
    const capture = this.#tallies.length;
    const tally = new Tally(source.info);
    const frame = this.#frame;
    const network = this.#network;
    const dispatcher = this.#dispatcher;
    this.#tallies.push(tally);
    const own = this.#options.own?.get(source.info.name) ?? null;
    this.#owns[capture] = own;
    if (own) this.#obeyed = longestFirst([...this.#obeyed, ...obeyedWords(own.context)]);
    const told = own && {
      context: own.context,
      vantage: this.#vantageIn(own.context, own.vantage),
      namespace: own.vantage?.namespace ?? HOST,
    };
    network.home.begin(capture, this.#options.several === true || capture > 0, source.info.interfaces, told);
    frame.capture = capture;
    const { filter, signal } = this.#options;
    source.tick = (seconds, nanoseconds) => {
      if (frame.epoch >= 0) network.tick((seconds - frame.epoch) * 1e9 + nanoseconds);
    };
    try {
      await (filter === undefined ? source : filtered(source, filter)).run(
        frame,
        (frame) => {
          decode(frame);
          tally.count(frame);
          network.observe(frame);
          dispatcher.layers(frame);
        },
        signal,
      );
    } catch (error) {
      this.#tallies.pop();
      throw error;
    }
    // Frames keep their numbers where a filter leaves some out; those of pasted text are lines.
    tally.records = filter === undefined ? tally.frames : frame.number;
    network.endCapture(capture);
    dispatcher.captureEnd(capture);
  }

  /** From now on the machine is as this context says: its links have changed while the capture runs. */
  learn(context: HostContext): void {
    this.#options = { ...this.#options, context };
    this.#obeyed = obeyedWords(context);
    this.#network.home.context = context;
    this.#network.home.vantage = this.#vantageIn(context);
  }

  #vantageIn(context: HostContext | null, vantage = this.#options.vantage): Device | null {
    return vantage ? (context?.device(vantage.namespace, vantage.interface) ?? null) : null;
  }

  /** What was found in all captures read so far. */
  analysis(): Analysis {
    const { severity = {}, suppressions = [] } = this.#options;
    const hasContext = this.#options.context != null || this.#owns.some((own) => own !== null);
    const places = { network: this.#network, captures: this.#tallies };
    const all = assemble(this.#collector, {
      epoch: this.#frame.epoch,
      severity,
      obeyed: this.#obeyed,
      describeSegment: (row) => this.#describeSegment(row),
      places,
      losses: (capture) => lossesOf(places, capture),
    });
    const { findings, suppressed } = suppress(all, suppressions);
    const forgotten = forgottenBy(this.#network);
    return {
      schema: 'netdiag.findings/1',
      tool: { name: 'netdiag', version: version() },
      captures: this.#tallies.map((tally, capture) => tally.report(this.#vantageOf(capture)?.interface ?? null)),
      findings,
      summary: summarize(findings),
      examined: { rules: this.#ruleCount, context: hasContext, ...(forgotten && { forgotten }) },
      topology: topologyOf(this.#network, (row) => this.#describeSegment(row)),
      hidden: 0,
      suppressed,
    };
  }

  #describeSegment(row: number): SegmentRef {
    const { capture, interface: number, deviceIndex, vlans, vnis } = this.#network.segments.describe(row);
    const name = deviceIndex > 0 ? this.#deviceName(capture, deviceIndex) : this.#interfaceName(capture, number);
    return { capture, interface: name, vlans, vnis };
  }

  /** A capture on all devices tells the number of each: its name is in the host context, if there is one. */
  #deviceName(capture: number, index: number): string {
    const device = this.#network.home
      .contextOf(capture)
      ?.namespaces.get(this.#vantageOf(capture)?.namespace ?? HOST)
      ?.byIndex.get(index);
    return device?.name ?? `ifindex ${index}`;
  }

  /** Interfaces go by the name in the file, by the one the user gives, or by their number. */
  #interfaceName(capture: number, number: number): string {
    const name = this.#tallies[capture].info.interfaces[number]?.name ?? this.#vantageOf(capture)?.interface;
    return name ?? String(number);
  }

  #vantageOf(capture: number): Vantage | null {
    const own = this.#owns[capture];
    return (own ? own.vantage : this.#options.vantage) ?? null;
  }
}

/**
 * Reads captures and says what is wrong in the networks they show.
 * @param inputs pcap or pcapng files, compressed with gzip or zstd or not; `-` is standard input
 * @throws CaptureError for the first input that cannot be read at all, and FilterError, which is one, for a filter that
 * is wrong or without libpcap
 * @throws UnknownRuleError if `select` or `ignore` names a rule that does not exist
 */
export async function analyze(inputs: readonly string[], options: AnalyzeOptions = {}): Promise<Analysis> {
  const analyzer = new Analyzer({ ...options, several: options.several ?? inputs.length > 1 });
  for (const input of inputs)
    await analyzer.read(await openCapture(input, options.signal && { signal: options.signal }));
  return analyzer.analysis();
}
