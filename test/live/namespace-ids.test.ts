import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { Host } from '../../src/capture/live/host.js';
import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';
import { Lab, whyNot } from './lab.js';

let lab = new Lab();
let container: ChildProcess | null = null;

afterEach(() => {
  container?.kill();
  container = null;
  lab.remove();
  lab = new Lab();
});

const ASKERS: readonly [string, () => Promise<unknown>][] = [
  ['netdiag live', () => new Host(null).ask(null)],
  [
    'scripts/host-context.sh',
    async () => JSON.parse(execFileSync('sh', ['scripts/host-context.sh'], { maxBuffer: 1 << 26, encoding: 'utf8' })),
  ],
];

it('leaves out what was not asked yet when it is told to end', async () => {
  const { namespaces } = await new Host(null).ask(null, [], AbortSignal.abort());
  expect(
    Object.values(namespaces)
      .flatMap((answers) => Object.values(answers))
      .every((each) => each === null),
  ).toBe(true);
});

function far(context: HostContext, namespace: string, name: string): string | null {
  const device = context.device(namespace, name);
  const other = device?.peer ?? device?.parent ?? null;
  return other && context.label(other);
}

describe.skipIf(whyNot !== null)(
  `what leads into other namespaces${whyNot === null ? '' : ` (skipped: ${whyNot})`}`,
  { timeout: 60_000 },
  () => {
    it.each(ASKERS)('is known while traffic flows, with and without names for ip netns, by %s', async (_, ask) => {
      lab.namespaces('sw', 'a', 'b').bridge('sw', 'br0');
      for (const [i, name] of ['a', 'b'].entries()) {
        lab.cable(name, 'eth0', 'sw', `p${name}`).ip('sw', `link set p${name} master br0`);
        lab.ip(name, `addr add 10.9.0.${i + 1}/24 dev eth0`);
      }
      container = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec sleep 100']);
      if (container.stdout) await once(container.stdout, 'data');
      const pid = container.pid ?? 0;
      lab.ip('sw', `link add pc type veth peer name eth0 netns ${pid}`).ip('sw', 'link set pc up master br0');
      lab.ip('a', `link add mv link eth0 netns ${pid} type macvlan mode bridge`);
      execFileSync('nsenter', ['-t', String(pid), '-n', 'ip', 'link', 'set', 'eth0', 'up']);
      // A twin of `a`, of equal numbers.
      lab.start('b', 'ping', '-q', '-i', '0.002', '-s', '1000', '10.9.0.1');
      const context = parseContext(await ask());
      const [sw, a, b, c] = [lab.name('sw'), lab.name('a'), lab.name('b'), `sleep/${pid}`];
      expect([far(context, sw, 'pa'), far(context, sw, 'pb'), far(context, sw, 'pc')]).toEqual([
        `eth0 in ${a}`,
        `eth0 in ${b}`,
        `eth0 in ${c}`,
      ]);
      expect([
        far(context, a, 'eth0'),
        far(context, b, 'eth0'),
        far(context, c, 'eth0'),
        far(context, c, 'mv'),
      ]).toEqual([`pa in ${sw}`, `pb in ${sw}`, `pc in ${sw}`, `eth0 in ${a}`]);
    });

    it.each(ASKERS)('shows namespaces of overlay networks of Docker, which have no process, by %s', async (_, ask) => {
      const file = `/run/docker/netns/nd-${process.pid}`;
      mkdirSync('/run/docker/netns', { recursive: true });
      writeFileSync(file, '');
      try {
        execFileSync('unshare', [
          '-n',
          'sh',
          '-c',
          `mount --bind /proc/self/ns/net ${file} && ip link add br9 type bridge`,
        ]);
        const context = parseContext(await ask());
        expect(context.device(file, 'br9')?.kind).toBe('bridge');
      } finally {
        execFileSync('umount', [file]);
        rmSync(file);
      }
    });
  },
);
