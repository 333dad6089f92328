import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { root } from '../../support/fixtures.js';
import { ONE, PARENT } from '../../support/siblings.js';
import { Capture } from '../../support/wire.js';

const RULE = 'macvlan/foreign-mac-behind-child';
const INNER = '4a:76:23:1b:74:3e';
const recorded = JSON.parse(
  readFileSync(join(root, 'fixtures/rules/macvlan/foreign-mac-behind-child/at-child/context.json'), 'utf8'),
);
/** The recorded host, its child in another mode. */
const context = (mode = 'bridge') =>
  parseContext(JSON.parse(JSON.stringify(recorded).replaceAll('"mode":"bridge"', `"mode":"${mode}"`)));
const asks = (from = INNER, times = 3) => new Capture().askAgain(times, from, '10.7.0.50', '10.7.0.1');
const AT_CHILD = { namespace: 'ns', interface: 'macvlan1' };
const rules = async (capture = asks(), mode = 'bridge', vantage: typeof AT_CHILD | undefined = AT_CHILD) =>
  (await capture.findings({ context: context(mode), ...(vantage ? { vantage } : {}) })).map(
    ({ rule, confidence }) => `${rule} ${confidence}`,
  );

describe('macvlan/foreign-mac-behind-child', () => {
  it('is likely of what sits behind the bridge, wherever it was captured', async () => {
    expect(await rules()).toEqual([`${RULE} likely`]);
    expect(await rules(asks(), 'bridge', { namespace: 'inner', interface: 'eth0' })).toEqual([`${RULE} likely`]);
  });

  it('keeps still in mode passthru, after two requests, and when answered', async () => {
    expect(await rules(asks(), 'passthru')).not.toContain(`${RULE} likely`);
    expect(await rules(asks(INNER, 2))).not.toContain(`${RULE} likely`);
    expect(await rules(asks().answer(PARENT, '10.7.0.1', INNER, '10.7.0.50'))).toEqual([]);
  });

  it('keeps still about others that are heard on the child, and without a context', async () => {
    expect(await rules(asks(ONE))).not.toContain(`${RULE} likely`);
    expect((await asks().findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });
});
