import { MAX_PER_RULE } from '../../findings/collector.js';
import type { Analysis, CaptureReport, Finding } from '../../findings/finding.js';
import type { Forgotten } from '../../findings/forgotten.js';
import { listed } from '../../rules/parts/words.js';
import { couldExamine, nothingFound } from '../nothing-found.js';
import type { ReportOptions } from '../options.js';
import { attachedLines } from './attached.js';
import { captureLines } from './captures.js';
import { asideLines, findingLines, headline } from './finding.js';
import { foremost } from './foremost.js';
import { Layout } from './layout.js';
import { table } from './table.js';
import { counted, grouped, protocolInWords } from './words.js';

/** From so many findings on, a table in front of them says what there is. */
const MANY = 6;
/** So many findings are told in full; so many are in the table. */
const IN_FULL = 20;
const IN_TABLE = 200;

/** `--format text`: for a person who has a dead ping and little patience. */
export function reportText(analysis: Analysis, { width, color, detail }: ReportOptions): string {
  const layout = new Layout(width, color);
  const lines =
    detail === 'quiet'
      ? analysis.findings.flatMap((finding) => headline(finding, layout))
      : [
          ...captureLines(analysis.captures, layout),
          ...overview(analysis, layout, detail === 'verbose'),
          ...details(analysis, layout, detail === 'verbose'),
          '',
          ...verdict(analysis, layout),
          ...examined(analysis, layout),
          ...attachedLines(analysis, layout, detail === 'verbose'),
          ...leftOut(analysis, layout, detail === 'verbose'),
        ];
  return lines.map((line) => `${line}\n`).join('');
}

/** What a live capture says at its end, when its findings have been told: what was read, and what they rest on. */
export function reportEnding(analysis: Analysis, { width, color, detail }: ReportOptions): string {
  if (detail === 'quiet') return '';
  const layout = new Layout(width, color);
  const lines = [
    '',
    ...captureLines(analysis.captures, layout),
    ...verdict(analysis, layout),
    ...examined(analysis, layout),
    ...attachedLines(analysis, layout, detail === 'verbose'),
    ...leftOut(analysis, layout, detail === 'verbose'),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function overview({ findings }: Analysis, layout: Layout, all: boolean): string[] {
  if (findings.length < MANY) return [];
  const rows = (all ? findings : foremost(findings, IN_TABLE)).map(({ severity, confidence, rule, title, count }) => [
    severity,
    confidence,
    rule,
    title,
    grouped(count),
  ]);
  return ['', ...table(['severity', 'confidence', 'rule', 'what', 'count'], rows, [4], layout)];
}

function details({ findings, captures }: Analysis, layout: Layout, all: boolean): string[] {
  const inFull = all ? findings : foremost(findings, IN_FULL);
  const others = findings.length - inFull.length;
  const where =
    findings.length > IN_TABLE ? `, ${IN_TABLE - IN_FULL} of them in the table above` : ' in the table above';
  const isTrouble = findings.some(({ severity }) => severity !== 'info');
  // Beside a fault of the network, what is to be known of the capture itself is short.
  const isAside = ({ rule, severity }: Finding) =>
    !all && isTrouble && severity === 'info' && rule.startsWith('capture/');
  return [
    ...inFull.flatMap((finding) => [
      '',
      ...(isAside(finding) ? asideLines(finding, captures, layout) : findingLines(finding, captures, layout, all)),
    ]),
    ...(others > 0 ? ['', ...layout.prose(`${counted(others, 'further finding')}${where}; -v tells all.`, 0)] : []),
  ];
}

/** `1 error · 0 warnings · 2 notes`, or that there is nothing to say. */
export function verdict(analysis: Analysis, layout: Layout): string[] {
  const { captures, summary } = analysis;
  if (isClean(analysis))
    return [layout.style(['bold', couldExamine(captures) ? 'green' : 'yellow'], `${nothingFound(analysis)}.`)];
  const { error, warning, info } = summary;
  return [
    layout.style('bold', [counted(error, 'error'), counted(warning, 'warning'), counted(info, 'note')].join(' · ')),
  ];
}

/** What the findings rest on, and above all what their absence rests on. */
export function examined(analysis: Analysis, layout: Layout): string[] {
  const {
    captures,
    examined: { rules, context, forgotten },
  } = analysis;
  const frames = sum(captures.map((capture) => capture.frames));
  const protocols = totals(captures.map((capture) => capture.protocols)).map(
    ([name, count]) => `${protocolInWords(name)} ${grouped(count)}`,
  );
  const undecoded = totals(captures.map((capture) => capture.undecoded)).map(
    ([name, count]) => `${name} ${grouped(count)}`,
  );
  return [
    ...layout.prose(`Examined: ${[counted(frames, 'frame'), ...protocols].join(', ')}; ${counted(rules, 'rule')}.`, 0),
    ...(undecoded.length > 0 ? layout.prose(`Not understood: ${undecoded.join(', ')}.`, 0) : []),
    ...(forgotten ? layout.prose(overflow(forgotten), 0) : []),
    ...fullRules(analysis).flatMap((rule) =>
      layout.prose(
        `Of ${rule} only ${grouped(MAX_PER_RULE)} findings are kept: there may be more, look at parts of the capture (-f).`,
        0,
      ),
    ),
    ...(isClean(analysis) ? layout.prose(unjudged(captures, context), 0) : []),
  ];
}

/** Rules that said as much as is kept of one. */
function fullRules({ findings }: Analysis): string[] {
  const counts = new Map<string, number>();
  for (const { rule } of findings) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return [...counts].filter(([, count]) => count >= MAX_PER_RULE).map(([rule]) => rule);
}

const FORGOTTEN: Readonly<Record<keyof Forgotten, string>> = {
  pings: 'pings that lack replies',
  connections: 'attempts to connect that lack answers',
  dhcpClients: 'DHCP clients that get no offer',
};

/** Why faults may be missing. */
function overflow(forgotten: Forgotten): string {
  const names = Object.keys(forgotten).map((each) => FORGOTTEN[each as keyof Forgotten]);
  return `There are more ${listed(names)} than netdiag keeps, and some were forgotten: look at parts of the capture (-f).`;
}

/** Whether nothing was found, not merely nothing shown. */
function isClean({ findings, hidden, suppressed }: Analysis): boolean {
  return findings.length + hidden + suppressed.length === 0;
}

/** Why finding nothing may mean little. */
function unjudged(captures: readonly CaptureReport[], context: boolean): string {
  const frames = sum(captures.map((capture) => capture.frames));
  if (frames === 0) return 'There was no frame to judge by.';
  if (!couldExamine(captures))
    return 'netdiag reads Ethernet, Linux cooked captures and IP: capture again on such a device, or with -i any.';
  const missing = [
    ...(captures.some(({ directions }) => directions !== 'all') ? ['which way each frame went'] : []),
    ...(context ? [] : ['how the host is set up (--context)']),
  ];
  const doubts = missing.length === 0 ? '' : ` Not known here, and some faults show only with it: ${listed(missing)}.`;
  const seen =
    captures.length === 1 ? 'A capture shows what passed this one place' : 'Captures show what passed these places';
  return `${seen}: a fault that shows elsewhere is not excluded.${doubts}`;
}

/** What was found and is not shown. */
export function leftOut({ hidden, suppressed }: Analysis, layout: Layout, all: boolean): string[] {
  return [
    ...(hidden > 0
      ? layout.prose(`${counted(hidden, 'finding')} not shown (--min-severity, --min-confidence).`, 0)
      : []),
    ...(suppressed.length > 0
      ? layout.prose(`${counted(suppressed.length, 'finding')} suppressed by the configuration.`, 0)
      : []),
    ...(all ? suppressed.flatMap(({ rule, title, reason }) => layout.prose(`${rule}: ${title}: ${reason}`, 2)) : []),
  ];
}

/** The sum of each key over all captures, greatest first. */
function totals(counts: readonly Readonly<Record<string, number>>[]): [name: string, count: number][] {
  const total = new Map<string, number>();
  for (const [name, count] of counts.flatMap((each) => Object.entries(each))) {
    total.set(name, (total.get(name) ?? 0) + count);
  }
  return [...total].sort(([, a], [, b]) => b - a);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
