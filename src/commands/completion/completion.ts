import type { Command } from 'commander';
import { oneOf } from '../arguments.js';
import { type CommandIo, Exit } from '../io.js';
import { bashCompletion } from './bash.js';
import { fishCompletion } from './fish.js';
import { SHELLS } from './shells.js';
import { wordsOf } from './words.js';
import { zshCompletion } from './zsh.js';

const WRITERS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/**
 * `netdiag completion`: a script for the shell. It holds all words itself, so that completing starts no Node, and
 * leaves file names to the shell (what packages for commander offer completes no files).
 */
export function runCompletion(shell: string, program: Command, io: CommandIo): number {
  io.stdout.write(WRITERS[oneOf('completion', shell, SHELLS)](wordsOf(program)));
  return Exit.Ok;
}
