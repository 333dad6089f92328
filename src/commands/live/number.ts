import { UserError } from '../errors.js';

/** @throws UserError if the option's value is no number above 0 */
export function positive(option: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new UserError(option, `"${text}" is not a number above 0`, 'give one, such as 10');
}
