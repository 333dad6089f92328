import { Host } from './host.js';

const [, , captured = null] = process.argv;
const host = new Host(captured);

/** The child process of `helperAsker`: it is sent what changed, and answers with what the machine says of itself. */
process.on('message', (changed) => {
  void host.ask(Array.isArray(changed) ? new Set(changed) : null).then((facts) => {
    if (process.connected) process.send?.(facts);
  });
});
process.on('disconnect', () => process.exit());
// Ctrl-C in the terminal is meant for the program, which ends this one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
