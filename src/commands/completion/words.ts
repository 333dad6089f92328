import type { Command, Option } from 'commander';
import { CONFIDENCES, SEVERITIES } from '../../findings/rank.js';
import { RULES } from '../../rules/index.js';
import { HELP } from '../options.js';
import { SHELLS } from './shells.js';

/** What can stand at a place of the command line: one of these words, or a file, or (live) an interface. */
export interface Words {
  readonly words: readonly string[];
  readonly kind: 'words' | 'files' | 'interfaces';
}

export interface OptionWords {
  /** As they are typed: `-o`, `--output`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** What follows the option; null where nothing does. */
  readonly value: Words | null;
}

export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** What its arguments are; null where it takes none. */
  readonly argument: Words | null;
}

const FILES: Words = { words: [], kind: 'files' };
const ANYTHING: Words = { words: [], kind: 'words' };

/** What the command line of the program consists of, read from the program itself. */
export function wordsOf(program: Command): CommandWords[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: [
      ...command.options.filter(({ hidden }) => !hidden).map(optionWords),
      { flags: ['-h', '--help'], description: HELP[1], value: null },
    ],
    argument: argumentWords(command),
  }));
}

function optionWords(option: Option): OptionWords {
  const { short, long, description } = option;
  const flags = [short, long].filter((flag) => flag !== undefined);
  return { flags, description, value: option.required || option.optional ? valueWords(option) : null };
}

function valueWords({ long, description }: Option): Words {
  switch (long) {
    case '--format':
      return ofWords(listed(description));
    case '--backend':
      return ofWords(['auto', 'ring', 'cap']);
    case '--color':
      return ofWords(['auto', 'always', 'never']);
    case '--min-severity':
      return ofWords(SEVERITIES);
    case '--fail-on':
      return ofWords([...SEVERITIES, 'never']);
    case '--min-confidence':
      return ofWords(CONFIDENCES);
    case '--select':
    case '--ignore':
      return ofWords([...groups(), ...ruleIds()]);
    default:
      return /<(file|folder|capture)/.test(`${long} ${description}`) || isFile(long) ? FILES : ANYTHING;
  }
}

/** Options whose value is a file, by the name that all commands give them. */
function isFile(long: string | undefined): boolean {
  return ['--output', '--context', '--config', '--evidence', '--write', '--baseline'].includes(long ?? '');
}

/** The words of a description such as `text, json or ndjson`. */
function listed(description: string): string[] {
  return description
    .replace(/ \(.*?\)/g, '')
    .split(/,\s*|\s+or\s+/)
    .filter((word) => /^[a-z]+$/.test(word));
}

function argumentWords(command: Command): Words | null {
  const [argument] = command.registeredArguments;
  if (argument === undefined) return null;
  switch (argument.name()) {
    case 'rule':
      return ofWords(ruleIds());
    case 'shell':
      return ofWords(SHELLS);
    case 'interface':
      return { words: [], kind: 'interfaces' };
    default:
      return FILES;
  }
}

function ofWords(words: readonly string[]): Words {
  return { words, kind: 'words' };
}

function ruleIds(): string[] {
  return RULES.map(({ meta }) => meta.id);
}

function groups(): string[] {
  return [...new Set(ruleIds().map((id) => id.slice(0, id.indexOf('/'))))];
}
