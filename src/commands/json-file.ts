import { readFileSync } from 'node:fs';
import { UserError } from './errors.js';

/**
 * @param named what the user calls the file, for messages
 * @throws UserError if it cannot be read or is no JSON
 */
export function readJson(file: string, named: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(
      named,
      `cannot be read (${(error as NodeJS.ErrnoException).code})`,
      'check the name and its permissions',
    );
  }
  try {
    // Some editors put a byte order mark in front.
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new UserError(named, `not JSON (${(error as Error).message})`, 'correct it there');
  }
}
