import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'vitest';
import type { Finding } from '../../../src/findings/finding.js';
import { root } from '../../support/fixtures.js';
import { netdiag, outcomeOf } from '../../support/netdiag.js';
import { Lab, sleep, whyNot } from '../lab.js';

/** `host-context.sh` in the namespace `$1`, as on a machine that has the namespaces `$1` … and no other; `$0` is an empty folder. */
const CONTEXT_OF = `for name; do touch $0/$name; mount --bind /run/netns/$name $0/$name; done
mount --rbind $0 /run/netns
exec ip netns exec $1 sh scripts/host-context.sh`;

/** The namespace without a device where printed commands are typed: those that do not name their place change nothing elsewhere. */
const SHELL = 'shell';

/** A fault, and what must cure it. */
export interface Fault {
  readonly rule: string;
  /** Makes namespaces, devices and the fault. */
  readonly build: (lab: Lab) => void | Promise<void>;
  /** Namespace and device of the capture. */
  readonly at: readonly [namespace: string, device: string];
  /** Fails as long as the fault is there, and succeeds when it is gone. Its packets are what is captured. */
  readonly works: (lab: Lab) => Promise<boolean>;
  /** Which remedy is run, by its text; without, the first. */
  readonly remedy?: RegExp;
  /** Where a command is run that names no namespace: what the context cannot know. */
  readonly where?: string;
  /** What an engineer writes for the placeholders that the context cannot fill. */
  readonly fill?: Readonly<Record<string, string>>;
  /** What the text asks for beside the commands. */
  readonly byHand?: (lab: Lab) => void;
  /** Milliseconds until what was asked in vain before is no longer asked for: a kernel does so for three seconds more. */
  readonly settle?: number;
  /** What may be told after the cure: other rules that speak of what is still so. */
  readonly leaves?: readonly string[];
  /** The least that the finding must say of itself. */
  readonly confidence?: Finding['confidence'];
  /** What else must be so after the cure. */
  readonly after?: (lab: Lab) => void | Promise<void>;
}

/** What was printed about the fault and what of that was run. */
export interface Cured {
  readonly finding: Finding;
  readonly commands: readonly string[];
}

/** Faults that are built where this kernel can. */
export function where(can: boolean, faults: Readonly<Record<string, Fault>>): Readonly<Record<string, Fault>> {
  return can ? faults : {};
}

/** A test for each fault. They wait most of the time, each in namespaces of its own: all run at once. */
export function cures(where: string, faults: Readonly<Record<string, Fault>>): void {
  describe.skipIf(whyNot !== null)(`cures ${where}${whyNot === null ? '' : ` (skipped: ${whyNot})`}`, () => {
    it.concurrent.for(Object.entries(faults))(
      '%s',
      { timeout: 180_000 },
      async ([, fault], context) => void (await cured(fault, context)),
    );
  });
}

/**
 * Builds the fault, sees it fail, captures that, analyzes it with host context, runs the commands of a printed remedy as they
 * are printed, and sees that it works and that the same capture tells of no fault any more.
 */
async function cured(fault: Fault, { onTestFinished }: Pick<TestContext, 'onTestFinished'>): Promise<Cured> {
  const lab = new Lab('nc');
  const folder = mkdtempSync(join(tmpdir(), 'netdiag-cure-'));
  onTestFinished(() => {
    lab.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  lab.namespaces(SHELL);
  await fault.build(lab);

  const before = await diagnose(lab, fault, join(folder, 'before'));
  if (before.worked)
    throw new Error(`${fault.rule}: it works, so there is no fault to cure; told: ${told(before.findings)}`);
  const isIt = ({ rule }: Finding) => rule === fault.rule;
  if (!before.findings.some(isIt)) {
    await sleep(QUIET_MS);
    await askHost(lab, join(folder, 'before'));
    before.findings = await judge(lab, fault, join(folder, 'before'));
  }
  const finding = before.findings.find(isIt);
  if (!finding) throw new Error(`${fault.rule} is not told, but: ${told(before.findings)}`);
  if (RANK.indexOf(finding.confidence) > RANK.indexOf(fault.confidence ?? 'likely'))
    throw new Error(`${fault.rule} is only a ${finding.confidence}`);

  const commands = commandsOf(finding, fault);
  for (const command of commands) await run(lab, fault.where ?? SHELL, command);
  fault.byHand?.(lab);
  await sleep(fault.settle ?? 0);

  const after = await diagnose(lab, fault, join(folder, 'after'));
  const said = `after\n${commands.join('\n')}`;
  if (!after.worked) throw new Error(`${fault.rule}: it still fails ${said}\ntold: ${told(after.findings)}`);
  const left = after.findings.filter((each) => each.rule === fault.rule || isGrave(each));
  const unexpected = left.filter(({ rule }) => !fault.leaves?.includes(rule));
  if (unexpected.length > 0) throw new Error(`${told(unexpected)} is told ${said}`);
  await fault.after?.(lab);
  return { finding, commands };
}

const RANK: readonly Finding['confidence'][] = ['certain', 'likely', 'hint'];

/**
 * Kernels are done with asking for addresses. Until then the two ends of a cable, which a host context knows by equal counters, are
 * read at different moments.
 */
const QUIET_MS = 4000;

/** Captures what happens at the place of the fault while it is tried, asks the host, and analyzes both. */
async function diagnose(lab: Lab, fault: Fault, path: string) {
  const {
    at: [namespace, device],
    works,
  } = fault;
  const capture = `${path}.pcap`;
  const place = lab.name(namespace);
  const words = ['-U', '--immediate-mode', '-Z', 'root', '-w', capture];
  const tcpdump = spawn('ip', ['netns', 'exec', place, 'tcpdump', '-i', device, ...words]);
  const outcome = outcomeOf(tcpdump);
  for (let waited = 0; !existsSync(capture) && tcpdump.exitCode === null && waited < 200; waited++) await sleep(20);
  const worked = await works(lab);
  // Meanwhile tcpdump reads what has come.
  await askHost(lab, path);
  tcpdump.kill('SIGINT');
  const { stderr } = await outcome;
  if (!existsSync(capture)) throw new Error(`tcpdump: ${stderr}`);
  return { worked, findings: await judge(lab, fault, path) };
}

async function askHost(lab: Lab, path: string): Promise<void> {
  writeFileSync(`${path}.json`, await contextOf(lab, path));
}

/** Analyzes what was captured, with what the host said. */
async function judge(lab: Lab, { at: [namespace, device] }: Fault, path: string): Promise<Finding[]> {
  const vantage = `${lab.name(namespace)}/${device}`;
  const words = ['--context', `${path}.json`, '--vantage', vantage, '--format', 'json'];
  const { stdout, stderr } = await netdiag(['analyze', `${path}.pcap`, ...words]);
  if (stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout).findings;
}

/** What the machine says of the namespaces of the lab. */
async function contextOf(lab: Lab, path: string): Promise<string> {
  // Its processes are its own, too: by those of others the script finds their namespaces.
  const script = ['-m', '-p', '-f', '--mount-proc', 'sh', '-ec', CONTEXT_OF, `${path}.netns`, ...lab.all];
  spawnSync('mkdir', ['-p', `${path}.netns`]);
  const { status, stdout, stderr } = await outcomeOf(spawn('unshare', script, { cwd: root }));
  if (status !== 0) throw new Error(`host-context.sh: ${stderr}`);
  return stdout;
}

function commandsOf({ rule, remedy }: Finding, { remedy: wanted, fill = {} }: Fault): string[] {
  const chosen = wanted ? remedy.find(({ text }) => wanted.test(text)) : remedy[0];
  if (!chosen) throw new Error(`${rule} has no remedy ${wanted}, but: ${remedy.map(({ text }) => text).join(' | ')}`);
  if (chosen.commands.length === 0) throw new Error(`${rule}: no command at "${chosen.text}"`);
  return chosen.commands.map((printed) => {
    let command = printed;
    for (const [placeholder, value] of Object.entries(fill)) command = command.replaceAll(placeholder, value);
    if (/<[a-z]/i.test(command)) throw new Error(`${rule}: the context knows what is to be put into: ${command}`);
    return command;
  });
}

/** Types a command into a shell. */
async function run(lab: Lab, namespace: string, command: string): Promise<void> {
  const words = ['netns', 'exec', lab.name(namespace), 'sh', '-c', command];
  const { status, stdout, stderr } = await outcomeOf(spawn('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] }));
  if (status !== 0) throw new Error(`status ${status} of: ${command}\n${stdout}${stderr}`);
}

function isGrave({ severity, confidence }: Finding): boolean {
  return severity !== 'info' && confidence !== 'hint';
}

function told(findings: readonly Finding[]): string {
  return findings.map(({ rule, confidence, title }) => `${rule} (${confidence}): ${title}`).join('; ') || 'nothing';
}

/** Pings until two answers have come, or so long that the kernel has given up to ask for the address. */
export function ping(from: string, to: string, ...options: string[]): (lab: Lab) => Promise<boolean> {
  return (lab) => succeeds(lab, from, 'ping', '-n', '-c', '2', '-i', '0.2', '-w', '4', ...options, to);
}

/** Whether a command in a namespace ends well. */
export async function succeeds(lab: Lab, namespace: string, ...command: string[]): Promise<boolean> {
  const child: ChildProcess = spawn('ip', ['netns', 'exec', lab.name(namespace), ...command]);
  return (await outcomeOf(child)).status === 0;
}

/** Opens a TCP connection to port 80 and gets something. */
export function connects(from: string, to: string): Fault['works'] {
  const script = `exec 3<>/dev/tcp/${to}/80 && read -t 2 -u 3`;
  return (lab) => succeeds(lab, from, 'timeout', '4', 'bash', '-c', script);
}

/** Fewer than `most` frames come in within two seconds while a host asks for 10.9.0.2. */
export function calm(namespace: string, device: string, most: number): Fault['works'] {
  return async (lab) => {
    lab.ip(namespace, 'neigh flush all');
    lab.send(namespace, '10.9.0.2');
    const words = ['timeout', '2', 'tcpdump', '--immediate-mode', '-ni', device, '-c', String(most)];
    return !(await succeeds(lab, namespace, ...words));
  };
}

/** Tries several things at once; all must work. */
export function all(...works: Fault['works'][]): Fault['works'] {
  return async (lab) => (await Promise.all(works.map((each) => each(lab)))).every(Boolean);
}
