import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { netdiag } from '../support/netdiag.js';
import { Lab, Session, whyNot } from './lab.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-containers-'));
let lab = new Lab();
let containers: ChildProcess[] = [];

afterEach(() => {
  for (const each of containers) each.kill();
  lab.remove();
  containers = [];
  lab = new Lab();
});

/** A process in a network namespace that `ip netns` does not know, as container runtimes make them; its pid. */
async function container(): Promise<number> {
  const child = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec sleep 100']);
  containers.push(child);
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

const inside = (pid: number, ...command: string[]) => execFileSync('nsenter', ['-t', String(pid), '-n', ...command]);

describe.skipIf(whyNot !== null)(
  `containers without a name for ip netns${whyNot === null ? '' : ` (skipped: ${whyNot})`}`,
  { timeout: 60_000 },
  () => {
    it('are known by their processes, and cures are run in them', async () => {
      lab.namespaces('sw', 'host').bridge('sw', 'br0').cable('host', 'ens34', 'sw', 'p-host');
      lab.ip('sw', 'link set p-host master br0');
      const pids = [await container(), await container()];
      for (const [i, pid] of pids.entries()) {
        lab.ip('host', `link add macvlan${i} link ens34 type macvlan mode vepa`);
        lab.ip('host', `link set macvlan${i} netns ${pid}`);
        inside(pid, 'ip', 'addr', 'add', `10.9.0.10${i}/24`, 'dev', `macvlan${i}`);
        inside(pid, 'ip', 'link', 'set', `macvlan${i}`, 'up');
      }
      const session = await new Session(['ens34', '--netns', lab.name('host')]).ready();
      const pinging = spawn('nsenter', ['-t', String(pids[0]), '-n', 'ping', '-c', '6', '-W', '1', '10.9.0.101']);
      containers.push(pinging);
      const { context, remedy } = await session.finding('macvlan/vepa-no-reflection', 'certain', 30);
      await session.end();
      expect(context.join('\n')).toContain(`(sleep/${pids[0]})`);
      const cures = remedy.flatMap(({ commands }) => commands);
      const ofContainer = cures.filter((each) => each.startsWith(`nsenter -t ${pids[0]} -n ip link set macvlan0 `));
      expect(ofContainer, cures.join('\n')).toHaveLength(1);
      execFileSync('sh', ['-c', ofContainer[0]]);
      expect(String(inside(pids[0], 'ip', '-d', 'link', 'show', 'macvlan0'))).toContain('macvlan mode bridge');
    });

    it('are listed, and can be captured in', async () => {
      const pid = await container();
      inside(pid, 'ip', 'link', 'add', 'v0', 'up', 'type', 'veth', 'peer', 'name', 'v1');
      const { stdout } = await netdiag(['interfaces', '--format', 'json']);
      const names = JSON.parse(stdout).interfaces.map((each: { namespace: string; name: string }) => [
        each.namespace,
        each.name,
      ]);
      expect(names).toContainEqual([`sleep/${pid}`, 'v0']);
      const file = join(folder, 'container.pcapng');
      const session = await new Session(['v0', '--netns', `sleep/${pid}`, '-w', file]).ready();
      expect(session.stderr).toContain(`capturing on v0 in sleep/${pid}`);
      await session.end();
      for (const vantage of [[], ['--vantage', `sleep/${pid}/v1`]])
        expect(await netdiag(['analyze', file, ...vantage, '--format', 'json'])).toMatchObject({
          status: 0,
          stderr: '',
        });
    });

    it('are no more than their processes: what only has a loopback is left out', async () => {
      const pid = await container();
      const { stdout } = await netdiag(['interfaces', '--format', 'json']);
      expect(stdout).not.toContain(`sleep/${pid}`);
    });
  },
);
