import { describe, expect, it } from 'vitest';
import { ping } from '../../support/ping.js';
import { ONE, siblings, TWO } from '../../support/siblings.js';
import { syns } from '../../support/tcp.js';
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

  it('only hints of taps whose guests are not known, is certain by the MAC of the guest, and keeps still about others', async () => {
    const context = siblings({ kind: 'macvtap', mode: 'private', withoutAddresses: true });
    const told = async (from?: string) => {
      const capture = new Capture();
      if (from) capture.ask(from, '10.0.0.102', '10.0.0.7').at(5);
      const findings = await capture.askAgain(3, ONE, '10.0.0.101', '10.0.0.102').findings({ context });
      return findings.filter(({ rule }) => rule === PRIVATE).map(({ confidence }) => confidence);
    };
    expect(await told()).toEqual(['hint']);
    expect(await told(TWO)).toEqual(['certain']);
    expect(await told('02:00:00:00:00:77')).toEqual([]);
  });

  it('explains that a guest which sends does not answer ARP, as a child of ipvlan in mode l3 would not', async () => {
    const context = siblings({ kind: 'macvtap', mode: 'private', withoutAddresses: true });
    const far = { mac: '02:00:00:00:00:77', ip: '10.0.0.7' };
    const capture = ping(new Capture(), 3, { from: { mac: TWO, ip: '10.0.0.102' }, to: far, answered: () => true });
    capture.at(9).askAgain(3, ONE, '10.0.0.101', '10.0.0.102');
    const ruleOf = ({ rule }: { rule: string }) => rule;
    expect((await capture.findings({ context })).map(ruleOf)).toEqual([PRIVATE]);
    expect((await capture.findings({})).map(ruleOf)).toContain('ipvlan/l3-unreachable');
  });

  it('keeps still in bridge mode', async () => {
    expect(await rules('bridge', 'bridge')).toEqual(['arp/unanswered likely']);
  });

  it('keeps still about a target outside and about the parent', async () => {
    expect(await rules('private', 'private', '10.0.0.77')).toEqual(['arp/unanswered likely']);
    expect(await rules('private', 'private', '10.0.0.14')).toEqual(['macvlan/host-isolation certain']);
  });

  describe('of children that know each other’s MAC without asking', () => {
    const [one, two] = [
      { mac: ONE, ip: '10.0.0.101' },
      { mac: TWO, ip: '10.0.0.102' },
    ];
    const both = () => syns(ping(new Capture(), 3, { from: one, to: two }), 3, {}, 5, one, two);
    const told = async (mode: string, otherMode: string, hairpin?: boolean, capture = both(), options = {}) => {
      const context = siblings({ kind: 'macvlan', mode, otherMode, ...(hairpin === undefined ? {} : { hairpin }) });
      const findings = await capture.findings({ context, ...options });
      return findings.filter(({ rule }) => rule === PRIVATE).map(({ confidence }) => confidence);
    };

    it('is certain where the switch does not reflect, likely at the parent where nothing comes back, else a hint', async () => {
      for (const [mode, other] of [
        ['private', 'private'],
        ['private', 'bridge'],
        ['bridge', 'private'],
        ['vepa', 'private'],
      ])
        expect(await told(mode, other, false)).toEqual(['certain']);
      const atParent = { vantage: { namespace: 'host', interface: 'eth0' } };
      expect(await told('private', 'private', undefined, both(), atParent)).toEqual(['likely']);
      expect(await told('private', 'private')).toEqual(['hint']);
    });

    it('keeps still where the switch reflects, for unicast then passes, in bridge mode, and where replies come', async () => {
      expect(await told('private', 'private', true)).toEqual([]);
      expect(await told('bridge', 'bridge', false)).toEqual([]);
      const answered = ping(new Capture(), 3, { from: one, to: two, answered: () => true });
      expect(await told('private', 'private', false, answered)).toEqual([]);
    });

    it('is one finding with the questions that follow', async () => {
      const capture = ping(new Capture(), 3, { from: one, to: two }).at(9).askAgain(3, ONE, one.ip, two.ip);
      expect(await told('private', 'private', false, capture)).toEqual(['certain']);
    });
  });

  it('has nothing to say without a context', async () => {
    const findings = await new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.102').findings({ select: [PRIVATE] });
    expect(findings).toEqual([]);
  });
});
