import type { Analysis, Finding } from '../../findings/finding.js';
import { nothingFound } from '../nothing-found.js';
import type { ReportOptions } from '../options.js';
import { attachedLines } from '../text/attached.js';
import { CAPTURE_HEAD, captureInWords, captureRows, troubleOf } from '../text/captures.js';
import { symptoms, whereAndWhen } from '../text/finding.js';
import { Layout } from '../text/layout.js';
import { proof, unlisted } from '../text/proof.js';
import { remedyHeading } from '../text/remedies.js';
import { examined, leftOut, verdict } from '../text/report.js';
import type { Block } from './blocks.js';
import { html } from './html.js';
import { markdown } from './markdown.js';

/** Columns of lines that are taken over from the text report. */
const WIDTH = 110;
/** Decoded frames shown of one finding at most. */
const MOST_LINES = 24;

/** `--format markdown`: fit to paste into an issue. */
export function reportMarkdown(analysis: Analysis, options: ReportOptions): string {
  return markdown(documentOf(analysis, options));
}

/** `--format html`: one file that needs nothing else. */
export function reportHtml(analysis: Analysis, options: ReportOptions): string {
  const names = analysis.captures.map(({ name }) => name).join(', ');
  return html(`netdiag: ${names}`, documentOf(analysis, options));
}

function documentOf(analysis: Analysis, options: ReportOptions): Block[] {
  const layout = new Layout(WIDTH, false);
  const { captures, findings } = analysis;
  return [
    { kind: 'heading', level: 1, text: headingOf(analysis) },
    ...captureBlocks(captures),
    ...(findings.length > 1 ? [overview(findings)] : []),
    ...findings.flatMap((finding) => findingBlocks(finding, analysis, options)),
    { kind: 'heading', level: 2, text: 'What was examined' },
    { kind: 'text', text: verdict(analysis, layout).join(' ') },
    { kind: 'text', text: [...examined(analysis, layout), ...leftOut(analysis, layout, false)].join(' ') },
    ...topologyBlocks(analysis, layout),
    ...appendix(options),
  ];
}

function headingOf(analysis: Analysis): string {
  return analysis.findings.length === 0 ? nothingFound(analysis) : analysis.findings[0].title;
}

/** One capture is one line, several are a table. */
function captureBlocks(captures: Analysis['captures']): Block[] {
  const isSeveral = captures.length > 1;
  const trouble = captures.flatMap((each) => troubleOf(each, isSeveral));
  const items = isSeveral ? trouble : [...captures.map(captureInWords), ...trouble];
  return [
    ...(isSeveral ? [{ kind: 'table' as const, head: CAPTURE_HEAD, rows: captureRows(captures) }] : []),
    ...(items.length === 0 ? [] : [{ kind: 'list' as const, items }]),
  ];
}

function overview(findings: readonly Finding[]): Block {
  return {
    kind: 'table',
    head: ['severity', 'confidence', 'rule', 'what', 'count'],
    rows: findings.map(({ severity, confidence, rule, title, count }) => [
      severity,
      confidence,
      rule,
      title,
      String(count),
    ]),
  };
}

function findingBlocks(finding: Finding, { captures }: Analysis, options: ReportOptions): Block[] {
  const { title, severity, confidence, summary, cause, caveats, wouldRaise, context, picture } = finding;
  return [
    { kind: 'heading', level: 2, text: title },
    { kind: 'badges', severity, confidence, parts: whereAndWhen(finding, captures) },
    { kind: 'text', text: summary },
    ...(picture.length > 0 ? [{ kind: 'code' as const, lines: picture, language: 'text' as const }] : []),
    ...listed('Why', [cause].filter(Boolean)),
    ...remedyBlocks(finding),
    ...listed('Proof', allProof(finding, captures)),
    ...decoded(finding, options),
    ...listed('Explains', symptoms(finding, captures)),
    ...listed('Context', context),
    ...listed('But', caveats),
    ...listed('Surer with', wouldRaise),
  ];
}

/** The proof, and how to see what it does not list. */
function allProof(finding: Finding, captures: Analysis['captures']): string[] {
  const found = unlisted(finding, captures);
  return [
    ...proof(finding, captures),
    ...(found ? [[found.text, found.command].filter(Boolean).join('; to see all: ')] : []),
  ];
}

function listed(heading: string, items: readonly string[]): Block[] {
  return items.length === 0
    ? []
    : [
        { kind: 'heading', level: 3, text: heading },
        { kind: 'list', items },
      ];
}

/** Cures as one block that can be pasted, each with what it changes as a comment. */
function remedyBlocks({ remedy }: Finding): Block[] {
  if (remedy.length === 0) return [];
  const lines = remedy.flatMap(({ text, commands }, i) => [...(i > 0 ? [''] : []), `# ${text}`, ...commands]);
  return [
    { kind: 'heading', level: 3, text: remedyHeading(remedy) },
    { kind: 'code', lines, language: 'sh' },
  ];
}

/** The proving frames, decoded, one a line. */
function decoded({ evidence }: Finding, { frames }: ReportOptions): Block[] {
  if (frames === undefined) return [];
  const told = new Set(evidence.map(({ capture, frame }) => `${capture} ${frame}`));
  const lines = [...told].flatMap((key) => frames.get(key)?.line.trimEnd() ?? []);
  if (lines.length === 0) return [];
  const more = lines.length - MOST_LINES;
  const shown = more > 0 ? [...lines.slice(0, MOST_LINES), `… and ${more} more`] : lines;
  return [{ kind: 'code', lines: shown, language: 'text' }];
}

function topologyBlocks(analysis: Analysis, layout: Layout): Block[] {
  const lines = attachedLines(analysis, layout, true).filter((line) => line !== '');
  if (lines.length === 0) return [];
  return [
    { kind: 'heading', level: 2, text: 'Who is attached how' },
    { kind: 'code', lines, language: 'text' },
  ];
}

/** What only a bug report has: the host, the environment, how to get the same. */
function appendix({ bugReport }: ReportOptions): Block[] {
  if (bugReport === undefined) return [];
  const { host, environment, commands } = bugReport;
  return [
    ...(host.length === 0
      ? []
      : [
          { kind: 'heading' as const, level: 2 as const, text: 'Host context' },
          { kind: 'code' as const, lines: host, language: 'text' as const },
        ]),
    { kind: 'heading', level: 2, text: 'Environment' },
    { kind: 'list', items: environment },
    { kind: 'heading', level: 2, text: 'Reproduce' },
    { kind: 'code', lines: commands, language: 'sh' },
  ];
}
