import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.js';
import { obeyedWords, pasteable } from '../../src/findings/commands.js';
import { parseContext } from '../../src/network/context/parse.js';
import { root } from '../support/fixtures.js';

const named = (ifname: string, namespace = 'host') =>
  parseContext({ namespaces: { [namespace]: { 'ip -d -j link': [{ ifname, ifindex: 1 }] } } });

describe('a word that a shell would obey', () => {
  it.each(['eth0', 'br-lan.10', 'veth0@if2', 'tap_1', '网卡0', 'wg+1'])('is not %s', (name) => {
    expect(obeyedWords(named(name))).toEqual([]);
  });

  it.each(['a;reboot', '$(id)', '`id`', "a'b", 'a b', '-batch', '*', 'a\nb', '>x', '#1', '\u202etxt'])(
    'is %j, as a device and as a namespace',
    (name) => {
      expect(obeyedWords(named(name))).toContain(name);
      expect(obeyedWords(named('eth0', name))).toContain(name);
    },
  );

  it('is replaced in a command wherever it stands, the longest first', () => {
    const words = obeyedWords(
      parseContext({ namespaces: { ';': { 'ip -d -j link': [{ ifname: 'a;b', ifindex: 1 }] } } }),
    );
    expect(pasteable('ip netns exec ; ip link set a;b up', words)).toBe('ip netns exec <name> ip link set <name> up');
  });
});

it('keeps what a context is made to call devices out of every command, and tells it in the text', async () => {
  const demo = join(root, 'fixtures/demo');
  const json = readFileSync(join(demo, 'context.json'), 'utf8')
    .replaceAll('macvlan1', 'm;reboot')
    .replaceAll('"ns01"', '"n$(id)"');
  const { findings } = await analyze([join(demo, 'vepa.pcap')], { context: parseContext(JSON.parse(json)) });
  const [{ rule, remedy, picture }] = findings;
  expect(rule).toBe('macvlan/vepa-no-reflection');
  const commands = remedy.flatMap((each) => each.commands);
  expect(commands[0]).toBe('ip netns exec <name> ip link set <name> type macvlan mode bridge');
  expect(commands.join('\n')).not.toMatch(/reboot|\$\(/);
  expect(picture.join('\n')).toContain('m;reboot');
});
