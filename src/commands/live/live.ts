import { setuid } from 'node:process';
import { Analyzer } from '../../analyze.js';
import { checkFilter, filtered } from '../../capture/filter/filtered.js';
import { hostFacts, ownNamespace } from '../../capture/live/host.js';
import { LiveSource } from '../../capture/live/source.js';
import { openCapture } from '../../capture/open.js';
import type { CaptureSource } from '../../capture/source.js';
import { fails, showOnly } from '../../findings/filter.js';
import type { Analysis } from '../../findings/finding.js';
import { parseContext } from '../../network/context/parse.js';
import { loadReporter } from '../../report/reporter.js';
import { reportEnding } from '../../report/text/report.js';
import { printable } from '../../wire/printable.js';
import { type AnalyzeFlags, type AnalyzeSettings, analyzeSettings } from '../analyze-settings.js';
import { UserError } from '../errors.js';
import { type CommandIo, Exit } from '../io.js';
import { writeWhole } from '../output-file.js';
import { keyboard, wantsTui } from '../tui/keyboard.js';
import type { LiveView } from '../tui/live-tui.js';
import { CaptureFile } from './capture-file.js';
import { ANY, deviceNamer, openRings } from './devices.js';
import { filterCompiler } from './filter.js';
import { flowing } from './stream.js';
import { NdjsonTeller, type Teller, TextTeller } from './teller.js';

/** The options of `live` as they were written. */
export interface LiveFlags extends AnalyzeFlags {
  netns?: string;
  count?: string;
  duration?: string;
  buffer?: string;
  snapshotLength?: string;
  promiscuous?: boolean;
  write?: string;
  ring?: string;
}

/** Milliseconds between two looks at what was found: below half a second, so that a proof is told within one. */
const TELL_MS = 400;
const MIB = 1024 * 1024;

/** `netdiag live`: captures until it is told to end, and tells findings as they come. */
export async function runLive(devices: readonly string[], flags: LiveFlags, io: CommandIo): Promise<number> {
  // The source filters, so that what is written is filtered too.
  const { filter: _, ...others } = flags;
  const settings = analyzeSettings(others, io);
  const ending = new AbortController();
  const end = () => ending.abort();
  io.signal.addEventListener('abort', end, { once: true });
  let view: LiveView | null = null;
  const note = (text: string) => {
    if (view !== null) view.note(text);
    else if (settings.look.detail !== 'quiet') io.stderr.write(`netdiag: ${printable(text)}\n`);
  };
  const { source, context, facts, file } = await prepare(devices, flags, settings, note, ending.signal);
  const analyzer = new Analyzer({ ...settings.analysis, ...context, signal: ending.signal });
  // A person at a terminal gets the full-screen view, everybody else lines.
  const keys = wantsTui(flags, io) ? keyboard() : null;
  if (keys !== null) {
    const { LiveView } = await import('../tui/live-tui.js');
    const isWritten = () => file !== null && file.failure === null;
    const atDeath = () => file?.close();
    view = new LiveView({ source, analyzer, settings, io, facts: () => facts, isWritten, end, atDeath }, keys);
  } else if (settings.progress || settings.look.detail === 'verbose')
    note(`capturing on ${source.info.name}; Ctrl-C ends it`);
  const teller = keys !== null ? null : tellerFor(settings, io);
  const tell = () => teller?.tell(shown(analyzer, settings));
  const timers = [setInterval(tell, TELL_MS)];
  const seconds = flags.duration === undefined ? null : positive('--duration', flags.duration);
  if (seconds !== null) timers.push(setTimeout(end, seconds * 1000));
  try {
    await analyzer.read(file === null ? source : file.writing(source));
    view?.captureEnded();
  } catch (error) {
    view?.close();
    await view?.closed;
    throw error;
  } finally {
    for (const timer of timers) clearInterval(timer);
    file?.close();
  }
  tell();
  await view?.closed;
  const analysis = shown(analyzer, settings);
  if (view === null) await report(analysis, settings, io);
  if (file?.failure) return Exit.Partial;
  return settings.failOn !== 'never' && fails(analysis, settings.failOn) ? Exit.Findings : Exit.Ok;
}

/** What is told at the end, or all where nothing was told before. */
async function report(analysis: Analysis, settings: AnalyzeSettings, io: CommandIo): Promise<void> {
  const text =
    settings.format === 'text' && settings.output === null
      ? reportEnding(analysis, settings.look)
      : await whole(analysis, settings);
  if (settings.output === null) io.stdout.write(text);
  else writeWhole(settings.output, text);
}

function shown(analyzer: Analyzer, { minSeverity, minConfidence }: AnalyzeSettings) {
  return showOnly(analyzer.analysis(), minSeverity, minConfidence);
}

/** The whole report, but of ndjson only its last line where findings were told before. */
async function whole(analysis: Analysis, settings: AnalyzeSettings): Promise<string> {
  const report = await loadReporter(settings.format);
  const isTold = settings.format === 'ndjson' && settings.output === null;
  return report(isTold ? { ...analysis, findings: [] } : analysis, settings.look);
}

/** Formats for documents are written once, at the end. */
function tellerFor(settings: AnalyzeSettings, io: CommandIo): Teller | null {
  if (settings.output !== null) return null;
  if (settings.format === 'ndjson') return new NdjsonTeller(io.stdout);
  return settings.format === 'text' ? new TextTeller(io.stdout, settings.look) : null;
}

/** Opens what is captured on, learns about the machine, and gives up what root was needed for. */
async function prepare(
  devices: readonly string[],
  flags: LiveFlags,
  settings: AnalyzeSettings,
  note: (text: string) => void,
  signal: AbortSignal,
) {
  if (devices.includes('-')) {
    if (devices.length > 1) throw new UserError('-', 'cannot be mixed with interfaces', 'run netdiag twice');
    if (flags.filter !== undefined) checkFilter(flags.filter);
    const stream: CaptureSource = flowing(await openCapture('-', { signal }));
    const source = flags.filter === undefined ? stream : filtered(stream, flags.filter);
    return { source, context: {}, facts: null, file: fileFor(flags, null, note) };
  }
  if (process.platform !== 'linux')
    throw new UserError('live', 'captures on Linux only', 'capture with tcpdump: tcpdump -U -w - | netdiag live -');
  const netns = flags.netns ?? null;
  const snapLength = flags.snapshotLength === undefined ? 262_144 : positive('--snapshot-length', flags.snapshotLength);
  const rings = openRings(devices, {
    netns,
    promiscuous: flags.promiscuous ?? true,
    snapLength,
    size: (flags.buffer === undefined ? 32 : positive('--buffer', flags.buffer)) * MIB,
    filterFor: filterCompiler(flags.filter, netns, snapLength),
  });
  const notes: string[] = [];
  const facts = settings.analysis.context ? null : await hostFacts(notes);
  notes.forEach(note);
  dropPrivileges(note);
  const source = new LiveSource(rings, {
    count: flags.count === undefined ? null : positive('--count', flags.count),
    nameOf: netns === null ? deviceNamer() : () => null,
    onNote: note,
  });
  const context = facts === null ? settings.analysis.context : parseContext(facts);
  const [device] = devices;
  const isOne = devices.length === 1 && device !== ANY;
  const stored = facts && { ...facts, vantage: isOne ? `${netns ?? ownNamespace()}/${device}` : null };
  return {
    source,
    context: {
      context,
      vantage: isOne ? { namespace: netns ?? ownNamespace(), interface: device } : (settings.analysis.vantage ?? null),
    },
    facts: stored,
    file: fileFor(flags, stored, note),
  };
}

function fileFor(flags: LiveFlags, facts: object | null, note: (text: string) => void): CaptureFile | null {
  if (flags.write === undefined) {
    if (flags.ring !== undefined) throw new UserError('--ring', 'needs a file', 'give it with --write <file>');
    return null;
  }
  return new CaptureFile(flags.write, flags.ring, facts, ({ subject, message, advice }) =>
    note(`${subject}: ${message}: ${advice}; the capture goes on, nothing more is written`),
  );
}

/** Root that came through sudo was needed for the sockets only; what is written from now on belongs to the user. */
function dropPrivileges(note: (text: string) => void): void {
  const { SUDO_UID, SUDO_GID } = process.env;
  if (process.getuid?.() !== 0 || !SUDO_UID || !SUDO_GID || SUDO_UID === '0') return;
  try {
    process.setgroups?.([Number(SUDO_GID)]);
    process.setgid?.(Number(SUDO_GID));
    setuid?.(Number(SUDO_UID));
  } catch {
    note('still root: the invoking user could not be taken on');
  }
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new UserError(option, `"${text}" is not a number above 0`, 'give one, such as 10');
}
