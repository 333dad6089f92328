import type { CommandIo, Output } from '../../src/commands/io.js';

/** The world of a command, with what it wrote. */
export interface FakeIo extends CommandIo {
  readonly written: { stdout: string; stderr: string };
}

export function fakeIo({
  stdout = {},
  stderr = {},
  ...rest
}: Partial<Omit<CommandIo, 'stdout' | 'stderr'>> & {
  stdout?: Partial<Output>;
  stderr?: Partial<Output>;
} = {}): FakeIo {
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written, given: Partial<Output>): Output => ({
    ...given,
    write: (text) => {
      written[name] += text;
    },
  });
  return {
    env: {},
    cwd: '/',
    signal: new AbortController().signal,
    ...rest,
    stdout: output('stdout', stdout),
    stderr: output('stderr', stderr),
    written,
  };
}
