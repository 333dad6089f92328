import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Protocol } from '../../../src/network/context/netfilter/packet.js';
import type { Lab } from '../lab.js';
import { PORTS } from './rulesets.js';

/** A first packet, and whether the answer to it came. */
export interface Attempt {
  readonly protocol: Protocol;
  readonly to: string;
  /** Not of pings. */
  readonly port: number;
}

export type Outcome = Attempt & { readonly isAnswered: boolean };

/** Answers what comes to `PORTS`, by TCP and by UDP. */
const SERVER = `
  for (const port of ${JSON.stringify(PORTS)}) {
    require('node:net').createServer((s) => s.on('error', () => {}).end('hello')).listen(port, '::');
    const u = require('node:dgram').createSocket('udp6');
    u.on('message', (m, { port, address }) => u.send(m, port, address, () => {})).on('error', () => {}).bind(port, '::');
  }
  setTimeout(() => console.log('ready'), 200);`;

/** Takes lists of attempts, a line each, and says what became of them. */
const CLIENT = `
  const tcp = ({ to, port }, ms) => new Promise((resolve) => {
    const s = require('node:net').connect(port, to);
    const end = (isAnswered) => { resolve(isAnswered); s.destroy(); };
    setTimeout(end, ms, false);
    s.on('connect', () => end(true)).on('error', () => end(false));
  });
  const udp = ({ to, port }, ms) => new Promise((resolve) => {
    const u = require('node:dgram').createSocket(to.includes(':') ? 'udp6' : 'udp4');
    setTimeout(() => { resolve(false); u.close(); }, ms);
    u.on('message', () => resolve(true)).on('error', () => {}).send('x', port, to, () => {});
  });
  const icmp = ({ to }, ms) => new Promise((resolve) => {
    const words = ['-n', '-q', '-c', '1', '-W', String(ms / 1000), to];
    require('node:child_process').spawn('ping', words, { stdio: 'ignore' }).on('close', (status) => resolve(status === 0));
  });
  const each = { tcp, udp, icmp };
  require('node:readline').createInterface(process.stdin).on('line', async (line) => {
    const { attempts, ms } = JSON.parse(line);
    const answers = attempts.map(async (a) => ({ ...a, isAnswered: await each[a.protocol](a, ms) }));
    console.log(JSON.stringify(await Promise.all(answers)));
  });`;

/** Lets somebody in a namespace answer. */
export async function answering(lab: Lab, namespace: string): Promise<void> {
  await once(lab.node(namespace, SERVER).stdout, 'data');
}

/** Somebody in a namespace who tries. */
export class Asking {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: Interface;

  constructor(lab: Lab, namespace: string) {
    this.child = lab.node(namespace, CLIENT);
    this.lines = createInterface(this.child.stdout);
  }

  /** Tries all at once, and waits so many milliseconds for answers. */
  async tries(attempts: readonly Attempt[], ms: number): Promise<Outcome[]> {
    this.child.stdin.write(`${JSON.stringify({ attempts, ms })}\n`);
    const [line] = await once(this.lines, 'line');
    return JSON.parse(line);
  }
}
