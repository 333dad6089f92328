import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.js';
import { run } from '../../src/commands/program.js';
import { captureOf, contextOf, expectationOf, fixtureCases, root } from '../support/fixtures.js';
import { fakeIo } from '../support/io.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-report-'));
afterAll(() => rmSync(folder, { recursive: true }));
const demo = join(root, 'fixtures/demo/vepa.pcap');
const context = join(root, 'fixtures/demo/context.json');

async function report(...args: string[]) {
  const io = fakeIo({ cwd: folder });
  const status = await run(['report', ...args], io);
  return { status, ...io.written };
}

const isInstalled = (tool: string) => spawnSync(tool, ['--version']).status === 0;

describe('the report', () => {
  it('has findings, decoded proof, host, environment, and the command', async () => {
    const { status, stdout } = await report(demo, '--context', context, '--vantage', 'host/any');
    expect(status).toBe(0);
    for (const part of [
      '## 172.16.91.101 cannot reach',
      'who-has 172.16.91.102 tell 172.16.91.101',
      '## Host context',
      'macvlan1  macvlan vepa',
      '## Environment',
      `Node.js ${process.version}`,
      `netdiag analyze ${demo} --context ${context} --vantage host/any`,
    ])
      expect(stdout).toContain(part);
  });

  it('keeps the filter, which names addresses, out of an anonymized command', async () => {
    const words = ['-f', 'arp host 172.16.91.102'];
    expect((await report(demo, ...words)).stdout).toContain(`netdiag analyze ${demo} --filter '${words[1]}'`);
    const { status, stdout } = await report(demo, '--anonymize', ...words);
    expect(status).toBe(0);
    expect(stdout).toContain('netdiag analyze evidence.pcapng\n');
    expect(stdout).not.toContain('172.16.91.102');
  });

  it('anonymizes what the configuration accepts, too', async () => {
    const config = join(folder, 'accepting.json');
    const subject = { ip: '172.16.91.102' };
    writeFileSync(config, JSON.stringify({ suppressions: [{ rule: 'arp/unanswered', subject, reason: 'off' }] }));
    const { status, stdout } = await report(demo, '--anonymize', '--config', config);
    expect(status).toBe(0);
    expect(stdout).not.toContain('and gets no answer');
  });

  it('says by its status what was found, if it is asked to', async () => {
    expect((await report(demo, '--context', context, '--fail-on', 'error')).status).toBe(1);
    expect((await report(demo, '--context', context, '--fail-on', 'never', '-v')).status).toBe(0);
    expect((await report(demo, '--ignore', 'macvlan,arp', '--fail-on', 'error')).status).toBe(0);
  });

  it('tells an unknown rule as analyze does', async () => {
    const { status, stderr } = await report(demo, '--select', 'arp/unanswerd');
    expect(status).toBe(2);
    expect(stderr).toContain('--select: no rule "arp/unanswerd": did you mean arp/unanswered?');
  });

  it('ended by Ctrl-C amidst a capture is not written', async () => {
    const large = join(folder, 'large.pcap');
    const bytes = readFileSync(demo);
    writeFileSync(large, Buffer.concat([bytes, ...Array(200_000).fill(bytes.subarray(24))]));
    const ending = new AbortController();
    const io = fakeIo({ cwd: folder, signal: ending.signal });
    const ended = run(['report', large, '-o', join(folder, 'half.md')], io);
    setTimeout(() => ending.abort(), 30);
    expect(await ended).toBe(130);
    expect(io.written).toEqual({ stdout: '', stderr: '' });
    expect(existsSync(join(folder, 'half.md'))).toBe(false);
  });

  it('refuses standard input', async () => {
    expect(await report('-')).toMatchObject({ status: 2, stderr: expect.stringContaining('cannot be read twice') });
  });
});

describe('--evidence', () => {
  it('holds the frames of captures from several places, which are compared with each other', async () => {
    const file = join(folder, 'places.pcapng');
    const at = (name: string) => join(root, `fixtures/places/reply-lost/${name}.pcap`);
    const { status, stdout, stderr } = await report(at('host-ens34'), at('vm01-ens34'), '--evidence', file);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('answers get no farther than vm01-ens34.pcap');
    const { captures } = await analyze([file]);
    expect(captures.map(({ frames }) => frames)).toEqual([17]);
  });

  const faults = fixtureCases().filter(
    (each) => expectationOf(each).kind === 'fault' && !each.rule.startsWith('capture/'),
  );

  it('gives the same findings, for every fault among the fixtures', async () => {
    const file = join(folder, 'each.pcapng');
    for (const fixture of faults) {
      const capture = captureOf(fixture);
      const own = join(fixture.folder, 'context.json');
      const hostContext = contextOf(fixture);
      const { vantage } = expectationOf(fixture);
      const given = [...(hostContext ? ['--context', own] : []), ...(vantage ? ['--vantage', vantage] : [])];
      const { status, stderr } = await report(capture, '--evidence', file, '-o', join(folder, 'r.md'), ...given);
      expect({ folder: fixture.folder, stderr, status }).toMatchObject({ stderr: '', status: expect.any(Number) });
      const [namespace, device] = (vantage ?? '').split('/');
      const options = { context: hostContext, vantage: vantage ? { namespace, interface: device } : null };
      const [before, after] = [await analyze([capture], options), await analyze([file], options)];
      const told = ({ findings }: typeof before) =>
        findings
          .filter(({ rule }) => !rule.startsWith('capture/'))
          .map(({ rule, severity, confidence, subject, fingerprint }) =>
            JSON.stringify([rule, severity, confidence, subject, fingerprint]),
          )
          .sort();
      expect(told(after), fixture.folder).toEqual(told(before));
      expect(after.captures[0].frames).toBeLessThanOrEqual(before.captures[0].frames);
    }
  }, 120_000);

  it('holds no frame that the filter left out, and needs no filter', async () => {
    const capture = join(root, 'fixtures/rules/arp/duplicate-address/two-replies/capture.pcap');
    const file = join(folder, 'filtered.pcapng');
    const { status, stdout } = await report(capture, '-f', 'arp', '--evidence', file);
    expect(status).toBe(0);
    expect(stdout).toContain(`netdiag analyze ${file}\n`);
    const { captures, findings } = await analyze([file]);
    expect(Object.keys(captures[0].protocols)).toEqual(['arp', 'ethernet']);
    expect(findings.map(({ rule }) => rule)).toContain('arp/duplicate-address');
  });

  it.each([[[]], [['--anonymize']], [['--anonymize-keep-oui']]])(
    'holds the host context, so that the evidence alone proves as much: %j',
    async (how) => {
      const file = join(folder, 'alone.pcapng');
      expect((await report(demo, '--context', context, '--evidence', file, ...how)).stdout).toContain(
        `netdiag analyze ${file}\n`,
      );
      const { stdout } = await report(file);
      expect(stdout).toContain('## Host context');
      const io = fakeIo({ cwd: folder });
      await run(['analyze', file, '--format', 'json'], io);
      const [first] = JSON.parse(io.written.stdout).findings;
      expect(first).toMatchObject({ rule: 'macvlan/vepa-no-reflection', confidence: 'certain' });
      expect(readFileSync(file).includes('macvlan1')).toBe(how.length === 0);
    },
  );

  it.skipIf(!isInstalled('tshark') || !isInstalled('capinfos'))(
    'is read by tshark and capinfos without complaint',
    async () => {
      const file = join(folder, 'e.pcapng');
      await report(demo, '--context', context, '--evidence', file, '-o', join(folder, 'r.md'));
      const fields = ['frame.number', 'frame.packet_flags_direction', 'frame.comment', 'arp.dst.proto_ipv4'];
      const tshark = spawnSync('tshark', ['-r', file, '-T', 'fields', ...fields.flatMap((each) => ['-e', each])], {
        encoding: 'utf8',
      });
      expect(tshark.stderr.replace(/^Running as user.*\n/, '')).toBe('');
      const rows = tshark.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
      expect(rows).toHaveLength(3);
      for (const [, direction, comment, target] of rows) {
        expect(Number(direction)).toBe(2);
        expect(comment).toContain('macvlan/vepa-no-reflection (certain)');
        expect(target).toBe('172.16.91.102');
      }
      const infos = execFileSync('capinfos', [file], { encoding: 'utf8' });
      expect(infos).toMatch(/Number of packets:\s+3/);
      expect(infos).toMatch(/pcapng/);
      expect(infos).toMatch(/Capture comment:\s+Evidence from vepa\.pcap/);
      expect(readFileSync(file).subarray(0, 4).toString('hex')).toBe('0a0d0d0a');
    },
  );
});
