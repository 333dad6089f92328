import { describe, expect, it } from 'vitest';
import { assemble, MAX_EVIDENCE, type Surroundings } from '../../src/findings/assemble.js';
import { Collector, MAX_PER_RULE } from '../../src/findings/collector.js';
import type { Network } from '../../src/network/network.js';
import type { EvidenceRef, RuleId } from '../../src/rules/rule.js';
import { diagnosis, silentRule } from '../support/diagnosis.js';

const SURROUNDINGS: Surroundings = {
  epoch: Date.UTC(2026, 0, 2, 3, 4, 5) / 1000,
  severity: {},
  obeyed: [],
  describeSegment: () => ({ capture: 0, interface: 'ens34', vlans: [100], vnis: [] }),
  places: { network: {} as Network, captures: [] },
  losses: () => null,
};

const cause = silentRule('macvlan/vepa-no-reflection', 'error');
const symptom = silentRule('arp/unanswered', 'warning');
const other = silentRule('capture/one-direction', 'info');

const arpIn = (frame: number, capture = 0): EvidenceRef => ({ capture, frame, layer: 'arp', offset: 14, length: 28 });

const found = (collector: Collector, surroundings = SURROUNDINGS) => assemble(collector, surroundings);

describe('a cure', () => {
  it('has each command once: what both ends are asked is one where they have no names', () => {
    const collector = new Collector();
    const remedy = [{ text: 'look at both', commands: ['ip -d link', 'ip -d link', 'ip route'] }];
    collector.report(symptom, diagnosis({ key: 'a', remedy }));
    expect(found(collector)[0].remedy).toEqual([{ text: 'look at both', commands: ['ip -d link', 'ip route'] }]);
  });
});

describe('collecting', () => {
  it('keeps the last report for a key, and none that was withdrawn', () => {
    const collector = new Collector();
    collector.report(symptom, diagnosis({ key: 'a', count: 2 }));
    collector.report(symptom, diagnosis({ key: 'a', count: 3 }));
    collector.report(symptom, diagnosis({ key: 'b' }));
    collector.report(other, diagnosis({ key: 'b' }));
    collector.withdraw(symptom, 'b');
    collector.withdraw(symptom, 'never reported');
    expect(found(collector).map(({ rule, count }) => [rule, count])).toEqual([
      ['arp/unanswered', 3],
      ['capture/one-direction', 1],
    ]);
  });

  it('does not let one rule fill the memory, and says so', () => {
    const collector = new Collector();
    for (let i = 0; i < MAX_PER_RULE + 5; i++)
      collector.report(symptom, diagnosis({ key: `${i}`, subject: { row: i } }));
    collector.report(symptom, diagnosis({ key: '0', count: 9 }));
    const findings = found(collector);
    expect(findings).toHaveLength(MAX_PER_RULE);
    expect(findings[0]).toMatchObject({ count: 9, caveats: [expect.stringContaining('5 further reports')] });
    expect(findings[1].caveats).toEqual([]);
  });
});

describe('a finding', () => {
  it('has the times of its frames, its segment, and the severity of its rule', () => {
    const collector = new Collector();
    collector.report(symptom, diagnosis({ first: 678_901_234, last: 62_000_000_001 }));
    expect(found(collector)).toMatchObject([
      {
        severity: 'warning',
        first: '2026-01-02T03:04:05.678901234Z',
        last: '2026-01-02T03:05:07.000000001Z',
        segment: { capture: 0, interface: 'ens34', vlans: [100], vnis: [] },
      },
    ]);
  });

  it('about a whole capture has no segment but the capture', () => {
    const collector = new Collector();
    collector.report(other, diagnosis({ segment: -1, capture: 2 }));
    expect(found(collector)[0].segment).toEqual({ capture: 2, interface: null, vlans: [], vnis: [] });
  });

  it('takes its severity from the user, else from the case at hand, else from the rule', () => {
    const collector = new Collector();
    collector.report(symptom, diagnosis({ key: 'mild', severity: 'info' }));
    expect(found(collector)[0].severity).toBe('info');
    expect(found(collector, { ...SURROUNDINGS, severity: { 'arp/unanswered': 'error' } })[0].severity).toBe('error');
  });

  it(`lists ${MAX_EVIDENCE} places as evidence at most, each once, in the order of the frames`, () => {
    const collector = new Collector();
    const evidence = Array.from({ length: 100 }, (_, i) => arpIn(100 - i));
    collector.report(symptom, diagnosis({ evidence: [arpIn(100), ...evidence] }));
    const frames = found(collector)[0].evidence.map(({ frame }) => frame);
    expect(frames).toEqual(Array.from({ length: MAX_EVIDENCE }, (_, i) => 100 - MAX_EVIDENCE + 1 + i));
  });
});

describe('a cause and its symptom', () => {
  const explaining = (confidence: 'certain' | 'likely' | 'hint') => {
    const collector = new Collector();
    collector.report(symptom, diagnosis({ key: 's', count: 3, evidence: [arpIn(2), arpIn(5), arpIn(7)] }));
    collector.report(
      cause,
      diagnosis({ confidence, evidence: [arpIn(2), arpIn(1)], explains: [{ rule: symptom.meta.id, key: 's' }] }),
    );
    return found(collector);
  };

  it.each(['certain', 'likely'] as const)('become one finding if the cause is %s', (confidence) => {
    const findings = explaining(confidence);
    expect(findings.map(({ rule }) => rule)).toEqual(['macvlan/vepa-no-reflection']);
    expect(findings[0].explains).toEqual([{ rule: 'arp/unanswered', count: 3, frames: [2, 5, 7] }]);
    expect(findings[0].evidence.map(({ frame }) => frame)).toEqual([1, 2, 5, 7]);
  });

  it('stay two if the cause is a hint', () => {
    const findings = explaining('hint');
    expect(findings.map(({ rule, explains }) => [rule, explains])).toEqual([
      ['arp/unanswered', []],
      ['macvlan/vepa-no-reflection', []],
    ]);
  });

  it('that nobody reported explains nothing', () => {
    const collector = new Collector();
    collector.report(cause, diagnosis({ explains: [{ rule: 'arp/unanswered', key: 'x' }] }));
    expect(found(collector)[0].explains).toEqual([]);
  });

  it('of a symptom are told by the first cause', () => {
    const collector = new Collector();
    const chain: [RuleId, string, RuleId | null][] = [
      ['a/root', 'root', 'b/middle'],
      ['b/middle', 'middle', 'c/leaf'],
      ['c/leaf', 'leaf', null],
    ];
    for (const [id, key, next] of chain.toReversed()) {
      const explains = next === null ? [] : [{ rule: next, key: next.slice(2) }];
      collector.report(silentRule(id), diagnosis({ key, explains }));
    }
    const findings = found(collector);
    expect(findings).toHaveLength(1);
    expect(findings[0].rule).toBe('a/root');
    expect(findings[0].explains.map(({ rule }) => rule).sort()).toEqual(['b/middle', 'c/leaf']);
  });

  it('that explain each other leave one of them standing', () => {
    const collector = new Collector();
    const ring: RuleId[] = ['a/one', 'b/two', 'c/three'];
    for (const [i, id] of ring.entries()) {
      collector.report(silentRule(id), diagnosis({ explains: [{ rule: ring[(i + 1) % 3], key: 'key' }] }));
    }
    collector.report(silentRule('d/self'), diagnosis({ explains: [{ rule: 'd/self', key: 'key' }] }));
    expect(found(collector).map(({ rule }) => rule)).toEqual(['a/one', 'd/self']);
  });
});

describe('the order of findings', () => {
  it('is by severity, hints behind, then confidence, cause before the rest, count, and time', () => {
    const collector = new Collector();
    const error = silentRule('x/error', 'error');
    collector.report(error, diagnosis({ key: 'late', title: 'late', first: 2, last: 3 }));
    collector.report(error, diagnosis({ key: 'early', title: 'early', first: 1, last: 3 }));
    collector.report(error, diagnosis({ key: 'often', title: 'often', first: 5, last: 9, count: 7 }));
    collector.report(error, diagnosis({ key: 'unsure', title: 'unsure', confidence: 'hint', count: 99 }));
    collector.report(error, diagnosis({ key: 'why', title: 'cause', explains: [{ rule: symptom.meta.id, key: 's' }] }));
    collector.report(symptom, diagnosis({ key: 's', title: 'symptom', count: 1000 }));
    collector.report(symptom, diagnosis({ key: 't', title: 'milder', count: 1000 }));
    expect(found(collector).map(({ title }) => title)).toEqual(['cause', 'often', 'early', 'late', 'milder', 'unsure']);
  });
});

describe('the fingerprint', () => {
  const fingerprintOf = (subject: Record<string, string>, capture: number, vlans: number[]) => {
    const collector = new Collector();
    collector.report(symptom, diagnosis({ subject, first: Math.random() * 1e9, count: capture + 1 }));
    const describeSegment = () => ({ capture, interface: 'ens34', vlans, vnis: [] });
    return found(collector, { ...SURROUNDINGS, describeSegment })[0].fingerprint;
  };

  it('is the same for the same fault in another capture and at another time', () => {
    const one = fingerprintOf({ ip: '192.0.2.1', mac: '02:00:00:00:00:01' }, 0, [5]);
    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprintOf({ mac: '02:00:00:00:00:01', ip: '192.0.2.1' }, 3, [5])).toBe(one);
  });

  it('differs for another subject or segment', () => {
    const ones = [
      fingerprintOf({ ip: '192.0.2.1' }, 0, [5]),
      fingerprintOf({ ip: '192.0.2.2' }, 0, [5]),
      fingerprintOf({ mac: '192.0.2.1' }, 0, [5]),
      fingerprintOf({ ip: '192.0.2.1' }, 0, [6]),
    ];
    expect(new Set(ones).size).toBe(4);
  });
});
