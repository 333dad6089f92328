import { execFile } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { namespacePath } from './namespace.js';
import { namespaceIds } from './namespace-ids.js';
import { isNamed, machineNamespaces } from './namespaces.js';

const run = promisify(execFile);

/** What the machine says of itself, in the form of `--context`; a command that is missing or failed is null. */
export interface HostFacts {
  kernel: string;
  /** The packets come after it: its counters tell nothing of them. */
  taken?: 'before';
  namespaces: Record<string, Record<string, unknown>>;
}

/** A command that takes longer is given up: the capture is waiting. */
const PATIENCE_MS = 3000;
const MOST_OUTPUT = 64 * 1024 * 1024;

/** The name under which a context knows a command's output, and the command. */
const COMMANDS: readonly (readonly string[])[] = [
  ['ip', '-d', '-j', 'link'],
  ['ip', '-s', '-j', 'link'],
  ['ip', '-j', 'addr'],
  ['ip', '-j', 'route'],
  ['ip', '-6', '-j', 'route'],
  ['ip', '-j', 'rule'],
  ['ip', '-6', '-j', 'rule'],
  // All, for those of state NOARP, which daemons write, are else left out.
  ['ip', '-j', 'neigh', 'show', 'nud', 'all'],
  ['ip', '-6', '-j', 'neigh', 'show', 'nud', 'all'],
  ['bridge', '-d', '-j', 'link'],
  ['bridge', '-j', 'fdb'],
  ['bridge', '-d', '-j', 'vlan'],
  ['nft', '-j', 'list', 'ruleset'],
];

const LINKS = 'ip -d -j link';
/** What iproute2 would answer, with the names that it does not know. */
const IDS = 'ip -j netns list-id';

/** Where the kernel keeps the settings of the namespace that asks. */
const SETTINGS = [
  'ipv4/ip_forward',
  'ipv4/icmp_echo_ignore_all',
  'ipv4/conf',
  'ipv6/conf',
  'ipv6/icmp/echo_ignore_all',
  'bridge',
  'netfilter/nf_conntrack_count',
  'netfilter/nf_conntrack_max',
].map((path) => `/proc/sys/net/${path}`);
/** Names of the tables of iptables-legacy: what is in them only its own program tells, and nft does not. */
const LEGACY_TABLES = ['ip', 'ip6'].map((family) => `/proc/net/${family}_tables_names`);
/** Of the settings, those that decide what becomes of a packet (kernel: Documentation/networking/ip-sysctl.rst). */
const DECIDES =
  /^net\.(ipv4\.(ip_forward|icmp_echo_ignore_all|conf\..*\.(rp_filter|arp_ignore|arp_filter|arp_announce|arp_notify|arp_accept|proxy_arp|proxy_arp_pvlan|forwarding|accept_redirects|send_redirects|accept_local|log_martians))|ipv6\.icmp\.echo_ignore_all|ipv6\.conf\..*\.(forwarding|disable_ipv6|accept_ra|accept_dad|enhanced_dad)|bridge\..*|netfilter\.nf_conntrack_(count|max))$/;

/** What all commands of one asking have in common. */
interface Asking {
  /** Commands that do not exist here. */
  readonly missing: Set<string>;
  /** Ends them. */
  readonly signal: AbortSignal | undefined;
}

/** What a namespace said; null where there is nothing to tell of it. */
type Answers = Record<string, unknown> | null;

/** Asks this machine, again and again. */
export class Host {
  /** What each namespace said last. */
  #known = new Map<string, Answers>();

  /** @param captured the namespace that is captured in, which is asked in any case; null for the own one */
  constructor(private readonly captured: string | null) {}

  /**
   * Devices, addresses, routes, neighbours, bridge ports, settings and firewall, in this namespace and in the others that
   * the machine has. What may not be asked is left out; nothing throws.
   * @param changed namespaces in which something changed, null for the own one; of the others what they said last is
   * taken. Without it all are asked.
   * @param notes gets a line for each command that does not exist here
   * @param signal ends it: what was not asked until then is left out
   */
  async ask(
    changed: ReadonlySet<string | null> | null,
    notes: string[] = [],
    signal?: AbortSignal,
  ): Promise<HostFacts> {
    const { own, others, left } = machineNamespaces(this.captured);
    const before = this.#known;
    const missing = new Set<string>();
    const asking = { missing, signal };
    // Each command of a namespace waits for it, and whoever gave it.
    if (signal) setMaxListeners(2 * COMMANDS.length, signal);
    // Rules judge by what is captured, and much of that changes without a word: neighbours, counters, firewalls.
    const isKnown = (name: string, changes: string | null) =>
      changed !== null && !changed.has(changes) && changes !== this.captured && before.has(name);
    const now = new Map<string, Answers>();
    now.set(own, isKnown(own, null) ? (before.get(own) ?? null) : await askAll(null, asking));
    for (const { name } of others) {
      if (signal?.aborted) break;
      if (isKnown(name, name)) now.set(name, before.get(name) ?? null);
      else {
        const answers = await askAll(name, asking);
        now.set(name, isWorthTelling(name, answers) ? answers : null);
      }
    }
    this.#known = now;
    for (const command of missing)
      notes.push(`${command} is not installed: what it tells of this machine is not known`);
    if (left > 0)
      notes.push(
        `${others.length} network namespaces are asked, ${left} more are not: a context by hand can name those that matter`,
      );
    return { kernel: release(), taken: 'before', namespaces: withIds(own, now) };
  }
}

/** What may not be entered says nothing; what a program or service shut itself up in has nothing but a loopback. */
function isWorthTelling(name: string, answers: Record<string, unknown>): boolean {
  if (isNamed(name)) return Object.values(answers).some((answer) => answer !== null);
  return linkRows(answers[LINKS]).some(({ ifname }) => ifname !== 'lo');
}

interface LinkRow {
  ifname?: unknown;
  link_netnsid?: unknown;
}

const linkRows = (value: unknown): LinkRow[] => (Array.isArray(value) ? value : []);

/**
 * What the namespaces said, each with which others its numbers stand for. That is asked of all every time: it is quickly
 * done, and a container whose oldest process ends gets another name.
 */
function withIds(own: string, said: ReadonlyMap<string, Answers>): HostFacts['namespaces'] {
  const told = [...said].filter((each): each is [string, Record<string, unknown>] => each[1] !== null);
  const numbered = told.map(([name, answers]) => {
    const numbers = linkRows(answers[LINKS]).map(({ link_netnsid }) => link_netnsid);
    const known = numbers.filter((each): each is number => typeof each === 'number' && each >= 0);
    return { netns: name === own ? null : name, name, numbers: new Set(known) };
  });
  const ids = namespaceIds(numbered);
  return Object.fromEntries(told.map(([name, answers]) => [name, { ...answers, [IDS]: ids.get(name) ?? null }]));
}

async function askAll(namespace: string | null, asking: Asking): Promise<Record<string, unknown>> {
  const answers = await Promise.all(
    COMMANDS.map(async (command) => [command.join(' '), await askJson(inside(namespace, command), asking)] as const),
  );
  const facts: Record<string, unknown> = Object.fromEntries(answers);
  for (const family of [[], ['-6']]) {
    const routes = ['ip', ...family, '-j', 'route', 'show', 'table', 'all'];
    if (hasOtherTables(facts[['ip', ...family, '-j', 'rule'].join(' ')]))
      facts[routes.join(' ')] = await askJson(inside(namespace, routes), asking);
  }
  const { sysctl, tables } = await askSettings(namespace, asking);
  return {
    ...facts,
    ...tables,
    ...(await askIptables(namespace, facts['nft -j list ruleset'], tables, asking)),
    sysctl,
  };
}

/** What iptables says of rules that nft does not show, or not in full, as text. */
async function askIptables(
  namespace: string | null,
  ruleset: unknown,
  tables: Readonly<Record<string, string>>,
  { signal }: Asking,
): Promise<Record<string, string>> {
  const wanted: string[][] = [];
  for (const [family, program] of [
    ['ip', 'iptables'],
    ['ip6', 'ip6tables'],
  ]) {
    // Old ones have no other name, and are legacy all.
    if (`cat /proc/net/${family}_tables_names` in tables) wanted.push([`${program}-legacy-save`, `${program}-save`]);
    if (hidesConditions(ruleset, family)) wanted.push([`${program}-nft-save`, `${program}-save`]);
  }
  const saved: Record<string, string> = {};
  for (const programs of wanted)
    for (const program of programs) {
      const output = await ask(inside(namespace, [program, '-c']), { missing: new Set(), signal });
      if (output === null) continue;
      saved[`${program} -c`] = output;
      break;
    }
  return saved;
}

/** Whether nft says of rules that it cannot show them: extensions of iptables (`xt`). */
function hidesConditions(ruleset: unknown, family: string): boolean {
  const list = (ruleset as { nftables?: unknown } | null)?.nftables;
  if (!Array.isArray(list)) return false;
  return list.some(
    (item: { rule?: { family?: unknown; expr?: unknown } } | null) =>
      item?.rule?.family === family &&
      Array.isArray(item.rule.expr) &&
      item.rule.expr.some((statement: object | null) => statement !== null && 'xt' in Object(statement)),
  );
}

/** Whether rules of policy routing lead to tables that not every machine has. */
function hasOtherTables(rules: unknown): boolean {
  return Array.isArray(rules) && rules.some(({ table }) => !['local', 'main', 'default'].includes(table));
}

/** The command that runs another in a namespace. iproute2 enters those it knows by itself, which saves a process. */
function inside(namespace: string | null, [program, ...args]: readonly string[]): string[] {
  if (namespace === null) return [program, ...args];
  if (!isNamed(namespace)) return ['nsenter', `--net=${namespacePath(namespace)}`, program, ...args];
  if (program === 'ip' || program === 'bridge') return [program, '-n', namespace, ...args];
  return ['ip', 'netns', 'exec', namespace, program, ...args];
}

/** The command's JSON; an empty list where it prints nothing. */
async function askJson(command: readonly string[], asking: Asking): Promise<unknown> {
  const output = await ask(command, asking);
  if (output === null) return null;
  try {
    return output.trim() === '' ? [] : JSON.parse(output);
  } catch {
    return null;
  }
}

/** `sysctl -a` would take ten times as long: it reads all settings of the machine, whatever is asked for. */
async function askSettings(
  namespace: string | null,
  { signal }: Asking,
): Promise<{
  sysctl: Record<string, string> | null;
  tables: Record<string, string>;
}> {
  // grep says that it failed where one setting may not be read or a folder is not there.
  const output = await ask(
    inside(namespace, ['grep', '-rs', '', ...SETTINGS, ...LEGACY_TABLES]),
    { missing: new Set(), signal },
    true,
  );
  const tables: Record<string, string> = {};
  if (output === null) return { sysctl: null, tables };
  const sysctl: Record<string, string> = {};
  for (const line of output.split('\n')) {
    const colon = line.indexOf(':');
    const file = line.slice(0, colon);
    if (LEGACY_TABLES.includes(file))
      tables[`cat ${file}`] = `${tables[`cat ${file}`] ?? ''}${line.slice(colon + 1)}\n`;
    const key = line.slice('/proc/sys/'.length, colon).replace(/[./]/g, (each) => (each === '/' ? '.' : '/'));
    if (DECIDES.test(key)) sysctl[key] = line.slice(colon + 1);
  }
  return { sysctl, tables };
}

/** What a command prints; null where it fails, but `partly` what it printed until then. */
async function ask(
  [program, ...args]: readonly string[],
  { missing, signal }: Asking,
  partly = false,
): Promise<string | null> {
  try {
    const { stdout } = await run(program, args, {
      signal,
      timeout: PATIENCE_MS,
      maxBuffer: MOST_OUTPUT,
      env: { ...process.env, LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
    });
    return stdout;
  } catch (error) {
    // The others are asked where they are there; netdiag does without them.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && (program === 'ip' || program === 'bridge'))
      missing.add(program);
    return (partly && (error as { stdout?: string }).stdout) || null;
  }
}
