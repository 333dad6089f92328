import { describe, expect, it } from 'vitest';
import { PARENT, siblings } from '../../support/siblings.js';
import { Capture } from '../../support/wire.js';

const RULE = 'ipvlan/l3-vepa-on-link';
const OUTSIDE = '02:00:00:00:00:77';
const hostAsks = (times = 3) => new Capture().askAgain(times, PARENT, '10.0.0.14', '10.0.0.102');
const rules = async (capture: Capture, mode = 'l3', flag = 'vepa') =>
  (await capture.findings({ context: siblings({ kind: 'ipvlan', mode, flag }) })).map(
    ({ rule, confidence }) => `${rule} ${confidence}`,
  );

describe('ipvlan/l3-vepa-on-link', () => {
  it.each(['l3', 'l3s'])('is certain in mode %s', async (mode) => {
    expect(await rules(hostAsks(), mode)).toEqual([`${RULE} certain`]);
  });

  it('keeps still in mode l2 and with other flags', async () => {
    expect((await rules(hostAsks(), 'l2')).join()).not.toContain(RULE);
    expect((await rules(hostAsks(), 'l3', 'bridge')).join()).not.toContain(RULE);
    expect((await rules(hostAsks(), 'l3', 'private')).join()).not.toContain(RULE);
  });

  it('keeps still after two requests, when answered, and when another asks', async () => {
    expect((await rules(hostAsks(2))).join()).not.toContain(RULE);
    expect((await rules(hostAsks().answer(OUTSIDE, '10.0.0.102', PARENT, '10.0.0.14'))).join()).not.toContain(RULE);
    const other = new Capture().askAgain(3, OUTSIDE, '10.0.0.77', '10.0.0.102');
    expect((await rules(other)).join()).not.toContain(RULE);
  });

  it('has nothing to say without a context', async () => {
    expect((await hostAsks().findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });
});
