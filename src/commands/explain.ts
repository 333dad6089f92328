import { readFileSync } from 'node:fs';
import { Layout } from '../report/text/layout.js';
import { markdownLines } from '../report/text/markdown.js';
import { matching, UnknownRuleError } from '../rules/engine/selection.js';
import { RULES } from '../rules/index.js';
import { UserError, unknownRule } from './errors.js';
import { type CommandIo, Exit } from './io.js';
import { terminalColor, terminalWidth } from './terminal.js';

/** `netdiag explain`: prints the page of a rule. */
export function runExplain(name: string, flags: { color?: string }, io: CommandIo): number {
  const page = pageOf(ruleNamed(name));
  const layout = new Layout(terminalWidth(io), terminalColor(flags.color, io));
  io.stdout.write(
    markdownLines(page, layout)
      .map((line) => `${line}\n`)
      .join(''),
  );
  return Exit.Ok;
}

function ruleNamed(name: string): string {
  try {
    const ids = [...matching(RULES, [name])].map(({ meta }) => meta.id);
    if (ids.length === 1 || ids.some((id) => id === name)) return ids[0];
    throw new UserError(name, 'names a group of rules', `name one: ${ids.join(', ')}`);
  } catch (error) {
    throw error instanceof UnknownRuleError ? unknownRule('explain', error) : error;
  }
}

/** Pages lie beside the program, in the repository as in the package. */
function pageOf(rule: string): string {
  try {
    return readFileSync(new URL(`../../docs/rules/${rule}.md`, import.meta.url), 'utf8');
  } catch {
    throw new UserError(rule, 'has no page in this installation', 'install netdiag anew');
  }
}
