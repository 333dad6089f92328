import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/commands/program.js';
import { root } from '../support/fixtures.js';
import { fakeIo } from '../support/io.js';

const demo = join(root, 'fixtures/demo/vepa.pcap');

describe('on a terminal', () => {
  const terminal = { isTTY: true, columns: 60 };

  it('prints text in colour, as wide as the terminal, and no progress for a short capture', async () => {
    const io = fakeIo({ stdout: terminal, stderr: terminal });
    await run(['analyze', demo], io);
    expect(io.written.stdout).toContain('\u001b[1m');
    expect(io.written.stderr).toBe('');
  });

  it('is plain with NO_COLOR', async () => {
    const io = fakeIo({ stdout: terminal, env: { NO_COLOR: '1' } });
    await run(['analyze', demo], io);
    expect(io.written.stdout).not.toContain('\u001b');
  });
});

it('has nothing to say when it is interrupted before it began', async () => {
  const io = fakeIo({ signal: AbortSignal.abort() });
  expect(await run(['analyze', demo], io)).toBe(130);
  expect(io.written).toEqual({ stdout: '', stderr: '' });
});
