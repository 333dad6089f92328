import { describe, expect, it } from 'vitest';
import { isInstalled, measure, median } from '../../bench/measure.js';

describe.runIf(isInstalled('bash'))('measure', () => {
  it('tells the time a process worked, not the time it slept', async () => {
    const script = `
      const end = process.hrtime.bigint() + 2_000_000_000n;
      while (process.cpuUsage().user < 200_000 && process.hrtime.bigint() < end);
      setTimeout(() => {}, 300);`;
    const { cpu, wall } = await measure([process.execPath, '-e', script]);
    expect(cpu).toBeGreaterThanOrEqual(0.19);
    expect(wall).toBeGreaterThanOrEqual(cpu);
    expect(wall).toBeGreaterThanOrEqual(0.49);
  });

  it.runIf(process.platform === 'linux')('tells the peak of memory, not what is left at the end', async () => {
    const script = 'let big = Buffer.alloc(150e6, 1); big = null; setTimeout(() => {}, 100)';
    const { memory } = await measure([process.execPath, '-e', script]);
    expect(memory).toBeGreaterThan(150e6);
    expect(memory).toBeLessThan(400e6);
  });

  it('feeds standard input with pieces that lie in one place', async () => {
    const one = Buffer.alloc(100_000);
    function* pieces() {
      for (let i = 0; i < 20; i++) yield one.fill(i);
    }
    const script = `
      const seen = new Set();
      let length = 0;
      process.stdin.on('data', (bytes) => { length += bytes.length; for (const byte of bytes) seen.add(byte); });
      process.stdin.on('end', () => { if (length !== 2e6 || seen.size !== 20) throw new Error(seen.size + ' ' + length); });`;
    await measure([process.execPath, '-e', script], pieces());
  });

  it('ends with a command that does not read all', async () => {
    const endless = (function* () {
      for (;;) yield Buffer.alloc(100_000);
    })();
    await measure(['head', '-c', '5'], endless);
  });

  it('fails with what a failing process said', async () => {
    await expect(measure(['sh', '-c', 'echo "sh: no luck" >&2; exit 3'])).rejects.toThrow('status 3: sh: no luck');
  });
});

describe('median', () => {
  it('takes the middle, or between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});
