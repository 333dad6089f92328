import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab, Session, sleep, whyNot } from '../live/lab.js';
import { root } from '../support/fixtures.js';
import { netdiag } from '../support/netdiag.js';
import { hasTmux, inTerminal } from '../tui/terminal.js';

/** Binaries of other versions of Node.js, apart by colons; `.ci/run` gets them from npm. */
const nodes = (process.env.NETDIAG_NODES ?? '').split(':').filter((path) => path !== '');
const DEMO = ['fixtures/demo/vepa.pcap', '--context', 'fixtures/demo/context.json'];

let scratch: string;
let installed: string;

/** The program as users have it: packed, and installed without what only development needs. */
beforeAll(() => {
  if (nodes.length === 0) return;
  scratch = mkdtempSync(join(tmpdir(), 'netdiag-nodes-'));
  const npm = (...args: string[]) => execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  const [{ filename }] = JSON.parse(npm('pack', '--json', '--ignore-scripts', '--pack-destination', scratch));
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--omit=dev'];
  npm('install', '--global', '--prefix', scratch, ...options, join(scratch, filename));
  symlinkSync(join(scratch, 'lib/node_modules'), join(scratch, 'node_modules'));
  installed = join(scratch, 'lib/node_modules/netdiag/bin/netdiag.js');
}, 120_000);
afterAll(() => {
  if (nodes.length > 0) rmSync(scratch, { recursive: true });
});

/** With none of them nothing is shown: `.ci/run` gets them and lets no test be skipped. */
describe.skipIf(nodes.length === 0).each(nodes.length === 0 ? ['other versions'] : nodes)('with %s', (node) => {
  it.each([
    ['--version'],
    ['rules', '--format', 'json'],
    ['explain', 'arp/unanswered'],
    ['frames', 'fixtures/demo/vepa.pcap', '--format', 'ndjson'],
    ['frames', 'fixtures/formats/packed.pcap.gz', '--format', 'ndjson'],
    ['frames', 'fixtures/formats/packed.pcapng.zst', '--format', 'ndjson'],
    ['analyze', ...DEMO, '--format', 'json'],
    ['analyze', ...DEMO, '--format', 'html'],
    ['analyze', ...DEMO, '-f', 'arp'],
  ])('says what this Node.js says: %s %s', async (...args) => {
    const theirs = await netdiag(args, { command: [node, installed] });
    expect(theirs).toEqual(await netdiag(args));
    expect(theirs.stdout + theirs.stderr).not.toBe('');
  });

  it('finds in every fixture of a rule what is expected', { timeout: 120_000 }, async () => {
    const { status, stdout, stderr } = await netdiag(['check', 'fixtures/rules'], { command: [node, installed] });
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^[2-9]\d\d captures as expected, 0 not$/m);
  });

  it('is a library', () => {
    const program = join(scratch, 'use.mjs');
    writeFileSync(
      program,
      `import { analyze } from 'netdiag';
console.log((await analyze(['fixtures/demo/vepa.pcap'])).findings[0].rule);`,
    );
    expect(execFileSync(node, [program], { cwd: root, encoding: 'utf8' })).toMatch(/^[a-z]+\/[a-z-]+\n$/);
  });

  it.skipIf(whyNot !== null)('captures on an interface', { timeout: 60_000 }, async () => {
    const lab = new Lab();
    try {
      lab.macvlans('vepa', 'off');
      const session = new Session(['ens34', '--netns', lab.name('host')], { command: [node, installed] });
      await session.ready();
      for (let i = 0; i < 4; i++) {
        lab.send('ns01', '10.9.0.102');
        await sleep(1000);
      }
      await session.finding('macvlan/vepa-no-reflection', 'certain');
      expect(await session.end()).toBe(1);
    } finally {
      lab.remove();
    }
  });

  it.skipIf(!hasTmux)('has its full-screen view', { timeout: 60_000 }, async () => {
    await inTerminal('node', 80, 24, async (terminal) => {
      terminal.type(`'${node}' '${installed}' analyze ${DEMO.join(' ')}`);
      terminal.press('Enter');
      await terminal.until('ERROR certain 172.16.91.101 cannot reach 172.16.91.102');
      terminal.press('Enter');
      await terminal.until('[2 Frames]');
      terminal.press('q');
      await terminal.until(/ready>\s*$/);
      terminal.type('echo status $?');
      terminal.press('Enter');
      await terminal.until('status 1');
    });
  });
});
