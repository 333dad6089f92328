import { basename } from 'node:path';
import { printable } from '../../../wire/printable.js';
import type { Diagnosis, EvidenceRef, RuleContext } from '../../rule.js';

/** What diagnoses of a capture as a whole have in common; the name for a sentence, without folders: reports have it in full. */
export function ofCapture(
  { captures }: RuleContext,
  capture: number,
): Pick<Diagnosis, 'key' | 'capture' | 'segment' | 'subject' | 'first' | 'last'> & { readonly name: string } {
  const { info, first, last } = captures[capture];
  const name = info.name === '-' ? 'standard input' : printable(basename(info.name));
  return { key: String(capture), capture, segment: -1, subject: {}, first, last, name };
}

/** Whole frames as evidence. */
export function frames(capture: number, numbers: readonly number[], note: string): EvidenceRef[] {
  return numbers.map((frame) => ({ capture, frame, layer: 'frame', offset: 0, length: 0, note }));
}
