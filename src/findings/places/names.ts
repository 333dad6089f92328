import { basename } from 'node:path';
import { listed } from '../../rules/parts/words.js';
import type { CaptureFacts } from '../../rules/rule.js';
import { printable } from '../../wire/printable.js';

/** Captures that a sentence names. */
const MAX_NAMED = 4;

/** Names of captures for a sentence: without folders, where that tells them apart. */
export function namesOf(captures: readonly CaptureFacts[]): string[] {
  const short = captures.map(({ info }) => (info.name === '-' ? 'standard input' : basename(info.name)));
  const times = new Map<string, number>();
  for (const name of short) times.set(name, (times.get(name) ?? 0) + 1);
  return short.map((name, i) => printable(times.get(name) === 1 ? name : captures[i].info.name));
}

/** `a.pcap, b.pcap and 2 more`. */
export function capturesListed(names: readonly string[], word = 'and'): string {
  return listed(names, MAX_NAMED, word);
}
