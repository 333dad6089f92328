import { describe, expect, it } from 'vitest';
import { ONE, siblings } from '../../support/siblings.js';
import { Capture } from '../../support/wire.js';

const PRIVATE = 'macvlan/private-sibling';
const rules = async (mode: string, otherMode: string, target = '10.0.0.102', hairpin = true) => {
  const context = siblings({ kind: 'macvlan', mode, otherMode, hairpin });
  const findings = await new Capture().askAgain(3, ONE, '10.0.0.101', target).findings({ context });
  return findings.map(({ rule, confidence }) => `${rule} ${confidence}`);
};

describe('macvlan/private-sibling', () => {
  it.each([
    ['private', 'private'],
    ['private', 'bridge'],
    ['bridge', 'private'],
  ])('is certain when %s meets %s, reflected or not', async (mode, otherMode) => {
    expect(await rules(mode, otherMode)).toEqual([`${PRIVATE} certain`]);
    expect(await rules(mode, otherMode, '10.0.0.102', false)).toEqual([`${PRIVATE} certain`]);
  });

  it('keeps still in bridge mode', async () => {
    expect(await rules('bridge', 'bridge')).toEqual(['arp/unanswered likely']);
  });

  it('keeps still about a target outside and about the parent', async () => {
    expect(await rules('private', 'private', '10.0.0.77')).toEqual(['arp/unanswered likely']);
    expect(await rules('private', 'private', '10.0.0.14')).toEqual(['macvlan/host-isolation certain']);
  });

  it('has nothing to say without a context', async () => {
    const findings = await new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.102').findings({ select: [PRIVATE] });
    expect(findings).toEqual([]);
  });
});
