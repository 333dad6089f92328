import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { netdiag, outcomeOf, start, waiting } from '../support/netdiag.js';

const demo = readFileSync(join(root, 'fixtures/demo/vepa.pcap'));
/** Without the one finding that the demo has, nothing is wrong with it. */
const LIVE = ['live', '-', '--ignore', 'arp/unanswered', '--format', 'json'];

/** Status and report of a stream that goes on, ended in the way that `args` or `end` say. */
async function ended(args: readonly string[], end?: NodeJS.Signals, again = false) {
  const child = start([...LIVE, ...args]);
  const outcome = outcomeOf(child);
  child.stdin.on('error', () => {});
  child.stdin.write(demo);
  if (end !== undefined) {
    await waiting(child);
    child.kill(end);
    if (again) {
      await setTimeout(5);
      child.kill(end);
    }
  }
  const { status, stdout, stderr } = await outcome;
  child.stdin.destroy();
  const { captures, findings } = JSON.parse(stdout);
  return { status, stderr, captures, findings };
}

describe('live -', () => {
  it.each<[args: string[], end: NodeJS.Signals | undefined, frames: number]>([
    [[], 'SIGINT', 3],
    [[], 'SIGTERM', 3],
    // The terminal or the connection has gone: what goes into files is written.
    [[], 'SIGHUP', 3],
    [['--duration', '2'], undefined, 3],
    [['--count', '2'], undefined, 2],
  ])('ended at will (%j, %s) is no damaged capture', async (args, end, frames) => {
    expect(await ended(args, end)).toMatchObject({
      status: 0,
      stderr: '',
      captures: [{ frames, complete: true, problems: [] }],
      findings: [],
    });
  });

  it('is not cut short by a second hangup, as the terminal and the shell send one each', async () => {
    const { status, captures } = await ended([], 'SIGHUP', true);
    expect(captures).toMatchObject([{ frames: 3, complete: true }]);
    // Once all is written Node.js gives its signals back, and a hangup after that kills what is ending anyhow.
    expect([0, null]).toContain(status);
  });

  it('ended before anything came is no error', async () => {
    const child = start(LIVE);
    const outcome = outcomeOf(child);
    await waiting(child);
    child.kill('SIGINT');
    expect(await outcome).toMatchObject({ status: 0, stderr: '' });
  });

  it('that ends inside a frame exits as read in part', async () => {
    const { status, stdout } = await netdiag(LIVE, { input: demo.subarray(0, -5) });
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      captures: [{ frames: 2, complete: false }],
      findings: [{ rule: 'capture/damaged-file', count: 1 }],
    });
  });
});
