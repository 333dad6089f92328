// Usage: node scripts/man.js, after the program was compiled
// Writes dist/netdiag.1, the manual page, from what the program itself says of its commands and options.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/', import.meta.url);

/** @typedef {import('commander').Command} Command */

/** @param {string} text */
function escaped(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

/** @param {readonly (readonly [string, string])[]} entries */
function list(entries) {
  return entries.flatMap(([term, text]) => ['.TP', `.B ${escaped(term)}`, escaped(text)]);
}

/** @param {Command} command */
function section(command) {
  const help = command.createHelp();
  return [
    `.SS "netdiag ${escaped(command.name())} ${escaped(command.usage())}"`,
    escaped(command.description()),
    ...list(help.visibleArguments(command).map((each) => [each.name(), help.argumentDescription(each)])),
    ...list(help.visibleOptions(command).map((each) => [help.optionTerm(each), help.optionDescription(each)])),
  ];
}

/**
 * The page as roff (man 7 man).
 * @param {Command} program
 * @param {string} version
 * @param {typeof import('../src/commands/manual.js')} manual
 */
export function manualPage(program, version, { EXAMPLES, EXIT_STATUS }) {
  const lines = [
    `.TH NETDIAG 1 "" "netdiag ${version}" "User Commands"`,
    '.SH NAME',
    `netdiag \\- ${escaped(program.description())}`,
    '.SH SYNOPSIS',
    '.B netdiag',
    '.I command',
    '[option]... [argument]...',
    '.SH COMMANDS',
    ...program.commands.flatMap(section),
    '.SH EXAMPLES',
    ...list(EXAMPLES),
    '.SH EXIT STATUS',
    ...list(EXIT_STATUS),
    '.SH ENVIRONMENT',
    ...list([
      ['NO_COLOR', 'no colours, unless --color says otherwise'],
      ['COLUMNS', 'how wide to write where no terminal tells it'],
      ['NETDIAG_DEBUG', '1: errors with their stack trace'],
    ]),
    '.SH FILES',
    ...list([['netdiag.config.json', 'configuration, searched from the working directory upwards']]),
    '.SH SEE ALSO',
    '.BR tcpdump (8),',
    '.BR ip (8),',
    '.BR bridge (8)',
  ];
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  /** @type {[typeof import('../src/commands/program.js'), typeof import('../src/package/version.js'), typeof import('../src/commands/manual.js')]} */
  const [{ program }, { version }, manual] = await Promise.all([
    import(new URL('commands/program.js', built).href),
    import(new URL('package/version.js', built).href),
    import(new URL('commands/manual.js', built).href),
  ]);
  const nowhere = { write: () => true };
  const io = { stdout: nowhere, stderr: nowhere, env: {}, cwd: '/', signal: new AbortController().signal };
  mkdirSync(built, { recursive: true });
  writeFileSync(
    new URL('netdiag.1', built),
    manualPage(
      program(io, async () => {}),
      version(),
      manual,
    ),
  );
}
