import { readdirSync, readFileSync, statSync } from 'node:fs';
import { NETNS_FOLDER, namespacePath } from './namespace.js';

/** A network namespace of this machine. */
interface NamedNamespace {
  /**
   * As `ip netns` knows it; `<program>/<pid>` of its oldest process, or the path of its file, where `ip netns` does not
   * know it: containers of Docker, LXC and systemd.
   */
  readonly name: string;
  /** Of the namespace itself (nsfs). */
  readonly inode: number;
}

export interface Namespaces {
  /** What the namespace of this process is called. */
  readonly own: string;
  /** The others, at most {@link MAX_NAMESPACES}. */
  readonly others: readonly NamedNamespace[];
  /** Others that are there beyond the bound. */
  readonly left: number;
}

/** Namespaces asked at most: each costs a dozen processes. */
const MAX_NAMESPACES = 256;
/** Processes looked at, at most, for the namespaces that only they show. */
const MAX_PROCESSES = 50_000;

/** What a host context calls the namespace that the program runs in, and what where another one has that name. */
const HOST = 'host';
const OTHER_HOST = 'this-host';
/** Where Docker keeps the files of its namespaces: those of overlay networks have no process. */
const DOCKER_FOLDER = '/run/docker/netns';

/**
 * The namespaces of this machine: first the one that is captured in, then those that `ip netns` names, and those of
 * containers as far as this process may look into them. Each once.
 * @param captured its name, null for the own one
 */
export function machineNamespaces(captured: string | null): Namespaces {
  const named = namesIn(NETNS_FOLDER);
  const ownInode = inodeOf('/proc/self/ns/net');
  const others = new Map<number, string>();
  let own = named.includes(HOST) ? OTHER_HOST : HOST;
  const add = (name: string): void => {
    const inode = inodeOf(namespacePath(name));
    if (inode === 0) return;
    if (inode === ownInode) {
      if (named.includes(name)) own = name;
    } else if (!others.has(inode)) others.set(inode, name);
  };
  if (captured !== null) add(captured);
  named.forEach(add);
  for (const [inode, name] of namespacesOfProcesses())
    if (inode !== ownInode && !others.has(inode)) others.set(inode, name);
  for (const name of namesIn(DOCKER_FOLDER)) add(`${DOCKER_FOLDER}/${name}`);
  const all = [...others].map(([inode, name]) => ({ name, inode }));
  return { own, others: all.slice(0, MAX_NAMESPACES), left: Math.max(0, all.length - MAX_NAMESPACES) };
}

/** What the namespace of this process is called: its name under /run/netns, or `host` where it has none there. */
export function ownNamespace(): string {
  return machineNamespaces(null).own;
}

/** Whether `ip netns` knows a namespace by this name. */
export function isNamed(name: string): boolean {
  return !name.includes('/');
}

/** By the inode of its namespace, the oldest process in it; only those that may be looked at. */
function namespacesOfProcesses(): Map<number, string> {
  const found = new Map<number, string>();
  const pids = namesIn('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
    .sort((a, b) => a - b)
    .slice(0, MAX_PROCESSES);
  for (const pid of pids) {
    const inode = inodeOf(`/proc/${pid}/ns/net`);
    if (inode !== 0 && !found.has(inode)) found.set(inode, `${programOf(pid)}/${pid}`);
  }
  return found;
}

/** The name of a process (proc(5), comm), in letters that a shell takes as they are. */
function programOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').replace(/[^\w.-]/g, '') || 'process';
  } catch {
    return 'process';
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** 0 where there is none, or it may not be looked at. */
function inodeOf(path: string): number {
  try {
    return statSync(path).ino;
  } catch {
    return 0;
  }
}
