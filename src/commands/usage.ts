import type { CommanderError } from 'commander';
import { UserError } from './errors.js';

/** An error of commander's (`error: unknown option '--selct'\n(Did you mean --select?)`) as one of ours. */
export function commandLineError({ code, message }: CommanderError): UserError {
  const named = /'([^']*)'/.exec(message)?.[1] ?? '';
  // `--format <name>` or `-o, --output <file>`: the option's long name says it.
  const option = /--[\w-]+/.exec(named)?.[0] ?? named;
  const near = /\(Did you mean (.*)\?\)/.exec(message)?.[1];
  const advice = near === undefined ? 'see netdiag --help' : `did you mean ${near}?`;
  switch (code) {
    case 'commander.unknownOption':
      return new UserError(option, 'no such option', advice);
    case 'commander.unknownCommand':
      return new UserError(named, 'no such command', advice);
    case 'commander.missingArgument':
      return new UserError(named, 'missing', advice);
    case 'commander.optionMissingArgument':
      return new UserError(option, 'needs a value', advice);
    case 'commander.excessArguments':
      return new UserError(named, 'takes fewer arguments', advice);
    case 'commander.help':
      return new UserError('command', 'missing', advice);
    default:
      return new UserError('arguments', message.replace(/^error: /, ''), advice);
  }
}
