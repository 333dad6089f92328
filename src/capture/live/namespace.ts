import { closeSync, openSync } from 'node:fs';
import { libc } from './libc.js';

const CLONE_NEWNET = 0x40000000;
/** Where `ip netns` keeps its namespaces. */
export const NETNS_FOLDER = '/run/netns';

/** The namespace of a process: what runs in it, and its pid. */
const OF_PROCESS = /^[^/]+\/(\d+)$/;

/** The file of a namespace: of `ip netns`' name, of `<program>/<pid>`, or the path itself. */
export function namespacePath(name: string): string {
  const pid = OF_PROCESS.exec(name)?.[1];
  if (pid !== undefined) return `/proc/${pid}/ns/net`;
  return name.includes('/') ? name : `${NETNS_FOLDER}/${name}`;
}

/** A network namespace could not be entered; `code` is the errno's name. */
export class NamespaceError extends Error {
  constructor(
    readonly netns: string,
    readonly code: string,
  ) {
    super(`${netns}: ${code}`);
  }
}

/**
 * Calls `work` with the calling thread inside a network namespace (setns(2)) and returns; sockets made there stay
 * there. Nothing asynchronous may happen in `work`: the thread is back outside when it returns.
 * @param netns as `namespacePath` takes it, null for the namespace of the process
 * @throws NamespaceError
 */
export function insideNamespace<T>(netns: string | null, work: () => T): T {
  if (netns === null) return work();
  const c = libc();
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    let there: number;
    try {
      there = openSync(namespacePath(netns), 'r');
    } catch (error) {
      throw new NamespaceError(netns, (error as NodeJS.ErrnoException).code ?? 'EIO');
    }
    try {
      if (c.setns(there, CLONE_NEWNET) !== 0) throw new NamespaceError(netns, c.nameOf(c.errno()));
    } finally {
      closeSync(there);
    }
    try {
      return work();
    } finally {
      // Staying in the wrong namespace would make everything after this a lie.
      if (c.setns(home, CLONE_NEWNET) !== 0) process.abort();
    }
  } finally {
    closeSync(home);
  }
}
