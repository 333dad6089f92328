import { readFileSync } from 'node:fs';
import { packageFile } from '../package/package-file.js';
import { Layout } from '../report/text/layout.js';
import { markdownLines } from '../report/text/markdown.js';
import type { RuleMeta } from '../rules/rule.js';
import { UserError } from './errors.js';
import { type CommandIo, Exit } from './io.js';
import { ruleNamed } from './rule-names.js';
import { terminalColor, terminalWidth } from './terminal.js';

/** `netdiag explain`: prints the page of a rule. */
export function runExplain(name: string, flags: { color?: string }, io: CommandIo): number {
  const { id, thresholds = {} } = ruleNamed(name, 'explain');
  const page = `${pageOf(id)}${thresholdSection(thresholds)}`;
  const layout = new Layout(terminalWidth(io), terminalColor(flags.color, io));
  io.stdout.write(
    markdownLines(page, layout)
      .map((line) => `${line}\n`)
      .join(''),
  );
  return Exit.Ok;
}

/** The thresholds as another section of the page: they are in the source, and there only. */
function thresholdSection(thresholds: NonNullable<RuleMeta['thresholds']>): string {
  const lines = Object.entries(thresholds).map(
    ([name, { value, unit, source }]) => `- \`${name}\`: ${value} ${unit} (${source})`,
  );
  return lines.length === 0 ? '' : `\n## Thresholds, to be changed in netdiag.config.json\n\n${lines.join('\n')}\n`;
}

/** Pages lie beside the program, in the repository as in the package. */
function pageOf(rule: string): string {
  try {
    return readFileSync(packageFile(`docs/rules/${rule}.md`), 'utf8');
  } catch {
    throw new UserError(rule, 'has no page in this installation', 'install netdiag anew');
  }
}
