import { hostFacts } from './host.js';

const [, , captured = null] = process.argv;

/** The child process of `helperAsker`: whatever it is sent, it answers with what the machine says of itself. */
process.on('message', () => {
  void hostFacts(captured).then((facts) => {
    if (process.connected) process.send?.(facts);
  });
});
process.on('disconnect', () => process.exit());
// Ctrl-C in the terminal is meant for the program, which ends this one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
