import type { Draft, Namespace } from './device.js';
import { ContextError } from './error.js';
import { readFirewall } from './firewall.js';
import { HostContext } from './host-context.js';
import { readForwarding, readPort, readPortVlans } from './parse-bridge.js';
import { readAddresses, readCounters, readDevice } from './parse-device.js';
import { readRouting } from './parse-routes.js';
import { resolveLinks } from './resolve.js';
import { count, isDeeper, type Row, record, rows, text } from './rows.js';

/** Devices in one context at most, over all namespaces. */
export const MAX_DEVICES = 20_000;

/** Lists and objects inside each other at most: iproute2 and nft write about ten, and what writes JSON is recursive. */
const MAX_DEPTH = 100;

const FORM = 'give {"namespaces": {"<name>": {"ip -d -j link": […], …}}}';

/**
 * Reads a host context: `{"kernel": …, "namespaces": {"<name>": {"<command>": <its JSON output or null>, …}}}`.
 * Devices come from `ip -d -j link` (`ip -j addr` where that is missing), bridge ports also from
 * `bridge -d -j link`. Values of another kind than iproute2 writes are passed over.
 *
 * `"taken": "before"` says that the packets came after it, so that its counters tell nothing of them.
 *
 * @throws ContextError if it is not of this form, is nested too deeply, or holds more than {@link MAX_DEVICES} devices
 */
export function parseContext(json: unknown): HostContext {
  const root = record(json);
  if (!root) throw new ContextError('not a host context: it is not a JSON object', FORM);
  const commands = record(root.namespaces);
  if (!commands) throw new ContextError('not a host context: it has no object "namespaces"', FORM);

  if (isDeeper(json, MAX_DEPTH)) throw new ContextError('not a host context: it is nested too deeply', FORM);
  const isEarly = root.taken === 'before';
  const namespaces = new Map<string, Namespace>();
  const drafts: Draft[] = [];
  for (const [name, value] of Object.entries(commands)) {
    namespaces.set(name, readNamespace(name, record(value) ?? {}, drafts, isEarly, commands));
  }
  resolveLinks(namespaces, drafts);
  return new HostContext(namespaces);
}

function readNamespace(name: string, commands: Row, drafts: Draft[], isEarly: boolean, all: Row): Namespace {
  const devices = new Map<string, Draft>();
  const byIndex = new Map<number, Draft>();
  const masters = new Map<Draft, string>();

  const add = (row: Row): void => {
    const ifname = text(row.ifname);
    const index = count(row.ifindex);
    if (!ifname || !index || devices.has(ifname) || byIndex.has(index)) return;
    if (drafts.length >= MAX_DEVICES)
      throw new ContextError(`more than ${MAX_DEVICES} devices`, 'keep the namespaces that matter');
    const device = readDevice(name, ifname, index, row);
    devices.set(ifname, device);
    byIndex.set(index, device);
    drafts.push(device);
    const master = text(row.master);
    if (master) masters.set(device, master);
  };
  for (const row of rows(commands['ip -d -j link'])) add(row);
  for (const row of rows(commands['ip -j addr'])) {
    add(row);
    const device = devices.get(text(row.ifname) ?? '');
    if (device) device.addresses = readAddresses(row.addr_info);
  }
  for (const row of rows(commands['ip -s -j link'])) {
    const device = devices.get(text(row.ifname) ?? '');
    if (device) device.counters = readCounters(row.stats64);
  }
  for (const row of rows(commands['bridge -d -j link'])) {
    const device = devices.get(text(row.ifname) ?? '');
    if (device) readPort(device, row);
  }
  for (const [device, master] of masters) {
    device.master = devices.get(master) ?? null;
    device.masterKind ??= device.master?.kind ?? null;
  }
  readForwarding(devices, commands['bridge -j fdb']);
  readPortVlans(devices, commands['bridge -d -j vlan'] ?? commands['bridge -j vlan']);

  return {
    name,
    devices,
    byIndex,
    ...readRouting(commands),
    sysctl: readSysctl(commands.sysctl),
    ids: readIds(commands['ip -j netns list-id'], all),
    firewall: readFirewall(commands, !isEarly),
  };
}

/** iproute2 leaves out the name of what it does not know; `netdiag live` and scripts/host-context.sh give it, or null. */
function readIds(value: unknown, all: Row): Map<number, string | null> {
  const ids = new Map<number, string | null>();
  for (const row of rows(value)) {
    const nsid = count(row.nsid);
    if (nsid === null || row.name === undefined) continue;
    const name = text(row.name);
    ids.set(nsid, name !== null && Object.hasOwn(all, name) ? name : null);
  }
  return ids;
}

function readSysctl(value: unknown): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [key, setting] of Object.entries(record(value) ?? {})) {
    if (typeof setting === 'string' || typeof setting === 'number') settings.set(key, String(setting));
  }
  return settings;
}
