import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { netdiag } from '../support/netdiag.js';

const demo = 'fixtures/demo/vepa.pcap';
const folder = mkdtempSync(join(tmpdir(), 'netdiag-'));
afterAll(() => rmSync(folder, { recursive: true }));

const written = (name: string, text: string) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

/** Expects that a run says nothing but one line about its wrong use. */
async function expectLine(args: string[], subject: string, words: string): Promise<void> {
  const { status, stdout, stderr } = await netdiag(args);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  const [line, ...others] = stderr.split('\n');
  expect(others).toEqual(['']);
  expect(line.startsWith(`netdiag: ${subject}: `), line).toBe(true);
  expect(line.split(': ').length, line).toBeGreaterThanOrEqual(4);
  expect(line).toContain(words);
}

describe('an error', () => {
  it.each<[args: string[], subject: string, words: string]>([
    [['anlyze', demo], 'anlyze', 'did you mean analyze?'],
    [[], 'command', 'missing'],
    [[demo], demo, 'netdiag analyze fixtures/demo/vepa.pcap'],
    [['help', 'anlyze'], 'anlyze', 'no such command'],
    [['analyze', demo, '--quiet=1'], '--quiet', 'takes no value: see netdiag analyze --help'],
    [['analyze', ''], '""', 'no such file'],
    [['analyze', '-', demo, '-'], '-', 'is named twice'],
    [['frames', '-', '-'], '-', 'is named twice'],
    [['analyze', demo, '--select', ''], '--select', 'names no rule'],
    [['analyze', demo, '--context', 'fixtures'], 'fixtures', 'is a directory'],
    [['analyze', demo, '--context', '/dev/zero'], '/dev/zero', 'more than'],
    [['analyze', demo, '-o', 'fixtures'], join(root, 'fixtures'), 'is a directory'],
    [['analyze', demo, '-o', `./fixtures/../${demo}`], `--output ./fixtures/../${demo}`, 'used in this run already'],
    [['report', demo, '--evidence', demo], `--evidence ${demo}`, 'used in this run already'],
    [['report', demo, '-o', '/tmp/one', '--evidence', '/tmp/one'], '--evidence /tmp/one', 'used in this run already'],
    [['check', demo, '-o', demo], `--output ${demo}`, 'used in this run already'],
    [['live', '-', '-o', '/tmp/one', '-w', '/tmp/one'], '--write /tmp/one', 'used in this run already'],
    [['analyze', demo, '-o', ''], '--output', 'names no file'],
    [['analyze', demo, '-o', '-'], '--output -', 'or ./- for one of that name'],
    [['report', demo, '--evidence', '-'], '--evidence -', 'is not standard output'],
    [['live', 'lo', '-w', '-'], '--write -', 'is not standard output'],
    [['live', 'lo', '-w', '/nonexistent/x.pcapng'], '/nonexistent/x.pcapng', '(no such file or folder)'],
    [['report', 'fixtures'], 'fixtures', 'is a directory'],
    [['report', '-', demo, '-'], '-', 'is named twice'],
    [['report', '-'], '-', 'save it to a file first'],
    [['check', '-'], '-', 'save it to a file first'],
    [['analyze', '/tmp/\ufffd.pcap'], '/tmp/\ufffd.pcap', 'its name is not UTF-8'],
    [['analyze', `${demo}/x`], `${demo}/x`, 'part of its path is no folder: check the path'],
    [['analyze', 'x'.repeat(300)], 'x'.repeat(300), 'its name is too long: check the path'],
    [['analyze', demo, '-o', join(folder, 'x'.repeat(300))], join(folder, 'x'.repeat(300)), 'the name is too long'],
    [['analyze', demo, '--vxlan-port', ''], '--vxlan-port', 'names no port'],
    [['explain', 'ARP/Unanswered'], 'explain', 'did you mean arp/unanswered?'],
    [['analyze'], 'capture', 'missing'],
    [['analyze', demo, '--selct', 'arp'], '--selct', 'did you mean --select?'],
    [['analyze', demo, '--format', 'xml'], '--format', 'text, json, ndjson'],
    [['analyze', demo, '--format'], '--format', 'needs a value'],
    [['analyze', demo, '--min-severity', 'eror'], '--min-severity', 'did you mean error?'],
    [['analyze', demo, '--min-confidence', 'sure'], '--min-confidence', 'certain, likely, hint'],
    [['analyze', demo, '--fail-on', 'no'], '--fail-on', 'error, warning, info, never'],
    [['analyze', demo, '--color', 'red'], '--color', 'auto, always, never'],
    [['analyze', demo, '--vantage', 'ens34'], '--vantage', 'host/ens34'],
    [['analyze', demo, '--vxlan-port', '4790,0'], '--vxlan-port', '1 to 65535'],
    [['analyze', demo, '-q', '-v'], '--quiet', '--verbose'],
    [['analyze', demo, '--context', '/nonexistent.json'], '/nonexistent.json', 'no such file'],
    [['analyze', demo, '--context', written('no.json', '{')], join(folder, 'no.json'), 'not JSON'],
    [['analyze', demo, '--context', written('null.json', 'null')], join(folder, 'null.json'), 'not a host context'],
    [['analyze', demo, '--context', written('list.json', '[]')], join(folder, 'list.json'), ''],
    [['analyze', demo, '--config', '/nonexistent.json'], '/nonexistent.json', 'no such file'],
    [['analyze', '/nonexistent.pcap'], '/nonexistent.pcap', 'no such file'],
    [['analyze', demo, '-o', join(folder, 'no', 'out.txt')], join(folder, 'no', 'out.txt'), 'cannot be written'],
    [['frames', demo, '--count', 'x'], '--count', '1 or more'],
    [['frames', demo, '--format', 'json'], '--format', 'text, ndjson'],
    [['frames', '/nonexistent.pcap'], '/nonexistent.pcap', 'no such file'],
    [['live', 'lo', '--duration', 'x'], '--duration', 'above 0'],
    [['live', 'lo', '--duration', '1e12'], '--duration', 'at most 2147483'],
    [['live', 'lo', '--count', '1.5'], '--count', 'whole number'],
    [['live', 'lo', '--snapshot-length', '262145'], '--snapshot-length', 'at most 262144'],
    [['live', 'lo', '--buffer', '0'], '--buffer', 'above 0'],
    [['live', 'lo', '--backend', 'pcap'], '--backend', 'did you mean cap?'],
    [['live', 'lo', '--ring', '3x5'], '--ring', '--write'],
    [['live', 'lo', '--ring', '3', '-w', join(folder, 'x.pcapng')], '--ring', '5x100'],
    [['live', 'lo', '--select', 'arp/unanswerd'], '--select', 'did you mean arp/unanswered?'],
    [['live', '-', '--netns', 'ns01'], '--netns', 'does not go with a stream'],
    [['live', '-', '--snapshot-length', '64'], '--snapshot-length', 'does not go with a stream'],
    [['live', '-', 'lo'], '-', 'run netdiag twice'],
    [['live', 'lo', '--backend', 'cap', '--netns', 'no-such'], '--netns no-such', 'netdiag interfaces'],
    [['rules', 'arp'], 'rules', 'fewer arguments'],
    [['explain'], 'rule', 'missing'],
    [['explain', 'unanswered'], 'explain', 'did you mean arp/unanswered or nd/unanswered?'],
  ])('%j is one line that names %s', (args, subject, words) => expectLine(args, subject, words));

  it('has a stack only with NETDIAG_DEBUG=1', async () => {
    const { stderr } = await netdiag(['analyze', demo, '--format', 'xml'], { env: { NETDIAG_DEBUG: '1' } });
    expect(stderr).toMatch(/^netdiag: --format: .*\n(.*\n)* +at /);
  });

  it('cannot make the terminal do anything', async () => {
    const { stderr } = await netdiag(['analyze', '/tmp/\u001b]0;owned\u0007\n.pcap']);
    expect(stderr).toMatch(/^netdiag: .*no such file.*\n$/);
    expect(stderr).not.toContain('\u001b');
  });
});

describe('the name of a rule', () => {
  const selecting = written('select.json', '{"select": ["arp/unanswerd"]}');
  const accepting = written('accept.json', '{"suppressions": [{"rule": "arp", "reason": "x"}]}');
  const judging = written('severity.json', '{"severity": {"arp/unanswered": "fatal"}}');

  it.each<[args: string[], subject: string, words: string]>([
    [
      ['analyze', demo, '--select', 'arp/unanswerd'],
      '--select',
      'no rule "arp/unanswerd": did you mean arp/unanswered?',
    ],
    [['analyze', demo, '--ignore', 'arp,quux'], '--ignore', 'no rule "quux"'],
    [['analyze', demo, '--config', selecting], `${selecting}: select`, 'did you mean arp/unanswered?'],
    [['analyze', demo, '--config', judging], `${judging}: severity: arp/unanswered`, 'error, warning, info'],
    [['explain', 'arp/unanswerd'], 'explain', 'did you mean arp/unanswered?'],
    [['explain', 'arp'], 'explain', 'arp/unanswered'],
    [['analyze', demo, '--config', accepting], `${accepting}: suppressions[0]`, '"arp" is a group'],
  ])('that is wrong in %j is told as %s', (args, subject, words) => expectLine(args, subject, words));
});

describe('the configuration', () => {
  it.each<[json: object, key: string, words: string]>([
    [{ ignored: [] }, '', 'did you mean ignore?'],
    [{ select: 'arp' }, ': select', 'square brackets'],
    [{ ignore: [1] }, ': ignore', '1 is not text'],
    [{ severity: { 'arp/nothing-such': 'info' } }, ': severity', 'no rule'],
    [{ vxlanPorts: [70000] }, ': vxlanPorts', '1 to 65535'],
    [{ vxlanPorts: [{ toString: 1 }] }, ': vxlanPorts', 'an object is not a UDP port'],
    [{ select: [['arp']] }, ': select', 'a list is not text'],
    [{ thresholds: { 'arp/unanswered': { requests: {} } } }, ': thresholds: arp/unanswered: requests', 'an object'],
    [{ suppressions: [{ rule: 'arp' }] }, ': suppressions[0]', 'reason'],
    [{ suppressions: [{ reason: 'x' }] }, ': suppressions[0]', '"rule" or a "fingerprint"'],
    [
      { suppressions: [{ rule: 'arp/unanswered', subject: { ip: ['192.0.2.1'] }, reason: 'x' }] },
      ': suppressions[0]: subject',
      'not an object of texts and numbers',
    ],
    [{ suppressions: [{ rule: 'arp', reason: 'x', until: 1 }] }, ': suppressions[0]', '"until"'],
  ])('%j is refused', async (json, key, words) => {
    const file = written('netdiag.config.json', JSON.stringify(json));
    const { status, stderr } = await netdiag(['analyze', demo, '--config', file]);
    expect(status).toBe(2);
    expect(stderr.startsWith(`netdiag: ${file}${key}: `), stderr).toBe(true);
    expect(stderr).toContain(words);
  });

  it('accepts a finding by a number in its subject', async () => {
    const capture = 'fixtures/rules/vxlan/stale-fdb/old-entry/capture.pcap';
    const accepted = async (vni: number) => {
      const suppression = { rule: 'vxlan/stale-fdb', subject: { vni }, reason: 'x' };
      const file = written('number.json', JSON.stringify({ suppressions: [suppression] }));
      const { stdout } = await netdiag(['analyze', capture, '--format', 'json', '--config', file]);
      return JSON.parse(stdout).suppressed.map(({ rule }: { rule: string }) => rule);
    };
    expect(await accepted(10)).toEqual(['vxlan/stale-fdb']);
    expect(await accepted(11)).toEqual([]);
  });

  it('has no threshold without bounds', async () => {
    const file = written('endless.json', '{"thresholds": {"arp/unanswered": {"requests": 1e999}}}');
    await expectLine(
      ['analyze', demo, '--config', file],
      `${file}: thresholds: arp/unanswered: requests`,
      'Infinity is no number above 0',
    );
  });

  it('may be nested however deeply, and begin with a byte order mark', async () => {
    const deep = written('deep.json', `{"select": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    await expectLine(['analyze', demo, '--config', deep], `${deep}: select`, 'a list is not text');
    const marked = written('marked.json', '\ufeff{"select": ["vlan"]}');
    expect((await netdiag(['analyze', demo, '--config', marked])).status).toBe(0);
  });
});
