import { basename } from 'node:path';
import { printable } from '../../../wire/printable.js';
import { at } from '../../parts/device-argument.js';
import type { Diagnosis, EvidenceRef, RuleContext } from '../../rule.js';

/** Names that a shell takes for one word. */
const PLAIN_NAME = /^[\w.:@-]+$/;

/** What diagnoses of a capture as a whole have in common; the name for a sentence, without folders: reports have it in full. */
export function ofCapture(
  { captures }: RuleContext,
  capture: number,
): Pick<Diagnosis, 'key' | 'capture' | 'segment' | 'subject' | 'first' | 'last'> & { readonly name: string } {
  const { info, first, last } = captures[capture];
  const name = info.name === '-' ? 'standard input' : printable(basename(info.name));
  return { key: String(capture), capture, segment: -1, subject: {}, first, last, name };
}

/** A command for the device that was captured on: by its name where that is known, and in its namespace. */
export function onDevice(
  { network, captures }: RuleContext,
  capture: number,
  command: (device: string) => string,
): string {
  const { vantage } = network;
  if (vantage) return at(vantage, command(printable(vantage.name)));
  const names = new Set(captures[capture].info.interfaces.map(({ name }) => name));
  const [name] = names;
  return command(names.size === 1 && name && name !== 'any' && PLAIN_NAME.test(name) ? name : '<device>');
}

/** Whole frames as evidence. */
export function frames(capture: number, numbers: readonly number[], note: string): EvidenceRef[] {
  return numbers.map((frame) => ({ capture, frame, layer: 'frame', offset: 0, length: 0, note }));
}
