import type { ReadStream, WriteStream } from 'node:tty';
import type { Analyzer } from '../../analyze.js';
import { isReadableAgain, openCapture } from '../../capture/open.js';
import { CaptureError } from '../../capture/source.js';
import { showOnly } from '../../findings/filter.js';
import { pathPicture } from '../../findings/topology/path.js';
import { loadTui, openTui } from '../../tui/open.js';
import type { Session } from '../../tui/session.js';
import { printable } from '../../wire/printable.js';
import type { AnalyzeSettings } from '../analyze-settings.js';
import type { CommandIo } from '../io.js';
import { exporter, FilesOfView } from './export.js';
import { ReadingStatus } from './reading.js';
import { Shelves } from './shelves.js';

/** How the view ended, for the exit status. */
export interface TuiEnd {
  readonly interrupted: boolean;
  /** What could not be read at all: told when the screen is restored. */
  readonly errors: readonly CaptureError[];
}

/** Milliseconds that the reading leaves to a key and what it draws. */
const KEY_MS = 30;

/** Reads the captures in the background and shows what is found until the user quits. */
export async function analyzeInTui(
  inputs: readonly string[],
  analyzer: Analyzer,
  settings: AnalyzeSettings,
  io: CommandIo,
  keys: ReadStream,
  stopReading: AbortController,
): Promise<TuiEnd> {
  await loadTui(settings.look.color);
  const status = new ReadingStatus();
  const frames = new Shelves(settings.analysis.vxlanPorts);
  const analysis = () => showOnly(analyzer.analysis(), settings.minSeverity, settings.minConfidence);
  const session: Session = {
    analysis,
    picture: (finding) =>
      pathPicture(finding, settings.analysis.several === true ? null : (settings.analysis.context ?? null)),
    get status() {
      return status.get();
    },
    frames,
    onKey: () => frames.rest(KEY_MS),
    export: exporter(analysis, new FilesOfView(io.cwd, inputs)),
  };
  let begin = (_isOpen: boolean) => {};
  const isOpen = new Promise<boolean>((resolve) => {
    begin = resolve;
  });
  const reading = readAll(inputs, analyzer, status, frames, stopReading.signal, begin);
  // A fault of ours in the background must end the view, not stay unseen behind it.
  const failed = reading.then(() => new Promise<never>(() => {}));
  try {
    // A file opens at once or never. Where none does, the view would have nothing to show; a stream may be waited for in it.
    const canOpen = !inputs.every(isReadableAgain) || (await Promise.race([isOpen, failed]));
    if (!canOpen) return { interrupted: false, errors: await reading };
    const stdout = process.stdout as WriteStream;
    const open = openTui(session, { stdin: keys, stdout, color: settings.look.color, signal: io.signal });
    const interrupted = await Promise.race([open, failed]);
    stopReading.abort();
    return { interrupted, errors: await reading };
  } finally {
    stopReading.abort();
    frames.close();
    keys.pause();
    if (keys !== process.stdin) keys.destroy();
  }
}

async function readAll(
  inputs: readonly string[],
  analyzer: Analyzer,
  status: ReadingStatus,
  frames: Shelves,
  signal: AbortSignal,
  begin: (isOpen: boolean) => void,
): Promise<CaptureError[]> {
  const errors: CaptureError[] = [];
  for (const input of inputs) {
    if (signal.aborted) break;
    try {
      const source = await openCapture(input, { signal });
      status.begin(source);
      begin(true);
      await analyzer.read(frames.watch(source));
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      if (signal.aborted) break;
      frames.forgetLast();
      errors.push(error);
    }
  }
  begin(false);
  status.end(errors.map(({ input, message }) => printable(`${input}: ${message}`)).join('; '));
  return errors;
}
