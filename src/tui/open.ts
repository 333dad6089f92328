import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { ReadStream, WriteStream } from 'node:tty';
import type { Session } from './session.js';

/** Another screen than the one with the shell's lines, and back; the cursor hidden, and back (xterm, DEC 1049 and 25). */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H';
const LEAVE = '\x1b[?25h\x1b[?1049l';

const STDOUT = 1;
/** Milliseconds in which a stop arrives, if it does: where no shell could let the program go on, the kernel leaves it out. */
const STOP_MS = 50;
/** Drawings at most: a key waits for half as long on average. */
const FRAMES_A_SECOND = 60;

const ignore = () => {};

export interface Terminal {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly color: boolean;
  /** Ends the view as Ctrl-C does. */
  readonly signal: AbortSignal;
  /** Whether whoever gave `signal` has something to bring to an end at SIGTERM and SIGHUP too. */
  readonly endsWell?: boolean;
}

/** Loads what draws. Before anything is read: where the loop is busy, each module would wait for its turn. */
export async function loadTui(color: boolean): Promise<void> {
  // Read as soon as the module that colours is loaded.
  if (!color) process.env.FORCE_COLOR = '0';
  await modules();
}

function modules() {
  return Promise.all([import('ink'), import('react'), import('./app.js')]);
}

/** The screen beside the one with the shell's lines. */
class OtherScreen {
  #isLeft = true;

  constructor(private readonly stdout: WriteStream) {}

  enter(): void {
    this.#isLeft = false;
    this.stdout.write(ENTER);
  }

  /** May be called on the way out of the process: it writes at once, and never throws. */
  leave(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    try {
      writeSync(STDOUT, LEAVE);
    } catch {
      // The terminal is gone: nothing to restore.
    }
  }
}

/**
 * Leaves the screen however the process ends.
 * @param endsWell as in `Terminal`
 * @returns a function that takes that back
 */
function leaveAtEnd(other: OtherScreen, endsWell: boolean): () => void {
  const leave = () => other.leave();
  const die = (name: NodeJS.Signals) => {
    leave();
    process.exit(128 + constants.signals[name]);
  };
  // The first is for whoever gave `signal`, who lets things end well; a second one, and it ends here. A hangup may come twice by itself.
  let interrupts = 0;
  const interrupt = (name: NodeJS.Signals) => {
    if (interrupts++ > 0) die(name);
  };
  const killed = endsWell ? interrupt : die;
  const hungUp = endsWell ? ignore : die;
  process.on('exit', leave).on('uncaughtExceptionMonitor', leave);
  process.on('SIGTERM', killed).on('SIGHUP', hungUp).on('SIGINT', interrupt);
  return () => {
    process.off('exit', leave).off('uncaughtExceptionMonitor', leave);
    process.off('SIGTERM', killed).off('SIGHUP', hungUp).off('SIGINT', interrupt);
  };
}

/**
 * Shows the session until the user has enough. The screen is left on every way out: on return, exceptions and signals.
 * @returns whether it was interrupted by Ctrl-C
 */
export async function openTui(session: Session, terminal: Terminal): Promise<boolean> {
  const { stdin, stdout, color, endsWell = false } = terminal;
  await loadTui(color);
  const loaded = await modules();
  const other = new OtherScreen(stdout);
  other.enter();
  const takeBack = leaveAtEnd(other, endsWell);
  // The terminal is gone: a hangup comes too.
  stdin.on('error', ignore);
  try {
    return await untilQuit(session, terminal, other, loaded);
  } finally {
    other.leave();
    takeBack();
    stdin.off('error', ignore);
  }
}

/** Draws and takes keys until the user quits; whether by Ctrl-C. */
function untilQuit(
  session: Session,
  { stdin, stdout, color, signal }: Terminal,
  other: OtherScreen,
  [ink, react, { appOf }]: Awaited<ReturnType<typeof modules>>,
): Promise<boolean> {
  const App = appOf(ink, react);
  return new Promise<boolean>((resolve, reject) => {
    const screen = () => ({ columns: stdout.columns || 80, rows: Math.max(6, (stdout.rows || 24) - 1), color });
    let ended = false;
    const end = (interrupted: boolean) => {
      if (ended) return;
      ended = true;
      process.off('SIGTSTP', suspend).off('SIGCONT', goOn);
      stdout.off('resize', draw);
      signal.removeEventListener('abort', onAbort);
      instance.unmount();
      resolve(interrupted);
    };
    const copy = (text: string) => stdout.write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`);
    let redraw = () => {};
    const withRedraw = (given: () => void) => {
      redraw = given;
    };
    // To the shell and back. The whole job is stopped, as by the terminal when it is not raw.
    const suspend = () => {
      other.leave();
      stdin.setRawMode(false);
      process.off('SIGTSTP', suspend);
      process.kill(0, 'SIGTSTP');
      setTimeout(goOn, STOP_MS);
    };
    const goOn = () => {
      if (ended) return;
      // The shell has set the terminal for itself; asked for what it had, libuv would do nothing.
      stdin.setRawMode(false);
      stdin.setRawMode(true);
      process.off('SIGTSTP', suspend).on('SIGTSTP', suspend);
      other.enter();
      draw();
    };
    const tree = () => react.createElement(App, { session, screen: screen(), copy, quit: end, suspend, withRedraw });
    const onAbort = () => end(true);
    const instance = ink.render(tree(), {
      stdin,
      stdout,
      exitOnCtrlC: false,
      maxFps: FRAMES_A_SECOND,
      patchConsole: false,
      // Ink 6.8 draws one line too low with it, as soon as the screen is one line shorter than the window.
      incrementalRendering: false,
    });
    // What was drawn for another size is broken by the terminal anywhere.
    const draw = () => {
      instance.rerender(tree());
      redraw();
    };
    process.on('SIGTSTP', suspend).on('SIGCONT', goOn);
    stdout.on('resize', draw);
    signal.addEventListener('abort', onAbort, { once: true });
    // Ctrl-C while the modules were loading.
    if (signal.aborted) end(true);
    instance.waitUntilExit().then(() => end(false), reject);
  });
}
