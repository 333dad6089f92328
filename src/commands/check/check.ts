import { resolve } from 'node:path';
import { analyze } from '../../analyze.js';
import { CaptureError } from '../../capture/source.js';
import { compare, type Difference } from '../../findings/compare.js';
import type { Analysis } from '../../findings/finding.js';
import { CHECK_FORMATS, loadCheckReporter } from '../../report/check/formats.js';
import { type CheckedCapture, isGood } from '../../report/check/result.js';
import { type AnalyzeFlags, analyzeSettings, readContext, readVantage } from '../analyze-settings.js';
import { oneOf } from '../arguments.js';
import { type CommandIo, Exit } from '../io.js';
import { checkOutputs, deliver } from '../output-file.js';
import { type Baseline, type BaselineEntry, readBaseline, writeBaseline } from './baseline.js';
import { type Expectation, type Fixture, fixturesOf, readExpectation, writeExpectation } from './expectation.js';

/** The options of `check` as they were written. */
export interface CheckFlags extends AnalyzeFlags {
  update?: boolean;
  baseline?: string;
}

/** `netdiag check`: compares what is found in captures with what is expected of them. */
export async function runCheck(paths: readonly string[], flags: CheckFlags, io: CommandIo): Promise<number> {
  const { format: formatName, ...others } = flags;
  const format = oneOf('--format', formatName ?? 'text', CHECK_FORMATS);
  const settings = analyzeSettings(others, io);
  checkOutputs({ '--output': flags.output }, [...paths, flags.context, flags.config, flags.baseline], io.cwd);
  const isUpdate = flags.update === true;
  const updatesExpectations = isUpdate && flags.baseline === undefined;
  const updatedBaseline = isUpdate && flags.baseline !== undefined ? resolve(io.cwd, flags.baseline) : null;
  const baseline = readBaseline(flags.baseline, io.cwd, isUpdate);
  const captures: CheckedCapture[] = [];
  const known: BaselineEntry[] = [];
  for (const fixture of fixturesOf(paths, io.cwd)) {
    const expectation = readExpectation(fixture);
    const analysis = await analysisOf(fixture, expectation, settings.analysis, io);
    // Half a capture is compared with nothing, and nothing is written down of it.
    if (io.signal.aborted) return Exit.Interrupted;
    if (typeof analysis === 'string') {
      captures.push({ name: fixture.name, analysis: null, failure: analysis, differences: [], accepted: 0 });
      continue;
    }
    known.push(...entriesOf(fixture, expectation, analysis));
    if (updatesExpectations) writeExpectation(fixture, expectation, analysis.findings);
    captures.push(
      updatesExpectations ? asExpected(fixture, analysis) : checkedOf(fixture, expectation, analysis, baseline, flags),
    );
  }
  const read = new Set(captures.map(({ name }) => name));
  if (updatedBaseline !== null) writeBaseline(updatedBaseline, [...baseline.untouched(read, io.cwd), ...known]);
  const stale = updatedBaseline === null ? baseline.stale(read, io.cwd) : [];
  const report = await loadCheckReporter(format);
  deliver(report({ captures, stale }, settings.look), settings.output, io);
  if (captures.some(({ analysis }) => analysis === null)) return Exit.Usage;
  return captures.every(isGood) ? Exit.Ok : Exit.Findings;
}

/** The analysis of a capture with its own context and vantage, or why there is none. */
async function analysisOf(
  { capture, name, context: contextFile, expectation: file }: Fixture,
  expectation: Expectation | null,
  options: Parameters<typeof analyze>[1] & {},
  io: CommandIo,
): Promise<Analysis | string> {
  const context = contextFile === null ? (options.context ?? null) : readContext(contextFile, io);
  const place = expectation?.vantage;
  const vantage = place === undefined ? options.vantage : readVantage(`${file}: vantage`, place, context);
  try {
    const analysis = await analyze([capture], { ...options, context, vantage, signal: io.signal });
    return { ...analysis, captures: analysis.captures.map((each) => ({ ...each, name })) };
  } catch (error) {
    if (error instanceof CaptureError) return `${error.message}: ${error.advice}`;
    throw error;
  }
}

function asExpected({ name }: Fixture, analysis: Analysis): CheckedCapture {
  return { name, analysis, failure: null, differences: [], accepted: 0 };
}

function checkedOf(
  { name }: Fixture,
  expectation: Expectation | null,
  analysis: Analysis,
  baseline: Baseline,
  { baseline: baselineFile, update }: CheckFlags,
): CheckedCapture {
  const all = compare(expectation?.findings ?? [], analysis.findings);
  // What goes into the baseline now is accepted by it.
  const accepts = (each: Difference) =>
    each.kind === 'unexpected' && (update === true || baseline.accepts(name, each.found));
  const differences = all.filter((each) => !accepts(each));
  const failure =
    expectation === null && baselineFile === undefined
      ? 'has no expectation yet: with --update what is found is written down; read the frames and correct it'
      : null;
  return { name, analysis, failure, differences, accepted: all.length - differences.length };
}

/** What a baseline has to name of a capture: everything beyond its expectation. */
function entriesOf({ name }: Fixture, expectation: Expectation | null, analysis: Analysis): BaselineEntry[] {
  return compare(expectation?.findings ?? [], analysis.findings).flatMap((each) => {
    if (each.kind !== 'unexpected') return [];
    const { rule, title, fingerprint } = each.found;
    return [{ capture: name, rule, title, fingerprint }];
  });
}
