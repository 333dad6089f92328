import { Layout } from '../report/text/layout.js';
import { table } from '../report/text/table.js';
import { RULES } from '../rules/index.js';
import { printableJson } from '../wire/printable.js';
import { oneOf } from './arguments.js';
import { type CommandIo, Exit } from './io.js';
import { terminalColor, terminalWidth } from './terminal.js';

/** `netdiag rules`: what netdiag looks for. */
export function runRules(flags: { format?: string; color?: string }, io: CommandIo): number {
  const format = oneOf('--format', flags.format ?? 'text', ['text', 'json'] as const);
  const color = terminalColor(flags.color, io);
  const metas = RULES.map(({ meta }) => meta);
  if (format === 'json') {
    io.stdout.write(`${printableJson(metas, 2)}\n`);
  } else {
    const rows = metas.map(({ id, severity, summary }) => [id, severity, summary]);
    const lines = table(
      ['rule', 'severity', 'what is wrong when it speaks'],
      rows,
      [],
      new Layout(terminalWidth(io), color),
    );
    io.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }
  return Exit.Ok;
}
