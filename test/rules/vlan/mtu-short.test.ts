import { describe, expect, it } from 'vitest';
import { Capture, inShort, u16, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const TAGGED = { vlan: 10 };

function echo(capture: Capture, type: 8 | 0, id: number, seq: number, size: number, way: Way): Capture {
  const payload = [type, 0, 0, 0, ...u16(id), ...u16(seq), ...new Array(size - 28).fill(7)];
  const [from, to, source, destination] = type === 8 ? [A, B, '10.0.0.1', '10.0.0.2'] : [B, A, '10.0.0.2', '10.0.0.1'];
  return capture.ipv4({ from, to, source, destination, protocol: 1, id: seq + 256 * id + type, payload }, way);
}

/** Pings: one of `passes` bytes that is answered, `times` of `fails` bytes that are not, and another that is. */
function pings(passes: number, fails: number, way: Way = TAGGED, times = 4): Capture {
  const capture = new Capture();
  echo(echo(capture, 8, 1, 1, passes, way).at(0.001), 0, 1, 1, passes, way);
  for (let seq = 1; seq <= times; seq++) echo(capture.at(seq), 8, 2, seq, fails, way);
  return echo(echo(capture.at(12), 8, 3, 1, passes, way).at(12.001), 0, 3, 1, passes, way);
}

const findings = async (capture: Capture) =>
  inShort((await capture.findings()).filter(({ rule }) => rule === 'vlan/mtu-short'));

describe('vlan/mtu-short', () => {
  it.each([
    [1496, 1500, 'likely'],
    [1493, 1497, 'likely'],
    [1492, 1500, 'hint'],
    [84, 1500, 'hint'],
  ])('%i bytes pass, %i do not: %s', async (passes, fails, confidence) => {
    expect(await findings(pings(passes, fails))).toEqual([['vlan/mtu-short', confidence, [3, 4, 5, 6]]]);
  });

  it.each([
    [1496, 1501],
    [1497, 1500],
    [1400, 1496],
  ])('keeps still where %i bytes pass and %i do not', async (passes, fails) => {
    expect(await findings(pings(passes, fails))).toEqual([]);
  });

  it('takes in what the sizes alone would say', async () => {
    const [finding, ...others] = await pings(1496, 1500).findings();
    expect(others).toEqual([]);
    expect(finding.explains.map(({ rule }) => rule).sort()).toEqual(['icmp/echo-unanswered', 'mtu/black-hole']);
  });

  it('keeps still without a tag, and after two requests', async () => {
    expect(await findings(pings(1496, 1500, {}))).toEqual([]);
    expect(await findings(pings(1496, 1500, TAGGED, 2))).toEqual([]);
  });

  it('takes it back when a reply comes after all', async () => {
    const capture = echo(pings(1496, 1500).at(13), 0, 2, 4, 1500, TAGGED);
    expect(await findings(capture)).toEqual([]);
  });
});
