import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../../src/analyze.js';
import type { Finding } from '../../../src/findings/finding.js';
import { pathPicture } from '../../../src/findings/topology/path.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { width } from '../../../src/tui/text.js';

/** The picture of the first finding of a rule in a fixture. */
async function pictureOf(rule: string, name: string, file: string, given?: Partial<Finding>): Promise<string> {
  const folder = `fixtures/rules/${rule}/${name}`;
  const stored = `${folder}/context.json`;
  const context = existsSync(stored) ? parseContext(JSON.parse(readFileSync(stored, 'utf8'))) : null;
  const { findings } = await analyze([`${folder}/${file}`], { context });
  const finding = findings.find((each) => each.rule === rule);
  if (finding === undefined) throw new Error(`${rule} was not found`);
  return pathPicture({ ...finding, ...given }, context).join('\n');
}

/** Matches what has these words in this order. */
function inOrder(words: readonly string[]): RegExp {
  return new RegExp(words.map((word) => word.replace(/[.()]/g, '\\$&')).join('[\\s\\S]*'));
}

describe('the failing path', () => {
  test('a macvlan child and its own host', async () => {
    const picture = await pictureOf('macvlan/host-isolation', 'child-asks', 'capture.pcap');
    expect(picture).toMatch(
      inOrder([
        'ns01',
        'macvlan1 172.16.91.101',
        '1  ARP who-has 172.16.91.14',
        'host',
        'ens34',
        '✗ 3  stops here',
        'ens34 172.16.91.14',
      ]),
    );
  });

  test('ipvlan children that are kept apart meet at their parent', async () => {
    const picture = await pictureOf('ipvlan/sibling-unanswered', 'private', 'capture.pcap');
    expect(picture).toMatch(
      inOrder([
        'ns01',
        'ipvlan1 172.16.91.101 (ipvlan l2 private)',
        'ens34',
        '✗ 3  stops here',
        'ns02',
        'ipvlan2 172.16.91.102',
      ]),
    );
  });

  test('ipvlan VEPA without a reflecting switch', async () => {
    const picture = await pictureOf('ipvlan/vepa-no-reflection', 'asking-child', 'capture.pcap');
    expect(picture).toMatch(
      inOrder(['ipvlan1 172.16.91.101 (ipvlan l2 vepa)', 'ens34', '✗ 3  stops here', 'ipvlan2 172.16.91.102']),
    );
  });

  test('ARP that nobody answers, nothing known of the machines', async () => {
    const picture = await pictureOf('arp/unanswered', 'host-off', 'capture.pcap');
    expect(picture).toMatch(
      inOrder([
        '10.0.0.1',
        '1  ARP who-has 10.0.0.77 tell 10.0.0.1 (frame 1)',
        'captured here',
        '2  seen here',
        '✗ 3  stops here',
        'target',
        '10.0.0.77',
      ]),
    );
  });

  test('VXLAN that goes one way', async () => {
    const picture = await pictureOf('vxlan/one-way', 'wrong-remote-behind', 'capture.pcap');
    expect(picture).toMatch(
      inOrder(['10.1.1.1', 'captured here', 'VNI 10', 'seen here', '✗ 3  stops here', '10.1.1.2']),
    );
  });

  test('has straight sides whatever the names are', async () => {
    const names = { requester: '网卡一号', ip: 'an-address-that-is-far-longer-than-any-other' };
    const picture = await pictureOf('arp/unanswered', 'host-off', 'capture.pcap', { subject: names });
    const boxes = picture.split('\n').filter((line) => /^[│┌└]/.test(line));
    expect(new Set(boxes.map((line) => width(line))).size).toBe(1);
  });

  test('is not drawn where a finding does not tell two ends', async () => {
    expect(
      await pictureOf('arp/unanswered', 'host-off', 'capture.pcap', { subject: { mac: '02:00:00:00:00:01' } }),
    ).toBe('');
  });

  test('brings no control characters to the terminal', async () => {
    const subject = { requester: '10.0.0.1', ip: '\x1b[2J' };
    const picture = await pictureOf('arp/unanswered', 'host-off', 'capture.pcap', { subject, cause: '\x07' });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(picture).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
  });
});
