import { describe, expect, it } from 'vitest';
import { PARENT as P, siblings } from '../../support/siblings.js';
import { Capture } from '../../support/wire.js';

/** Rounds of request and answer to self; on the wire the answer comes first. */
function rounds(times: number, order: 'wire' | 'child', reflected = false): Capture {
  const capture = new Capture();
  for (let i = 0; i < times; i++) {
    const start = i * 1.02;
    const answer = () => capture.answer(P, '10.0.0.102', P, '10.0.0.101');
    const ask = () => capture.ask(P, '10.0.0.101', '10.0.0.102');
    for (const [step, act] of (order === 'wire' ? [answer, ask] : [ask, answer]).entries()) {
      capture.at(start + step * 0.002);
      act();
      if (reflected) {
        capture.at(start + step * 0.002 + 0.0003);
        act();
      }
    }
  }
  return capture;
}
const rules = async (capture: Capture, context?: ReturnType<typeof siblings>) =>
  (await capture.findings(context ? { context } : {})).map(({ rule, confidence }) => `${rule} ${confidence}`);
const VEPA = 'ipvlan/vepa-no-reflection certain';

describe('ipvlan/vepa-no-reflection', () => {
  it('is certain of answers to self that overtake their requests twice, and explains both symptoms', async () => {
    const findings = await rounds(3, 'wire').findings();
    expect(findings.map(({ rule, confidence }) => `${rule} ${confidence}`)).toEqual([VEPA]);
    expect(findings[0].explains.map(({ rule }) => rule).sort()).toEqual(['arp/unanswered', 'ethernet/same-mac']);
    expect(findings[0].evidence.map(({ frame }) => frame)).toEqual(expect.arrayContaining([1, 2, 3, 4, 5, 6]));
  });

  it('proves nothing by the order in the answering child’s own namespace', async () => {
    expect(await rules(rounds(3, 'child'))).not.toContain(VEPA);
  });

  it('keeps still when the answers are reflected', async () => {
    expect(await rules(rounds(3, 'wire', true))).not.toContain(VEPA);
  });

  it('keeps still after one round', async () => {
    expect(await rules(rounds(1, 'wire'))).not.toContain(VEPA);
  });

  it('is certain by context in the asking namespace, where no answer is seen', async () => {
    const capture = new Capture().askAgain(3, P, '10.0.0.101', '10.0.0.102');
    const vepa = { kind: 'ipvlan', mode: 'l2', flag: 'vepa' } as const;
    expect(await rules(capture, siblings({ ...vepa, hairpin: false }))).toEqual([VEPA]);
    expect(await rules(capture, siblings({ ...vepa, hairpin: true }))).not.toContain(VEPA);
    expect(await rules(capture, siblings({ kind: 'ipvlan', mode: 'l2', flag: 'bridge' }))).not.toContain(VEPA);
  });
});
