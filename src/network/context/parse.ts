import { type Ip, type Mac, macKey, parseIp, readMac } from './address.js';
import type {
  Counters,
  Device,
  DeviceAddress,
  Draft,
  Link,
  Namespace,
  Neighbour,
  PortVlan,
  Route,
  Vlan,
  Vxlan,
  VxlanEntry,
} from './device.js';
import { ContextError } from './error.js';
import { readFirewall } from './firewall.js';
import { HostContext } from './host-context.js';
import { readRules } from './policy.js';
import { resolveLinks } from './resolve.js';
import { count, flag, isDeeper, type Row, record, rows, text, texts } from './rows.js';

/** Devices in one context at most, over all namespaces. */
export const MAX_DEVICES = 20_000;

/** Lists and objects inside each other at most: iproute2 and nft write about ten, and what writes JSON is recursive. */
const MAX_DEPTH = 100;

/** Highest VLAN id (IEEE 802.1Q: 12 bits, 4095 reserved). */
const MAX_VLAN = 4094;

const FORM = 'give {"namespaces": {"<name>": {"ip -d -j link": […], …}}}';

const FAMILIES = [4, 6] as const;
/** Metric of routes that were given none (kernel: IP6_RT_PRIO_USER in include/uapi/linux/ipv6_route.h). */
const OWN_METRIC = { 4: 0, 6: 1024 } as const;
/** The command that prints the main routing table of a family. */
const ROUTES = { 4: 'ip -j route', 6: 'ip -6 -j route' } as const;

/** Those that print all tables, and the rules that choose one. */
const ALL_ROUTES = { 4: 'ip -j route show table all', 6: 'ip -6 -j route show table all' } as const;
const RULES = { 4: 'ip -j rule', 6: 'ip -6 -j rule' } as const;

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
  return new HostContext(text(root.kernel), namespaces);
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
    routes: [...readRoutes(4, commands[ROUTES[4]]), ...readRoutes(6, commands[ROUTES[6]])],
    tables: readTables(commands),
    tableFamilies: FAMILIES.filter((family) => Array.isArray(commands[ALL_ROUTES[family]])),
    rules: FAMILIES.flatMap((family) => [...readRules(family, commands[RULES[family]])]).sort(
      (a, b) => a.priority - b.priority,
    ),
    routeFamilies: FAMILIES.filter((family) => Array.isArray(commands[ROUTES[family]])),
    neighbours: [...readNeighbours(commands['ip -j neigh']), ...readNeighbours(commands['ip -6 -j neigh'])],
    sysctl: readSysctl(commands.sysctl),
    ids: readIds(commands['ip -j netns list-id'], all),
    firewall: readFirewall(commands, !isEarly),
  };
}

function readDevice(namespace: string, name: string, index: number, row: Row): Draft {
  const info = record(row.linkinfo);
  const data = record(info?.info_data) ?? {};
  const kind = text(info?.info_kind);
  const flags = texts(row.flags);
  const device: Draft = {
    namespace,
    name,
    index,
    mac: mac(row.address),
    loopback: flags.includes('LOOPBACK'),
    kind,
    mode: text(data.mode),
    flag: kind === 'ipvlan' || kind === 'ipvtap' ? ipvlanFlag(data) : null,
    up: flags.includes('UP'),
    operstate: text(row.operstate),
    noCarrier: flags.includes('NO-CARRIER'),
    mtu: count(row.mtu),
    counters: null,
    addresses: [],
    link: readLink(row),
    parent: null,
    peer: null,
    master: null,
    masterKind: text(info?.info_slave_kind),
    hairpin: null,
    isolated: null,
    state: null,
    multicastFlood: null,
    broadcastFlood: null,
    neighSuppress: null,
    flood: null,
    learning: null,
    locked: null,
    multicastSnooping: kind === 'bridge' ? bit(data.mcast_snooping) : null,
    multicastQuerier: kind === 'bridge' ? bit(data.mcast_querier) : null,
    vlanFiltering: kind === 'bridge' ? bit(data.vlan_filtering) : null,
    portVlans: null,
    vxlan: kind === 'vxlan' ? readVxlan(data) : null,
    endpoints: null,
    vlan: kind === 'vlan' ? readVlan(data) : null,
    filter: new Set(),
    learned: new Set(),
    learnedVlans: new Map(),
  };
  if (device.masterKind === 'bridge') readPort(device, record(info?.info_slave_data) ?? {});
  return device;
}

/** A setting that iproute2 writes as 0 or 1. */
function bit(value: unknown): boolean | null {
  const number = count(value);
  return number === null ? null : number !== 0;
}

function ipvlanFlag(data: Row): Device['flag'] {
  if (data.private === true) return 'private';
  if (data.vepa === true) return 'vepa';
  return data.bridge === true ? 'bridge' : null;
}

/** iproute2 writes `link`, a name, for this namespace, and `link_index` for another (ip/ipaddress.c). */
function readLink(row: Row): Link | null {
  const name = text(row.link);
  const index = count(row.link_index) || null;
  if (!name && !index) return null;
  return { index, name, netnsid: name ? null : count(row.link_netnsid), device: null, found: null, candidates: [] };
}

function readVxlan(data: Row): Vxlan | null {
  const id = count(data.id);
  if (id === null) return null;
  return {
    id,
    port: count(data.port),
    local: ip(data.local) ?? ip(data.local6),
    remote: ip(data.remote) ?? ip(data.remote6),
    group: ip(data.group) ?? ip(data.group6),
    learning: flag(data.learning),
    gbp: data.gbp === true,
    gpe: data.gpe === true,
    link: text(data.link),
  };
}

function readVlan(data: Row): Vlan | null {
  const id = count(data.id);
  return id === null ? null : { id, protocol: text(data.protocol) };
}

function readPort(device: Draft, row: Row): void {
  device.hairpin ??= flag(row.hairpin);
  device.isolated ??= flag(row.isolated);
  device.state ??= text(row.state);
  device.multicastFlood ??= flag(row.mcast_flood);
  device.broadcastFlood ??= flag(row.bcast_flood);
  device.neighSuppress ??= flag(row.neigh_suppress);
  device.flood ??= flag(row.flood);
  device.learning ??= flag(row.learning);
  device.locked ??= flag(row.locked);
}

function readCounters(value: unknown): Counters | null {
  const rx = record(record(value)?.rx);
  const tx = record(record(value)?.tx);
  const counters = [rx?.packets, rx?.bytes, tx?.packets, tx?.bytes];
  if (!counters.every((each) => typeof each === 'number')) return null;
  const [rxPackets, rxBytes, txPackets, txBytes] = counters;
  return { rxPackets, rxBytes, txPackets, txBytes };
}

function readAddresses(value: unknown): DeviceAddress[] {
  const addresses: DeviceAddress[] = [];
  for (const row of rows(value)) {
    const address = ip(row.local);
    const prefixLength = count(row.prefixlen);
    if (address && prefixLength !== null)
      addresses.push({ ...address, prefixLength, ...(row.dadfailed === true ? { dadFailed: true } : {}) });
  }
  return addresses;
}

/**
 * Own filter entries (`self`, no remote address) tell which children receive here; entries that a bridge holds
 * for its port and that are not permanent were learned from frames. One that is `locked` waits to be let in (`mab`).
 */
function readForwarding(devices: ReadonlyMap<string, Draft>, value: unknown): void {
  if (Array.isArray(value)) for (const device of devices.values()) if (device.vxlan) device.endpoints = [];
  for (const row of rows(value)) {
    const device = devices.get(text(row.ifname) ?? '');
    const address = mac(row.mac);
    const dst = ip(row.dst);
    if (device?.vxlan && address && dst)
      (device.endpoints as VxlanEntry[]).push({ mac: macKey(address.hi, address.lo), dst, via: text(row.viaIf) });
    if (!device || !address || row.dst !== undefined || address.hi & 0x0100) continue;
    const permanent = row.state === 'permanent';
    if (permanent && texts(row.flags).includes('self')) {
      (device.filter as Set<number>).add(macKey(address.hi, address.lo));
    } else if (!permanent && text(row.master) && !texts(row.flags).includes('locked')) {
      (device.learned as Set<number>).add(macKey(address.hi, address.lo));
      const vlan = count(row.vlan);
      if (vlan !== null) (device.learnedVlans as Map<number, number>).set(macKey(address.hi, address.lo), vlan);
    }
  }
}

/** VLANs of bridge ports, single or as ranges up to `vlanEnd` (iproute2, bridge/vlan.c). */
function readPortVlans(devices: ReadonlyMap<string, Draft>, value: unknown): void {
  for (const row of rows(value)) {
    const device = devices.get(text(row.ifname) ?? '');
    if (!device) continue;
    const vlans = new Map<number, PortVlan>();
    for (const each of rows(row.vlans)) {
      const first = count(each.vlan);
      if (first === null) continue;
      const names = texts(each.flags);
      const how = { pvid: names.includes('PVID'), untagged: names.includes('Egress Untagged') };
      const last = Math.min(count(each.vlanEnd) ?? first, MAX_VLAN);
      for (let vlan = first; vlan <= last; vlan++) vlans.set(vlan, how);
    }
    device.portVlans = vlans;
  }
}

function* readRoutes(family: 4 | 6, value: unknown): Generator<Route> {
  for (const row of rows(value)) {
    const dst = text(row.dst);
    // What leads over a link that is down is kept, and not used.
    if (!dst || texts(row.flags).includes('dead')) continue;
    const type = text(row.type) ?? 'unicast';
    const metric = count(row.metric) ?? OWN_METRIC[family];
    yield { family, dst, gateway: ip(row.gateway), dev: text(row.dev), prefsrc: ip(row.prefsrc), type, metric };
  }
}

/** Rows of the main table name none. */
function readTables(commands: Row): Map<string, Route[]> {
  const tables = new Map<string, Route[]>();
  for (const family of FAMILIES)
    for (const row of rows(commands[ALL_ROUTES[family]])) {
      const name = text(row.table);
      if (name === null || name === 'local') continue;
      const table = tables.get(name) ?? [];
      tables.set(name, table);
      table.push(...readRoutes(family, [row]));
    }
  return tables;
}

function* readNeighbours(value: unknown): Generator<Neighbour> {
  for (const row of rows(value)) {
    const dst = ip(row.dst);
    if (dst) yield { dst, dev: text(row.dev), lladdr: mac(row.lladdr), state: texts(row.state) };
  }
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

function mac(value: unknown): Mac | null {
  return typeof value === 'string' ? readMac(value) : null;
}

function ip(value: unknown): Ip | null {
  return typeof value === 'string' ? parseIp(value) : null;
}
