import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program on a pseudo-terminal of 100 columns and 30 lines (script(1) of util-linux), with a hand on its keys. */
export class Screen {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #began = performance.now();
  readonly #waiting = new Set<() => void>();
  #drawn = '';

  constructor(command: readonly string[]) {
    const line = `stty cols 100 rows 30; exec ${command.map((word) => `'${word}'`).join(' ')}`;
    const { CI: _, NO_COLOR: __, ...env } = process.env;
    this.#child = spawn('script', ['-q', '-f', '-c', line, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...env, TERM: 'xterm-256color', SHELL: '/bin/sh' },
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#drawn += text;
      for (const wake of this.#waiting) wake();
    });
  }

  /** Milliseconds since the start. */
  get time(): number {
    return performance.now() - this.#began;
  }

  /** Milliseconds until the program draws this text, counting from now; what is there already does not count. */
  async draws(text: string, patience = 60_000): Promise<number> {
    const begin = performance.now();
    this.#drawn = '';
    while (!this.#drawn.includes(text)) {
      if (performance.now() - begin > patience) throw new Error(`"${text}" was not drawn: ${this.#drawn.slice(-400)}`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, 1000);
        this.#waiting.add(wake);
      });
    }
    return performance.now() - begin;
  }

  /** Milliseconds from a key to the text that it brings. */
  press(key: string, text: string): Promise<number> {
    const drawn = this.draws(text);
    this.#child.stdin?.write(key);
    return drawn;
  }

  /** What was drawn since the last question, without styles. */
  get text(): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken out
    return this.#drawn.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '');
  }

  /** What is drawn within the next half second. */
  async latest(): Promise<string> {
    this.#drawn = '';
    await sleep(500);
    return this.text;
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Peak of the program's resident memory in bytes, while it runs. */
  memory(): number {
    const pids = readFileSync(`/proc/${this.#child.pid}/task/${this.#child.pid}/children`, 'utf8').trim().split(' ');
    const status = readFileSync(`/proc/${pids[0]}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  async end(): Promise<void> {
    this.type('\x03');
    const isEnded = await Promise.race([this.#ended.then(() => true), sleep(5000).then(() => false)]);
    if (!isEnded) this.#child.kill();
  }
}
