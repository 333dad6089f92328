import type { Analysis, Finding } from '../findings/finding.js';
import { printable } from '../wire/printable.js';
import { frameList } from './text/words.js';

const COMMANDS = { error: 'error', warning: 'warning', info: 'notice' } as const;

/** `--format github`: workflow commands, a line for each finding, that GitHub Actions shows as annotations. */
export function reportGithub({ findings, captures }: Analysis): string {
  return findings.map((finding) => githubLine(finding, captures[finding.segment.capture]?.name ?? '')).join('');
}

function githubLine({ severity, confidence, rule, title, summary, evidence, remedy }: Finding, file: string): string {
  const frames = [...new Set(evidence.map(({ frame }) => frame))];
  const message = [
    summary,
    ...(frames.length > 0 ? [`Proof: ${frames.length === 1 ? 'frame' : 'frames'} ${frameList(frames)}`] : []),
    ...(remedy.length > 0 ? [remedy[0].text, ...remedy[0].commands] : []),
    `${confidence}; netdiag explain ${rule}`,
  ];
  return annotation(COMMANDS[severity], file, title, message);
}

/** One workflow command; lines of the message are shown as lines. */
export function annotation(
  command: 'error' | 'warning' | 'notice',
  file: string,
  title: string,
  message: readonly string[],
): string {
  const text = message.map((line) => escapeData(printable(line))).join('%0A');
  return `::${command} file=${escapeProperty(printable(file))},title=${escapeProperty(printable(title))}::${text}\n`;
}

/** As @actions/core escapes: what ends a line, and its own escape character. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** Inside of a property, what ends it as well. */
function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
