import { describe, expect, it } from 'vitest';
import { PARENT, siblings } from '../../support/siblings.js';
import { Capture } from '../../support/wire.js';

const RULE = 'macvlan/passthru-takes-parent';
const OUTSIDE = '02:00:00:00:00:77';
const asks = (times: number, spa = '10.0.0.14') => {
  const capture = new Capture();
  for (let i = 0; i < times; i++)
    capture
      .at(i * 1.02)
      .ask(PARENT, spa, '10.0.0.77')
      .at(i * 1.02 + 0.01)
      .answer(OUTSIDE, '10.0.0.77', PARENT, spa);
  return capture;
};
const rules = async (capture: Capture, kind: 'ipvlan' | 'macvlan' = 'ipvlan', mode = 'l2') =>
  (await capture.findings({ context: siblings({ kind, mode }) })).map(({ rule }) => rule);

describe('macvlan/passthru-takes-parent', () => {
  // A child is entered under its parent if it has its MAC: the recorded fixtures show that.
  it('keeps still about other children, and without a context', async () => {
    expect(await rules(asks(3))).not.toContain(RULE);
    expect(await rules(asks(3), 'macvlan', 'bridge')).not.toContain(RULE);
    expect((await asks(3).findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });

  it.each([
    [2, false],
    [3, true],
  ])('says of %i answered requests: %s', async (times, speaks) => {
    const context = siblings({ kind: 'macvlan', mode: 'passthru', shared: true });
    const found = (await asks(times).findings({ context })).map(({ rule, confidence }) => `${rule} ${confidence}`);
    expect(found.includes(`${RULE} certain`)).toBe(speaks);
  });

  it('keeps still about the address of the child itself', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'passthru', shared: true });
    const found = (await asks(3, '10.0.0.101').findings({ context })).map(({ rule }) => rule);
    expect(found).not.toContain(RULE);
  });
});
