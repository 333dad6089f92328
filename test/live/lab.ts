import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn,
  spawnSync,
} from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { libc } from '../../src/capture/live/libc.js';
import { insideNamespace } from '../../src/capture/live/namespace.js';
import type { Finding } from '../../src/findings/finding.js';
import { type RunOptions, start } from '../support/netdiag.js';

let made = 0;

/** Why real interfaces cannot be tested here; null where they can, and where they must (`NETDIAG_REQUIRE_LIVE=1`). */
export const whyNot: string | null = process.env.NETDIAG_REQUIRE_LIVE === '1' ? null : obstacle();

function obstacle(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  const { status } = spawnSync('ip', ['netns', 'add', `nd-try-${process.pid}`]);
  if (status !== 0) return 'no network namespaces here, or no iproute2';
  execFileSync('ip', ['netns', 'del', `nd-try-${process.pid}`]);
  return null;
}

/** Whether kernel and tools here still know the tables of iptables-legacy. */
export const hasLegacy = whyNot === null && knowsLegacy();

function knowsLegacy(): boolean {
  const name = `nd-legacy-${process.pid}`;
  spawnSync('ip', ['netns', 'add', name]);
  const known = ['iptables-legacy', 'ip6tables-legacy'].every(
    (program) => spawnSync('ip', ['netns', 'exec', name, program, '-S']).status === 0,
  );
  spawnSync('ip', ['netns', 'del', name]);
  return known;
}

/** Network namespaces of its own, gone when it is removed. Traffic stays inside them. */
export class Lab {
  private readonly prefix: string;
  private readonly names: string[] = [];
  private readonly children: ChildProcess[] = [];

  /** @param kind what the names of its namespaces begin with */
  constructor(kind = 'nd') {
    this.prefix = `${kind}${process.pid}x${made++}-`;
  }

  /** What a namespace of the lab is called on this machine. */
  name(namespace: string): string {
    return `${this.prefix}${namespace}`;
  }

  /** What all its namespaces are called, in the order in which they were made. */
  get all(): readonly string[] {
    return this.names;
  }

  /** Makes namespaces, loopback up, without the noise of IPv6. */
  namespaces(...names: string[]): this {
    for (const each of names) {
      const name = this.name(each);
      run('ip', 'netns', 'add', name);
      this.names.push(name);
      run('ip', '-n', name, 'link', 'set', 'lo', 'up');
      this.exec(each, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1');
    }
    return this;
  }

  /** `ip -n <namespace> <words>`. */
  ip(namespace: string, words: string): this {
    run('ip', '-n', this.name(namespace), ...words.split(' '));
    return this;
  }

  exec(namespace: string, ...command: string[]): string {
    return run('ip', 'netns', 'exec', this.name(namespace), ...command);
  }

  /** Starts a program that runs until the lab is removed. */
  start(namespace: string, ...command: string[]): this {
    this.children.push(spawn('ip', ['netns', 'exec', this.name(namespace), ...command], { stdio: 'ignore' }));
    return this;
  }

  /** Starts a script of Node.js that runs until the lab is removed. */
  node(namespace: string, script: string): ChildProcessWithoutNullStreams {
    const child = spawn('ip', ['netns', 'exec', this.name(namespace), process.execPath, '-e', script]);
    this.children.push(child);
    return child;
  }

  /** A veth pair between two namespaces, both ends up. */
  cable(a: string, deviceA: string, b: string, deviceB: string): this {
    run(
      'ip',
      'link',
      'add',
      deviceA,
      'netns',
      this.name(a),
      'type',
      'veth',
      'peer',
      'name',
      deviceB,
      'netns',
      this.name(b),
    );
    return this.ip(a, `link set ${deviceA} up`).ip(b, `link set ${deviceB} up`);
  }

  /** A bridge without spanning tree. */
  bridge(namespace: string, device: string): this {
    return this.ip(namespace, `link add ${device} type bridge stp_state 0 forward_delay 0`).ip(
      namespace,
      `link set ${device} up`,
    );
  }

  address(namespace: string, device: string, address: string): this {
    return this.ip(namespace, `addr add ${address} dev ${device}`);
  }

  /** Sends a UDP packet, which makes the kernel ask for its address first; that nobody listens does not matter. */
  send(namespace: string, to: string, port = 9): void {
    spawnSync('ip', ['netns', 'exec', this.name(namespace), 'bash', '-c', `echo hello > /dev/udp/${to}/${port}`]);
  }

  /** Lets somebody listen on a UDP port, so that no packet to it is refused. */
  async listen(namespace: string, port = 9): Promise<void> {
    const script = `require('node:dgram').createSocket('udp4').bind(${port}, () => console.log('ready'))`;
    await once(this.node(namespace, script).stdout, 'data');
  }

  /** Lets somebody greet whoever connects to a TCP port. */
  async serve(namespace: string, port = 80): Promise<void> {
    const script = `require('node:net').createServer((s) => s.on('error', () => {}).end('hello\\n')).listen(${port}, '0.0.0.0', () => console.log('ready'))`;
    await once(this.node(namespace, script).stdout, 'data');
  }

  /** Sends a frame as it is. */
  sendRaw(namespace: string, device: string, bytes: readonly number[]): void {
    const koffi = createRequire(import.meta.url)('koffi');
    const c = koffi.load(null);
    const socket = c.func('int socket(int domain, int type, int protocol)');
    const sendto = c.func('int sendto(int fd, void *bytes, size_t length, int flags, void *address, uint32_t size)');
    insideNamespace(this.name(namespace), () => {
      const fd = socket(17, 3, 0);
      const address = new DataView(new ArrayBuffer(20));
      address.setUint16(0, 17, true);
      address.setInt32(4, libc().ifIndex(device), true);
      const frame = Uint8Array.from(bytes);
      const sent = sendto(fd, frame, frame.length, 0, new Uint8Array(address.buffer), 20);
      libc().close(fd);
      if (sent !== frame.length) throw new Error(`sendto: ${sent}`);
    });
  }

  /** A host on a switch, with two macvlan children in namespaces of their own: 10.9.0.1, .101 and .102. */
  macvlans(mode: string, hairpin: 'on' | 'off'): this {
    this.namespaces('sw', 'host', 'ns01', 'ns02').bridge('sw', 'br0').cable('host', 'ens34', 'sw', 'p-host');
    this.ip('sw', 'link set p-host master br0');
    this.exec('sw', 'bridge', 'link', 'set', 'dev', 'p-host', 'hairpin', hairpin);
    this.address('host', 'ens34', '10.9.0.1/24');
    for (const i of [1, 2]) {
      const child = `macvlan${i}`;
      run(
        'ip',
        '-n',
        this.name('host'),
        'link',
        'add',
        'link',
        'ens34',
        'name',
        child,
        'netns',
        this.name(`ns0${i}`),
        'type',
        'macvlan',
        'mode',
        mode,
      );
      this.address(`ns0${i}`, child, `10.9.0.10${i}/24`).ip(`ns0${i}`, `link set ${child} up`);
    }
    return this;
  }

  remove(): void {
    for (const child of this.children) child.kill();
    for (const name of this.names) spawnSync('ip', ['netns', 'del', name]);
  }
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A running `netdiag live --format ndjson`, and what it has told. */
export class Session {
  readonly findings: (Finding & { at: number })[] = [];
  stderr = '';
  private readonly child;
  private readonly ended: Promise<number | null>;
  private rest = '';

  constructor(args: readonly string[], options: RunOptions = {}) {
    this.child = start(['live', ...args, '--format', 'ndjson', '--verbose'], options);
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => this.take(text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
  }

  /** Waits until the program has opened its sockets and learnt about the machine. */
  async ready(): Promise<this> {
    while (!this.stderr.includes('capturing on') && this.child.exitCode === null) await sleep(20);
    return this;
  }

  get input() {
    return this.child.stdin;
  }

  /** The first finding of a rule (of this confidence, if given), waited for. */
  async finding(rule: string, confidence?: string, seconds = 12): Promise<Finding & { at: number }> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const found = this.findings.find(
        (each) => each.rule === rule && (confidence === undefined || each.confidence === confidence),
      );
      if (found) return found;
      if (Date.now() > deadline) {
        const told = this.findings.map((each) => `${each.rule} ${each.confidence}`).join(', ');
        throw new Error(`no ${rule} ${confidence ?? ''} within ${seconds} s; told were: ${told}; ${this.stderr}`);
      }
      await sleep(50);
    }
  }

  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }

  exit(): Promise<number | null> {
    return this.ended;
  }

  private take(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const told = JSON.parse(line);
      if (told.type === 'finding') this.findings.push({ ...told, at: Date.now() });
    }
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
