import type { Vantage } from '../analyze.js';
import { nearest } from '../rules/engine/nearest.js';
import { UserError } from './errors.js';

/** The words of a comma-separated option that may be given several times. */
export function listOf(values: readonly string[] | undefined): string[] {
  return (values ?? [])
    .flatMap((value) => value.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/**
 * One of a few words.
 * @param subject the option, or the file and key, that the word was given for
 */
export function oneOf<Word extends string>(subject: string, word: string, words: readonly Word[]): Word {
  const known = words.find((each) => each === word);
  if (known !== undefined) return known;
  const near = nearest(word, words);
  const question = near === null ? '' : `did you mean ${near}? `;
  throw new UserError(subject, `"${word}" is not known`, `${question}it may be ${words.join(', ')}`);
}

/** @throws UserError if standard input is named twice: the second reading would find nothing. */
export function checkInputs(inputs: readonly string[]): void {
  if (inputs.indexOf('-') !== inputs.lastIndexOf('-'))
    throw new UserError('-', 'is named twice', 'it can be read once');
}

/**
 * UDP port numbers, given by an option.
 * @throws UserError if it was given and names none
 */
export function portOption(option: string, values: readonly string[] | undefined): number[] {
  const words = listOf(values);
  if (values !== undefined && words.length === 0)
    throw new UserError(option, 'names no port', 'give numbers from 1 to 65535');
  return portsOf(option, words);
}

/** UDP port numbers. */
export function portsOf(subject: string, words: readonly unknown[]): number[] {
  return words.map((word) => {
    const port = typeof word === 'string' && /^\d+$/.test(word) ? Number(word) : word;
    if (Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65535) return port as number;
    throw new UserError(subject, `${shown(word)} is not a UDP port`, 'give numbers from 1 to 65535');
  });
}

/** A value of JSON in a message: what is in an object or a list is not. */
export function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** A place of capture, written `<namespace>/<interface>`. */
export function vantageOf(subject: string, text: string): Vantage {
  // The namespace of a container has one in its name; no interface has.
  const slash = text.lastIndexOf('/');
  const [namespace, name] = [text.slice(0, Math.max(0, slash)), text.slice(slash + 1)];
  if (namespace !== '' && name !== '') return { namespace, interface: name };
  throw new UserError(subject, `"${text}" does not name a place`, 'write <namespace>/<interface>, such as host/ens34');
}
