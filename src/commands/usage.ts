import { existsSync } from 'node:fs';
import type { CommanderError } from 'commander';
import { UserError } from './errors.js';

/**
 * An error of commander's (`error: unknown option '--selct'\n(Did you mean --select?)`) as one of ours.
 * @param words what was written behind `netdiag`
 * @param commands the names of the commands
 */
export function commandLineError(
  { code, message }: CommanderError,
  words: readonly string[],
  commands: readonly string[],
): UserError {
  const [first = '', second] = words;
  const named = /'([^']*)'/.exec(message)?.[1] ?? '';
  // `--format <name>` or `-o, --output <file>`: the option's long name says it.
  const option = /--[\w-]+/.exec(named)?.[0] ?? named;
  const near = /\(Did you mean (.*)\?\)/.exec(message)?.[1];
  const help = `see netdiag ${commands.includes(first) ? `${first} ` : ''}--help`;
  const advice = near === undefined ? help : `did you mean ${near}?`;
  switch (code) {
    case 'commander.unknownOption':
      return near === option
        ? new UserError(option, 'takes no value', help)
        : new UserError(option, 'no such option', advice);
    case 'commander.unknownCommand':
      return near === undefined && existsSync(named)
        ? new UserError(named, 'no command, but a file', `to read it: netdiag analyze ${named}`)
        : new UserError(named, 'no such command', advice);
    case 'commander.missingArgument':
      return new UserError(named, 'missing', advice);
    case 'commander.optionMissingArgument':
      return new UserError(option, 'needs a value', advice);
    case 'commander.excessArguments':
      return new UserError(named, 'takes fewer arguments', advice);
    case 'commander.help':
      return first === 'help' && second !== undefined
        ? new UserError(second, 'no such command', help)
        : new UserError('command', 'missing', 'such as netdiag analyze ping.pcap; netdiag --help lists all');
    default:
      return new UserError('arguments', message.replace(/^error: /, ''), advice);
  }
}
