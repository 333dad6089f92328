import type { HostContext } from '../network/context/host-context.js';
import { printable } from '../wire/printable.js';

/** Letters and digits of any script, and what else a shell takes as it is; a dash in front would be an option. */
const PLAIN = /^(?!-)[\p{L}\p{M}\p{N}_.,:=@%+/-]+$/u;
/** What stands in a command for a name that a shell would not take as a plain word. */
const PLACEHOLDER = '<name>';

/**
 * Words of a host context that a shell would obey rather than take for a name, longest first. A context comes in the
 * capture of somebody else, and a device may be called `$(reboot)`.
 */
export function obeyedWords(context: HostContext | null): string[] {
  if (context === null) return [];
  const words = new Set<string | null | undefined>();
  for (const { name, kind, mode, link, vxlan, vlan } of context.devices)
    for (const word of [name, kind, mode, link?.name, vxlan?.link, vlan?.protocol]) words.add(word);
  for (const [name, { routes, neighbours, firewall }] of context.namespaces) {
    words.add(name);
    for (const { table, name: chain } of firewall?.ruleset?.chains.values() ?? []) words.add(table).add(chain);
    for (const { dst, dev, type } of routes) for (const word of [dst, dev, type]) words.add(word);
    for (const { dev } of neighbours) words.add(dev);
  }
  return [...words]
    .filter((word) => word != null)
    .filter((word) => word !== '' && !PLAIN.test(word))
    .flatMap((word) => [word, printable(word)])
    .sort(byLength);
}

/** Words of several contexts in the order in which they are to be taken out. */
export function longestFirst(words: readonly string[]): string[] {
  return [...new Set(words)].sort(byLength);
}

function byLength(a: string, b: string): number {
  return b.length - a.length;
}

/** The command without those words: it can be pasted, and then asks for what is missing. */
export function pasteable(command: string, obeyed: readonly string[]): string {
  return obeyed.reduce((text, word) => text.replaceAll(word, PLACEHOLDER), command);
}
