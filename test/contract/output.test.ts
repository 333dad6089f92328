import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { netdiag, outcomeOf, program } from '../support/netdiag.js';

const demo = join(root, 'fixtures/demo/vepa.pcap');
const base = mkdtempSync(join(tmpdir(), 'netdiag-'));
afterAll(() => rmSync(base, { recursive: true }));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(base, 'out-'));
});

const analyze = (...args: string[]) => netdiag(['analyze', demo, '--fail-on', 'never', ...args], { cwd: folder });

describe('--output', () => {
  it('writes what would have been printed, and prints nothing', async () => {
    const [file, printed] = await Promise.all([
      analyze('--format', 'json', '-o', 'out.json'),
      analyze('--format', 'json'),
    ]);
    expect(file).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(folder, 'out.json'), 'utf8')).toBe(printed.stdout);
    expect(readdirSync(folder)).toEqual(['out.json']);
  });

  it('replaces a file whole, with its mode, behind a symbolic link too', async () => {
    const file = join(folder, 'real.txt');
    writeFileSync(file, 'x'.repeat(1_000_000));
    chmodSync(file, 0o640);
    symlinkSync('real.txt', join(folder, 'link.txt'));
    await analyze('-o', 'link.txt');
    expect(readFileSync(file, 'utf8')).toMatch(/^.*vepa\.pcap · pcap/);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).sort()).toEqual(['link.txt', 'real.txt']);
  });

  it('leaves the file as it was if there is nothing to report', async () => {
    writeFileSync(join(folder, 'out.txt'), 'earlier');
    const { status } = await netdiag(['analyze', '/nonexistent.pcap', '-o', join(folder, 'out.txt')]);
    expect(status).toBe(2);
    expect(readFileSync(join(folder, 'out.txt'), 'utf8')).toBe('earlier');
  });

  it('leaves nothing behind where it cannot write', async () => {
    mkdirSync(join(folder, 'out.txt'));
    const { status, stderr } = await analyze('-o', 'out.txt');
    expect(status).toBe(2);
    expect(stderr).toContain('cannot be written');
    expect(readdirSync(folder)).toEqual(['out.txt']);
  });

  it('writes to a device as it is', async () => {
    await analyze('-o', '/dev/null');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

describe('standard output', () => {
  it.skipIf(!existsSync('/dev/full')).each([['analyze', demo], ['--version']])(
    'that is full is told: %s',
    async (...args) => {
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', full, 'pipe'] });
      const { status, stderr } = await outcomeOf(child);
      closeSync(full);
      expect(status).toBe(2);
      expect(stderr).toBe('netdiag: standard output: cannot be written (no space left): see where it leads\n');
    },
  );
});

describe('colour', () => {
  const ESC = '\u001b[';
  it.each<[args: string[], env: NodeJS.ProcessEnv, color: boolean]>([
    [[], {}, false],
    [['--color', 'always'], {}, true],
    [['--color', 'always'], { NO_COLOR: '1' }, true],
    [['--color', 'never'], {}, false],
  ])('in a pipe with %j and %j: %s', async (args, env, color) => {
    const { stdout } = await netdiag(['analyze', demo, ...args], { env });
    expect(stdout.includes(ESC)).toBe(color);
  });
});

describe('width', () => {
  it.each<[COLUMNS: string, widest: number]>([
    ['', 100],
    ['60', 60],
    ['10', 40],
    ['many', 100],
  ])('in a pipe with COLUMNS=%j is at most %i', async (COLUMNS, widest) => {
    const { stdout } = await netdiag(['analyze', demo, '-q'], { env: { COLUMNS } });
    const widths = stdout.split('\n').map((line) => line.length);
    expect(Math.max(...widths)).toBe(widest);
  });
});

describe('the configuration', () => {
  it('is found upwards from where one stands', async () => {
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    writeFileSync(join(folder, 'netdiag.config.json'), '{"unheard-of": 1}');
    const { status, stderr } = await netdiag(['analyze', demo], { cwd: join(folder, 'a/b') });
    expect(status).toBe(2);
    expect(stderr).toContain(join(folder, 'netdiag.config.json'));
  });

  it('selects and ignores, and the command line goes before it', async () => {
    const rulesRun = async (config: object, ...args: string[]) => {
      writeFileSync(join(folder, 'netdiag.config.json'), JSON.stringify(config));
      return JSON.parse((await analyze('--format', 'json', ...args)).stdout).examined.rules;
    };
    const all = await rulesRun({});
    expect(await rulesRun({ select: ['bridge/loop'] })).toBe(1);
    expect(await rulesRun({ ignore: ['bridge/loop'] })).toBe(all - 1);
    expect(await rulesRun({ select: ['bridge/loop'] }, '--select', 'arp/unanswered,arp/self-resolution')).toBe(2);
    expect(await rulesRun({ ignore: ['bridge/loop'] }, '--ignore', 'arp/unanswered')).toBe(all - 2);
  });
});

describe('--version', () => {
  it('prints the version and nothing else', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const option of ['--version', '-V']) {
      expect(await netdiag([option])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
    }
  });
});

describe('--help', () => {
  it('has examples that are commands, and the exit status', async () => {
    const { stdout } = await netdiag(['--help']);
    const commands = [...stdout.matchAll(/^ {2}(?:.* )?netdiag ([a-z]+) (.*)$/gm)];
    expect(commands.length).toBeGreaterThan(4);
    for (const [, command, rest] of commands) {
      const help = await netdiag([command, '--help']);
      expect(help.status).toBe(0);
      for (const [option] of rest.matchAll(/(?<= )--?[a-z]+/g)) expect(help.stdout).toContain(option);
    }
    expect(stdout).toMatch(/^ {2}3 +an input was readable only in part/m);
  });

  it.each([['--help'], ['analyze', '--help'], ['frames', '--help'], ['help', 'rules']])('%s %s', async (...args) => {
    const { status, stdout, stderr } = await netdiag(args.filter((arg) => arg !== undefined));
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Usage: netdiag/);
    expect(stdout).toMatch(/-h, --help +print this help/);
  });
});
