import type { ReadStream, WriteStream } from 'node:tty';
import type { Analyzer } from '../../analyze.js';
import type { CaptureSource } from '../../capture/source.js';
import { showOnly } from '../../findings/filter.js';
import type { Analysis, Finding } from '../../findings/finding.js';
import { pathPicture } from '../../findings/topology/path.js';
import type { HostContext } from '../../network/context/host-context.js';
import { parseContext } from '../../network/context/parse.js';
import { counted } from '../../report/text/words.js';
import { openTui } from '../../tui/open.js';
import type { LiveControls, LiveNote, Session, Status } from '../../tui/session.js';
import { printable } from '../../wire/printable.js';
import type { AnalyzeSettings } from '../analyze-settings.js';
import type { CommandIo } from '../io.js';
import { sectionWith } from '../section.js';
import { exporter, FilesOfView } from './export.js';
import { RingShelf } from './ring-shelf.js';
import { Shelves } from './shelves.js';

/** Notes kept at most. */
const NOTES = 100;

export interface LiveRun {
  readonly source: CaptureSource;
  readonly analyzer: Analyzer;
  readonly settings: AnalyzeSettings;
  readonly io: CommandIo;
  /** What the machine knows of itself, for the file that the user saves; null if nothing. */
  readonly facts: () => object | null;
  /** Whether everything is written into a file anyway. */
  readonly isWritten: () => boolean;
  /** Files that this run writes, or has read. */
  readonly taken: readonly string[];
  /** Ends the capture. */
  readonly end: () => void;
  /** What must be done before the program dies of a signal; synchronous. */
  readonly atDeath: () => void;
}

/** A live capture in the full-screen view: shows what is found until the user quits, which ends the capture. */
export class LiveView implements Session {
  readonly frames: Shelves;
  readonly live: LiveControls;
  readonly export: (file: string) => Promise<string>;
  readonly #run: LiveRun;
  readonly #files: FilesOfView;
  readonly #ring = new RingShelf();
  readonly #notes: LiveNote[] = [];
  readonly #closing = new AbortController();
  readonly #began = performance.now();
  #ended: number | null = null;
  #paused = false;
  /** What the machine said, and what was read in it. */
  #facts: object | null = null;
  #context: HostContext | null = null;
  #frozen: Analysis | null = null;
  /** Settles when the user has quit, or the view failed. */
  readonly closed: Promise<void>;

  constructor(run: LiveRun, keys: ReadStream) {
    this.#run = run;
    this.frames = new Shelves(run.settings.analysis.vxlanPorts);
    this.frames.watch(run.source, this.#ring);
    this.#files = new FilesOfView(run.io.cwd, run.taken);
    this.export = exporter(() => this.analysis(), this.#files);
    this.live = this.#controls();
    this.closed = this.#open(keys);
    // Whoever waits for it is told of its failure; until then it must not end the program.
    this.closed.catch(() => {});
  }

  analysis(): Analysis {
    return this.#frozen ?? this.#now();
  }

  picture(finding: Finding): string[] {
    const facts = this.#run.facts();
    if (facts !== this.#facts) this.#context = facts === null ? null : parseContext(facts);
    this.#facts = facts;
    return pathPicture(finding, this.#context ?? this.#run.settings.analysis.context ?? null);
  }

  get status(): Status {
    const seconds = Math.floor(((this.#ended ?? performance.now()) - this.#began) / 1000);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    return this.#ended === null ? { state: 'reading', text: `live ${time}` } : { state: 'done', text: `ended ${time}` };
  }

  /** Something happened to the devices or the machine. */
  note(text: string): void {
    this.#notes.push({ time: new Date().toISOString(), text: printable(text) });
    if (this.#notes.length > NOTES) this.#notes.shift();
  }

  /** The capture has ended: what is there can still be looked at. */
  captureEnded(): void {
    this.#ended = performance.now();
  }

  /** Closes the view, whatever the user does. */
  close(): void {
    this.#closing.abort();
  }

  async #open(keys: ReadStream): Promise<void> {
    const { settings, io, end, atDeath } = this.#run;
    const close = () => this.close();
    io.signal.addEventListener('abort', close, { once: true });
    process.once('exit', atDeath);
    const stdout = process.stdout as WriteStream;
    try {
      const { color } = settings.look;
      await openTui(this, { stdin: keys, stdout, color, signal: this.#closing.signal, endsWell: true });
    } finally {
      process.off('exit', atDeath);
      io.signal.removeEventListener('abort', close);
      end();
      keys.pause();
      if (keys !== process.stdin) keys.destroy();
    }
  }

  #now(): Analysis {
    const { analyzer, settings } = this.#run;
    return showOnly(analyzer.analysis(), settings.minSeverity, settings.minConfidence);
  }

  #controls(): LiveControls {
    const isPaused = () => this.#paused;
    const { source, isWritten } = this.#run;
    const ring = this.#ring;
    return {
      notes: this.#notes,
      get paused() {
        return isPaused();
      },
      get dropped() {
        return source.info.dropped;
      },
      get unsaved() {
        return ring.unsaved && !isWritten();
      },
      pause: () => {
        this.#frozen = this.#now();
        this.#paused = true;
        ring.freeze();
      },
      resume: () => {
        this.#frozen = null;
        this.#paused = false;
        ring.thaw();
      },
      save: (file) => this.#save(file),
    };
  }

  async #save(file: string): Promise<string> {
    const { source, facts } = this.#run;
    const ring = this.#ring;
    const { seen, count } = ring;
    const wrote = this.#files.write(file, ring.pcapng(sectionWith(facts()), source.info));
    ring.noteSaved();
    const which = seen > count ? `, of ${counted(seen, 'frame')}` : '';
    return `${wrote}: ${counted(count, 'frame')}${which}`;
  }
}
