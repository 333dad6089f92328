import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../support/fixtures.js';

export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

/** A pseudo-terminal with a shell in it, driven by tmux on a server of its own. */
export class Terminal {
  readonly #server: string;

  constructor(name: string, columns: number, rows: number) {
    this.#server = `netdiag-test-${process.pid}-${name}`;
    const shell = `cd '${root}' && PS1='ready> ' exec env -u CI -u NO_COLOR -u FORCE_COLOR bash --norc --noprofile`;
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), shell);
  }

  /** Types keys by their tmux names; text by its characters. */
  press(...keys: string[]): void {
    for (const key of keys) this.#tmux('send-keys', key);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  get screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** The screen with its styles as escape sequences. */
  get styled(): string {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** Whether the cursor shows. */
  get cursor(): boolean {
    return this.#tmux('display-message', '-p', '#{cursor_flag}').trim() === '1';
  }

  /** Waits until the screen shows it. @returns the screen */
  async until(what: string | RegExp, seconds = 15): Promise<string> {
    const shows = (screen: string) => (typeof what === 'string' ? screen.includes(what) : what.test(screen));
    for (let end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
      const screen = this.screen;
      if (shows(screen)) return screen;
    }
    throw new Error(`never showed ${what}:\n${this.screen}`);
  }

  close(): void {
    this.#tmux('kill-server');
  }

  #tmux(...args: string[]): string {
    return spawnSync('tmux', ['-L', this.#server, ...args], { encoding: 'utf8' }).stdout;
  }
}

/** Works in a terminal of so many columns and rows with a shell in it. */
export async function inTerminal(
  name: string,
  columns: number,
  rows: number,
  work: (terminal: Terminal) => Promise<void>,
) {
  const terminal = new Terminal(name, columns, rows);
  try {
    await terminal.until('ready>');
    await work(terminal);
  } finally {
    terminal.close();
  }
}
