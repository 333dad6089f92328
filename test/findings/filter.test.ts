import { describe, expect, it } from 'vitest';
import { fails, showOnly, suppress } from '../../src/findings/filter.js';
import { analysis, finding } from '../support/diagnosis.js';

const mixed = analysis({
  findings: [
    finding({ severity: 'error', confidence: 'hint' }),
    finding({ severity: 'warning', confidence: 'likely' }),
    finding({ severity: 'warning', confidence: 'hint' }),
    finding({ severity: 'info', confidence: 'certain' }),
  ],
});

describe('showOnly', () => {
  it.each([
    ['info', 'hint', { error: 1, warning: 2, info: 1 }, 0],
    ['warning', 'hint', { error: 1, warning: 2, info: 0 }, 1],
    ['error', 'hint', { error: 1, warning: 0, info: 0 }, 3],
    ['info', 'likely', { error: 0, warning: 1, info: 1 }, 2],
    ['warning', 'certain', { error: 0, warning: 0, info: 0 }, 4],
  ] as const)('%s and %s', (severity, confidence, summary, hidden) => {
    const shown = showOnly(mixed, severity, confidence);
    expect(shown.summary).toEqual(summary);
    expect(shown.findings).toHaveLength(summary.error + summary.warning + summary.info);
    expect(shown.hidden).toBe(hidden);
  });
});

describe('fails', () => {
  it('looks at findings of the severity or worse that are not hints', () => {
    expect(fails(mixed, 'error')).toBe(false);
    expect(fails(mixed, 'warning')).toBe(true);
    expect(fails(mixed, 'info')).toBe(true);
    expect(fails(analysis({ findings: [mixed.findings[3]] }), 'warning')).toBe(false);
  });
});

describe('suppress', () => {
  const known = finding({ subject: { ip: '192.0.2.1', mac: '02:00:00:00:00:01' } });
  const reason = 'a printer that is switched off at night';

  it.each([
    [{ rule: 'arp/unanswered' }, true],
    [{ rule: 'arp/duplicate-address' }, false],
    [{ fingerprint: known.fingerprint }, true],
    [{ fingerprint: 'ffffffffffffffff' }, false],
    [{ rule: 'arp/unanswered', subject: { ip: '192.0.2.1' } }, true],
    [{ rule: 'arp/unanswered', subject: { ip: '192.0.2.1', vni: 1 } }, false],
    [{ rule: 'arp/unanswered', subject: { ip: '192.0.2.2' } }, false],
  ] as const)('%j: %s', (suppression, expected) => {
    const { findings, suppressed } = suppress([known], [{ ...suppression, reason }]);
    expect(findings).toEqual(expected ? [] : [known]);
    const { rule, title, fingerprint } = known;
    expect(suppressed).toEqual(expected ? [{ rule, title, fingerprint, reason }] : []);
  });
});
