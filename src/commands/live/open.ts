import type { AnalyzeOptions, Vantage } from '../../analyze.js';
import { checkFilter, filtered } from '../../capture/filter/filtered.js';
import { openCap } from '../../capture/live/cap-source.js';
import { type HostFacts, hostFacts, ownNamespace } from '../../capture/live/host.js';
import { helperAsker, ownAsker } from '../../capture/live/host-asker.js';
import { HostWatch } from '../../capture/live/host-watch.js';
import { dropPrivileges, isSudo } from '../../capture/live/privileges.js';
import { LiveSource } from '../../capture/live/source.js';
import { openCapture } from '../../capture/open.js';
import { CaptureError, type CaptureSource } from '../../capture/source.js';
import type { HostContext } from '../../network/context/host-context.js';
import { parseContext } from '../../network/context/parse.js';
import { oneOf } from '../arguments.js';
import { UserError } from '../errors.js';
import { CaptureFile } from './capture-file.js';
import { ANY, deviceNamer, openRings } from './devices.js';
import { filterCompiler } from './filter.js';
import type { LiveFlags } from './live.js';
import { positive } from './number.js';
import { flowing, limited } from './stream.js';

/** What `live` captures with. */
const BACKENDS = ['auto', 'ring', 'cap'] as const;
const MIB = 1024 * 1024;

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
  flags: LiveFlags,
  { context: given = null, vantage = null }: AnalyzeOptions,
  note: (text: string) => void,
  signal: AbortSignal,
): Promise<Opened> {
  const count = flags.count === undefined ? null : positive('--count', flags.count);
  if (devices.includes('-')) {
    if (devices.length > 1) throw new UserError('-', 'cannot be mixed with interfaces', 'run netdiag twice');
    if (flags.filter !== undefined) checkFilter(flags.filter);
    const stream = flowing(await openCapture('-', { signal }));
    const source = limited(flags.filter === undefined ? stream : filtered(stream, flags.filter), count);
    return { source, context: given, vantage, file: fileFor(flags, null, note), watch: null, facts: null };
  }
  const source = await openDevices(devices, flags, count, note);
  const notes: string[] = [];
  // It listens before the machine is asked: nothing that changes meanwhile is missed.
  const watch = given || process.platform !== 'linux' ? null : new HostWatch(isSudo() ? helperAsker() : ownAsker());
  const facts = watch && (await hostFacts(notes));
  notes.forEach(note);
  dropPrivileges();
  const [device] = devices;
  const isOne = devices.length === 1 && device !== ANY;
  const place = isOne ? { namespace: flags.netns ?? ownNamespace(), interface: device } : null;
  const stored = facts && { ...facts, vantage: place && `${place.namespace}/${place.interface}` };
  return {
    source,
    context: facts === null ? given : parseContext(facts),
    vantage: place ?? vantage,
    file: fileFor(flags, stored, note),
    watch,
    facts,
  };
}

/** With the backend that was asked for; `auto` says which it took. */
async function openDevices(
  devices: readonly string[],
  flags: LiveFlags,
  count: number | null,
  note: (text: string) => void,
): Promise<CaptureSource> {
  const backend = oneOf('--backend', flags.backend ?? 'auto', BACKENDS);
  const took = (name: string) => {
    if (flags.backend === 'auto' || flags.verbose) note(`backend ${name}`);
  };
  const size = (flags.buffer === undefined ? 32 : positive('--buffer', flags.buffer)) * MIB;
  if (backend === 'cap' || (backend === 'auto' && process.platform !== 'linux')) {
    const source = await openWithCap(devices, flags, count, size, note);
    took('cap');
    return source;
  }
  try {
    const source = openWithRings(devices, flags, count, size, note);
    took('ring (AF_PACKET)');
    return source;
  } catch (error) {
    // What is told to the user is not better with the other.
    if (backend === 'ring' || error instanceof UserError || error instanceof CaptureError) throw error;
    note(`backend ring cannot be used here (${error instanceof Error ? error.message : error})`);
    const source = await openWithCap(devices, flags, count, size, note);
    took('cap');
    return source;
  }
}

function openWithRings(
  devices: readonly string[],
  flags: LiveFlags,
  count: number | null,
  size: number,
  note: (text: string) => void,
): CaptureSource {
  if (process.platform !== 'linux')
    throw new UserError(
      '--backend ring',
      'is for Linux only',
      'give --backend cap, or: tcpdump -U -w - | netdiag live -',
    );
  const netns = flags.netns ?? null;
  const snapLength = flags.snapshotLength === undefined ? 262_144 : positive('--snapshot-length', flags.snapshotLength);
  const rings = openRings(devices, {
    netns,
    promiscuous: flags.promiscuous ?? true,
    snapLength,
    size,
    filterFor: filterCompiler(flags.filter, netns, snapLength),
  });
  return new LiveSource(rings, { count, nameOf: netns === null ? deviceNamer() : () => null, onNote: note });
}

async function openWithCap(
  [device, ...others]: readonly string[],
  { filter = '', netns }: LiveFlags,
  count: number | null,
  size: number,
  onNote: (text: string) => void,
): Promise<CaptureSource> {
  if (others.length > 0) throw new UserError('--backend cap', 'captures on one interface only', 'run netdiag twice');
  if (filter !== '') checkFilter(filter);
  return limited(flowing(await openCap({ device, netns: netns ?? null, filter, size, onNote })), count);
}

function fileFor(
  flags: LiveFlags,
  facts: (HostFacts & { vantage: string | null }) | null,
  note: (text: string) => void,
): CaptureFile | null {
  if (flags.write === undefined) {
    if (flags.ring !== undefined) throw new UserError('--ring', 'needs a file', 'give it with --write <file>');
    return null;
  }
  return new CaptureFile(flags.write, flags.ring, facts, ({ subject, message, advice }) =>
    note(`${subject}: ${message}: ${advice}; the capture goes on, nothing more is written`),
  );
}
