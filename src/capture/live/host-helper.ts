import { hostFacts } from './host.js';

/** The child process of `helperAsker`: it is sent names of namespaces and answers with what the machine says of them. */
process.on('message', (only: readonly (string | null)[]) => {
  void hostFacts([], only).then((facts) => {
    if (process.connected) process.send?.(facts);
  });
});
process.on('disconnect', () => process.exit());
// Ctrl-C in the terminal is meant for the program, which ends this one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
