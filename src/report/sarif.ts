import type { Analysis, CaptureReport, Finding } from '../findings/finding.js';
import { printable, printableJson } from '../wire/printable.js';
import type { ReportOptions } from './options.js';

/*
 * Static Analysis Results Interchange Format, OASIS Standard 2.1.0. Section numbers below are its own.
 */

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
export const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;
/** Section 3.27.29: 0 is the least confident, 100 the most. */
const RANKS = { certain: 95, likely: 70, hint: 30 } as const;

/** `--format sarif`: one run. Places are bytes in the capture file where they can be told (section 3.30.11). */
export function reportSarif(analysis: Analysis, { frames }: ReportOptions): string {
  const { tool, captures, findings, suppressed } = analysis;
  const ids = [...new Set([...findings, ...suppressed].map(({ rule }) => rule))].sort();
  const run = {
    tool: {
      driver: {
        name: tool.name,
        version: tool.version,
        rules: ids.map((id) => ({ id, shortDescription: { text: id }, help: { text: `netdiag explain ${id}` } })),
      },
    },
    columnKind: 'utf16CodeUnits',
    artifacts: captures.map((capture) => ({
      location: { uri: uriOf(capture.name) },
      mimeType: 'application/vnd.tcpdump.pcap',
      roles: ['analysisTarget'],
    })),
    invocations: [
      {
        executionSuccessful: captures.every(({ complete }) => complete),
        toolExecutionNotifications: captures.flatMap((capture, index) => notificationsOf(capture, index)),
      },
    ],
    results: findings.map((finding) => resultOf(finding, ids, captures, frames)),
  };
  return logOf(run);
}

/** A log of one run. */
export function logOf(run: object): string {
  return `${printableJson({ $schema: SCHEMA, version: '2.1.0', runs: [run] }, 2)}\n`;
}

function notificationsOf({ name, format, problems }: CaptureReport, index: number) {
  return problems.map(({ offset, message }) => ({
    level: 'warning',
    message: { text: printable(format === 'text' ? message : `at byte ${offset}: ${message}`) },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(name), index } } }],
  }));
}

function resultOf(
  finding: Finding,
  ids: readonly string[],
  captures: readonly CaptureReport[],
  frames: ReportOptions['frames'],
) {
  const { rule, severity, confidence, title, summary, segment, count, remedy, fingerprint, subject } = finding;
  const cures = remedy.map(({ text, commands }) => [text, ...commands].join('\n')).join('\n\n');
  const places = finding.evidence.map((each) => locationOf(each, captures, frames));
  const whole = { physicalLocation: { artifactLocation: artifactOf(segment.capture, captures) } };
  return {
    ruleId: rule,
    ruleIndex: ids.indexOf(rule),
    level: LEVELS[severity],
    kind: 'fail',
    rank: RANKS[confidence],
    message: { text: printable(title) },
    locations: [places[0] ?? whole],
    ...(places.length > 1 && { relatedLocations: places.slice(1).map((place, id) => ({ id: id + 1, ...place })) }),
    occurrenceCount: Math.max(1, count),
    partialFingerprints: { 'netdiagFinding/v1': fingerprint },
    properties: { confidence, subject, summary: printable(summary), ...(cures !== '' && { remedy: cures }) },
  };
}

function locationOf(
  { capture, frame, offset, length, note }: Finding['evidence'][number],
  captures: readonly CaptureReport[],
  frames: ReportOptions['frames'],
) {
  const proving = frames?.get(`${capture} ${frame}`);
  const region =
    proving === undefined || proving.byteOffset === null
      ? {}
      : {
          region: {
            byteOffset: proving.byteOffset + Math.min(offset, proving.byteLength),
            byteLength: Math.max(0, Math.min(length, proving.byteLength - offset)),
          },
        };
  return {
    physicalLocation: { artifactLocation: artifactOf(capture, captures), ...region },
    logicalLocations: [{ name: `frame ${frame}`, kind: 'frame' }],
    message: { text: printable(note === '' ? `frame ${frame}` : `frame ${frame}: ${note}`) },
  };
}

function artifactOf(index: number, captures: readonly CaptureReport[]) {
  return { uri: uriOf(captures[index].name), index };
}

/** A file name as a URI reference (RFC 3986 section 4.1); standard input has none but a name. */
export function uriOf(name: string): string {
  if (name === '-') return 'stdin';
  const path = Buffer.from(name).toString().split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${path}` : path;
}
