import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { NETNS_FOLDER } from './namespace.js';

const run = promisify(execFile);

/** What the machine says of itself, in the form of `--context`; a command that is missing or failed is null. */
export interface HostFacts {
  kernel: string;
  namespaces: Record<string, Record<string, unknown>>;
}

/** What a host context calls the namespace that the program runs in. */
const HOST = 'host';
/** A command that takes longer is given up: the capture is waiting. */
const PATIENCE_MS = 3000;
const MOST_OUTPUT = 64 * 1024 * 1024;
/** Namespaces asked at most: each costs a dozen commands. */
export const MAX_NAMESPACES = 64;

/** The name under which a context knows a command's output, and the command. */
const COMMANDS: readonly (readonly string[])[] = [
  ['ip', '-d', '-j', 'link'],
  ['ip', '-s', '-j', 'link'],
  ['ip', '-j', 'addr'],
  ['ip', '-j', 'route'],
  ['ip', '-6', '-j', 'route'],
  ['ip', '-j', 'neigh'],
  ['ip', '-6', '-j', 'neigh'],
  ['bridge', '-d', '-j', 'link'],
  ['bridge', '-j', 'fdb'],
  ['bridge', '-d', '-j', 'vlan'],
  ['nft', '-j', 'list', 'ruleset'],
];

/** Settings that decide what becomes of a packet (kernel: Documentation/networking/ip-sysctl.rst). */
const SYSCTLS =
  '^net\\.(ipv4\\.(ip_forward|conf\\..*\\.(rp_filter|arp_ignore|arp_filter|arp_announce|arp_notify|arp_accept|proxy_arp|proxy_arp_pvlan|forwarding|accept_redirects|send_redirects|accept_local|log_martians))|ipv6\\.conf\\..*\\.(forwarding|disable_ipv6|accept_ra|accept_dad|enhanced_dad)|bridge\\..*)$';

/**
 * Asks the machine: devices, addresses, routes, neighbours, bridge ports and settings, in this namespace and in
 * those that `ip netns` names. What may not be asked is left out; nothing throws.
 * @param notes gets a line for each command that does not exist here
 */
export async function hostFacts(notes: string[] = []): Promise<HostFacts> {
  const own = ownNamespace();
  const named = netnsNames()
    .slice(0, MAX_NAMESPACES)
    .filter((name) => name !== own);
  const facts: HostFacts = { kernel: release(), namespaces: {} };
  const missing = new Set<string>();
  facts.namespaces[own] = await askAll([], missing);
  for (const name of named) {
    const answers = await askAll(['ip', 'netns', 'exec', name], missing);
    if (Object.values(answers).some((answer) => answer !== null)) facts.namespaces[name] = answers;
  }
  for (const command of missing) notes.push(`${command} is not installed: what it tells of this machine is not known`);
  return facts;
}

interface LinkRow {
  ifindex?: unknown;
  ifname?: unknown;
  address?: unknown;
  linkinfo?: { info_kind?: unknown };
}

const linkRows = (value: unknown): LinkRow[] => (Array.isArray(value) ? value : []);
const identity = ({ ifindex, ifname, address }: LinkRow) => `${ifindex} ${ifname} ${address}`;

/**
 * `now` with the counters of veth devices as `before` has them. The two ends of a pair are known by equal counters; while
 * traffic flows they are read at different moments and differ, which would make known pairs unknown again.
 */
export function withSteadyPairs(before: HostFacts, now: HostFacts): HostFacts {
  const namespaces = Object.entries(now.namespaces).map(([name, answers]) => {
    const pairs = new Set(
      linkRows(answers['ip -d -j link'])
        .filter(({ linkinfo }) => linkinfo?.info_kind === 'veth')
        .map(identity),
    );
    const old = new Map(linkRows(before.namespaces[name]?.['ip -s -j link']).map((row) => [identity(row), row]));
    const counted = answers['ip -s -j link'];
    const steady = Array.isArray(counted)
      ? counted.map((row: LinkRow) => (pairs.has(identity(row)) && old.get(identity(row))) || row)
      : counted;
    return [name, { ...answers, 'ip -s -j link': steady }] as const;
  });
  return { ...now, namespaces: Object.fromEntries(namespaces) };
}

/** What its own namespace is called where another one has taken the name `host`. */
const OTHER_HOST = 'this-host';

/** The namespace that the program runs in, by its name under /run/netns, or `host` where it has none there. */
export function ownNamespace(): string {
  try {
    const { ino, dev } = statSync('/proc/self/ns/net');
    const isOwn = (name: string) => {
      const there = statSync(`${NETNS_FOLDER}/${name}`);
      return there.ino === ino && there.dev === dev;
    };
    const names = netnsNames();
    return names.find(isOwn) ?? (names.includes(HOST) ? OTHER_HOST : HOST);
  } catch {
    return HOST;
  }
}

/** Names under /run/netns. */
export function netnsNames(): string[] {
  try {
    return readdirSync(NETNS_FOLDER).sort();
  } catch {
    return [];
  }
}

async function askAll(prefix: readonly string[], missing: Set<string>): Promise<Record<string, unknown>> {
  const answers = await Promise.all(
    COMMANDS.map(async (command) => [command.join(' '), await askJson([...prefix, ...command], missing)] as const),
  );
  return { ...Object.fromEntries(answers), sysctl: await askSettings(prefix) };
}

/** The command's JSON; an empty list where it prints nothing. */
async function askJson(command: readonly string[], missing: Set<string>): Promise<unknown> {
  const output = await ask(command, missing);
  if (output === null) return null;
  try {
    return output.trim() === '' ? [] : JSON.parse(output);
  } catch {
    return null;
  }
}

async function askSettings(prefix: readonly string[]): Promise<Record<string, string> | null> {
  const output = await ask([...prefix, 'sysctl', '-a', '--pattern', SYSCTLS], new Set());
  if (output === null) return null;
  const settings: Record<string, string> = {};
  for (const line of output.split('\n')) {
    const [key, value] = line.split(' = ');
    if (value !== undefined) settings[key] = value;
  }
  return settings;
}

async function ask([program, ...args]: readonly string[], missing: Set<string>): Promise<string | null> {
  try {
    const { stdout } = await run(program, args, {
      timeout: PATIENCE_MS,
      maxBuffer: MOST_OUTPUT,
      env: { ...process.env, LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
    });
    return stdout;
  } catch (error) {
    // nft is asked where it is there; netdiag does without it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && program !== 'nft' && program !== 'sysctl')
      missing.add(program);
    return null;
  }
}
