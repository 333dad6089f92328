import type { AnalyzeOptions, Vantage } from '../../analyze.js';
import { checkFilter, filtered } from '../../capture/filter/filtered.js';
import { openCap } from '../../capture/live/cap-source.js';
import { Host, type HostFacts } from '../../capture/live/host.js';
import { helperAsker, ownAsker } from '../../capture/live/host-asker.js';
import { HostWatch } from '../../capture/live/host-watch.js';
import { ownNamespace } from '../../capture/live/namespaces.js';
import { dropPrivileges, isSudo } from '../../capture/live/privileges.js';
import { LiveSource } from '../../capture/live/source.js';
import { openCapture } from '../../capture/open.js';
import { CaptureError, type CaptureSource } from '../../capture/source.js';
import type { HostContext } from '../../network/context/host-context.js';
import { parseContext } from '../../network/context/parse.js';
import { UserError } from '../errors.js';
import { CaptureFile } from './capture-file.js';
import { ANY, deviceNamer, explained, openRings } from './devices.js';
import { filterCompiler } from './filter.js';
import type { CaptureSettings } from './settings.js';
import { flowing, limited } from './stream.js';

/** What is captured, with what the machine says of itself. */
export interface Opened {
  source: CaptureSource;
  context: HostContext | null;
  vantage: Vantage | null;
  file: CaptureFile | null;
  /** Follows what changes about the machine; null where a file says how it is. */
  watch: HostWatch | null;
  /** What `context` was made of, where the machine was asked. */
  facts: HostFacts | null;
}

/**
 * Opens what is captured on, learns about the machine, and gives up what root was needed for.
 * @throws UserError or CaptureError for what cannot be
 */
export async function openLive(
  devices: readonly string[],
  settings: CaptureSettings,
  { context: given = null, vantage = null }: AnalyzeOptions,
  note: (text: string) => void,
  signal: AbortSignal,
): Promise<Opened> {
  if (devices.includes('-')) {
    const stream = flowing(await openCapture('-', { signal }));
    const { filter, count } = settings;
    const source = limited(filter === undefined ? stream : filtered(stream, filter), count);
    return { source, context: given, vantage, file: fileFor(settings, null, note), watch: null, facts: null };
  }
  const source = await openDevices(devices, settings, note);
  const notes: string[] = [];
  // It listens before the machine is asked: nothing that changes meanwhile is missed.
  const { netns } = settings;
  const watch = given || process.platform !== 'linux' ? null : watchOf(netns);
  const facts = watch && (await new Host(netns).ask(null, notes, signal));
  notes.forEach(note);
  dropPrivileges();
  const [device] = devices;
  const isOne = devices.length === 1 && device !== ANY;
  const place = isOne ? { namespace: netns ?? ownNamespace(), interface: device } : null;
  const stored = facts && { ...facts, vantage: place && `${place.namespace}/${place.interface}` };
  return {
    source,
    context: facts === null ? given : parseContext(facts),
    vantage: place ?? vantage,
    file: fileFor(settings, stored, note),
    watch,
    facts,
  };
}

function watchOf(netns: string | null): HostWatch {
  return new HostWatch(isSudo() ? helperAsker(netns) : ownAsker(netns), netns);
}

/** With the backend that was asked for; `auto` says which it took. */
async function openDevices(
  devices: readonly string[],
  settings: CaptureSettings,
  note: (text: string) => void,
): Promise<CaptureSource> {
  const { backend = 'auto' } = settings;
  const took = (name: string) => {
    if (settings.backend === 'auto' || settings.verbose) note(`backend ${name}`);
  };
  if (backend === 'cap' || (backend === 'auto' && process.platform !== 'linux')) {
    const source = await openWithCap(devices, settings, note);
    took('cap');
    return source;
  }
  try {
    const source = openWithRings(devices, settings, note);
    took('ring (AF_PACKET)');
    return source;
  } catch (error) {
    // What is told to the user is not better with the other.
    if (backend === 'ring' || error instanceof UserError || error instanceof CaptureError) throw error;
    note(`backend ring cannot be used here (${error instanceof Error ? error.message : error})`);
    const source = await openWithCap(devices, settings, note);
    took('cap');
    return source;
  }
}

function openWithRings(
  devices: readonly string[],
  { filter, netns, count, buffer, snapLength, promiscuous }: CaptureSettings,
  note: (text: string) => void,
): CaptureSource {
  if (process.platform !== 'linux')
    throw new UserError(
      '--backend ring',
      'is for Linux only',
      'give --backend cap, or: tcpdump -U -w - | netdiag live -',
    );
  const filterFor = filterCompiler(filter, netns, snapLength);
  const rings = openRings(devices, { netns, promiscuous, snapLength, size: buffer, filterFor });
  return new LiveSource(rings, { count, nameOf: netns === null ? deviceNamer() : () => null, onNote: note });
}

async function openWithCap(
  [device, ...others]: readonly string[],
  { filter = '', netns, count, buffer }: CaptureSettings,
  onNote: (text: string) => void,
): Promise<CaptureSource> {
  if (others.length > 0) throw new UserError('--backend cap', 'captures on one interface only', 'run netdiag twice');
  if (filter !== '') checkFilter(filter);
  try {
    return limited(flowing(await openCap({ device, netns, filter, size: buffer, onNote })), count);
  } catch (error) {
    throw explained(device, netns, error);
  }
}

function fileFor(
  { write, ring }: CaptureSettings,
  facts: (HostFacts & { vantage: string | null }) | null,
  note: (text: string) => void,
): CaptureFile | null {
  if (write === null) return null;
  return new CaptureFile(write, ring, facts, ({ subject, message, advice }) =>
    note(`${subject}: ${message}: ${advice}; the capture goes on, nothing more is written`),
  );
}
