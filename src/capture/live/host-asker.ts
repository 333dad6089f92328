import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Host, type HostFacts } from './host.js';

/** Asks the machine again and again. */
export interface HostAsker {
  /**
   * Null where it cannot be asked any more.
   * @param changed as `Host.ask` takes it
   */
  ask(changed: ReadonlySet<string | null> | null): Promise<HostFacts | null>;
  close(): void;
}

/**
 * In this process, with what it may do.
 * @param captured the namespace that is captured in, null for the own one
 */
export function ownAsker(captured: string | null): HostAsker {
  const host = new Host(captured);
  const ending = new AbortController();
  return { ask: (changed) => host.ask(changed, [], ending.signal), close: () => ending.abort() };
}

/**
 * A child process that may still do what this process may do now: it asks on after this one has given up root. It takes
 * the names of what changed from us, runs fixed commands that only read in namespaces that it finds itself, and ends with us.
 */
export function helperAsker(captured: string | null): HostAsker {
  const child = fork(fileURLToPath(new URL('./host-helper.js', import.meta.url)), captured === null ? [] : [captured], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let waiting: ((facts: HostFacts | null) => void)[] = [];
  const answer = (facts: HostFacts | null) => {
    for (const each of waiting) each(facts);
    waiting = [];
  };
  child.on('message', (facts) => answer(facts as HostFacts));
  child.on('exit', () => answer(null));
  child.on('error', () => answer(null));
  // It is no reason to stay.
  child.unref();
  child.channel?.unref();
  return {
    ask: (changed) =>
      new Promise((resolve) => {
        if (!child.connected) return resolve(null);
        waiting.push(resolve);
        child.send(changed === null ? 'all' : [...changed], (error) => {
          if (error !== null) answer(null);
        });
      }),
    close: () => {
      if (child.connected) child.disconnect();
    },
  };
}
