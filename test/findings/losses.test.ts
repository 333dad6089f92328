import { describe, expect, it } from 'vitest';
import { Analyzer } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import { doubtSilence } from '../../src/findings/losses.js';
import { RULES } from '../../src/rules/index.js';
import type { Losses } from '../../src/rules/parts/losses.js';
import type { Diagnosis } from '../../src/rules/rule.js';
import { diagnosis, silentRule } from '../support/diagnosis.js';
import { captureOf, contextOf, expectationOf, fixtureCases } from '../support/fixtures.js';
import { HOST, PEER } from '../support/icmp.js';
import { echo } from '../support/ping.js';
import { Capture, inShort } from '../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const SECOND = 1e9;

const losses = (given: Partial<Losses> = {}): Losses => ({
  isCounted: true,
  lost: 10,
  share: 0.05,
  isNotable: true,
  duration: 60 * SECOND,
  evidence: [],
  ...given,
});

const rule = silentRule('arp/unanswered');
const silent = { meta: { ...rule.meta, silence: true as const } };

/** A silence of `count` frames in `seconds`, as it is told of a capture with such losses. */
function told(count: number, seconds: number, lost: Losses | null, given: Partial<Diagnosis> = {}): Diagnosis {
  const one = diagnosis({ count, first: 0, last: seconds * SECOND, ...given });
  return doubtSilence([{ ...silent, diagnosis: one }], () => lost)[0].diagnosis;
}

describe('silence where frames were lost', () => {
  it('is less sure by a step, and says so', () => {
    const lowered = (confidence: Diagnosis['confidence']) => told(3, 2, losses(), { confidence });
    expect(lowered('certain').confidence).toBe('likely');
    expect(lowered('likely').confidence).toBe('hint');
    expect(lowered('hint').confidence).toBe('hint');
    expect(lowered('likely').caveats).toEqual([
      '10 frames were lost while capturing, 5 % of all: what seems missing may be among them',
    ]);
    expect(lowered('likely').wouldRaise).toEqual(['a capture that loses no frames']);
  });

  it('is less sure too where the case rests on silence and the rule does not', () => {
    const given = diagnosis({ count: 3, first: 0, last: 2 * SECOND });
    const doubted = (more: Partial<Diagnosis>) =>
      doubtSilence([{ meta: rule.meta, diagnosis: { ...given, ...more } }], () => losses())[0].diagnosis.confidence;
    expect([doubted({}), doubted({ silence: true })]).toEqual(['certain', 'likely']);
  });

  it('is as sure as before where nothing was lost, or so little that it makes no silence', () => {
    for (const lost of [null, losses({ share: 3e-6, isNotable: false })])
      expect(told(1, 0, lost, { caveats: ['of its own'] })).toMatchObject({
        confidence: 'certain',
        caveats: ['of its own'],
      });
  });

  it('is as sure as before, with a caveat, where it lasts longer than all that was lost in a row takes', () => {
    // 5 % of 60 s are 3 s.
    expect(told(5, 2.9, losses()).confidence).toBe('likely');
    expect(told(5, 3.1, losses())).toMatchObject({ confidence: 'certain', caveats: [expect.any(String)] });
  });

  it('is less sure where each of its frames may have been lost by itself', () => {
    // 0.4 ** 7 is 0.0016, 0.4 ** 8 is 0.0007.
    expect(told(7, 50, losses({ share: 0.4 })).confidence).toBe('likely');
    expect(told(8, 50, losses({ share: 0.4 })).confidence).toBe('certain');
  });

  it('is a hint where no more tries failed than the losses take', () => {
    // 5 % of 40 are 2; three standard deviations more are 6.2.
    expect(told(6, 50, losses(), { tries: 40 }).confidence).toBe('hint');
    expect(told(7, 50, losses(), { tries: 40 }).confidence).toBe('certain');
    expect(told(6, 50, losses(), { tries: 6 }).confidence).toBe('certain');
  });

  it('leaves what was seen alone', () => {
    const seen = { meta: rule.meta, diagnosis: diagnosis({ count: 1 }) };
    expect(doubtSilence([seen], () => losses({ share: 0.9 }))).toEqual([seen]);
  });

  it('looks at each capture by itself', () => {
    const both = [0, 1].map((capture) => ({ ...silent, diagnosis: diagnosis({ key: `${capture}`, capture }) }));
    const of = doubtSilence(both, (capture) => (capture === 1 ? losses() : null));
    expect(of.map((each) => each.diagnosis.confidence)).toEqual(['certain', 'likely']);
  });
});

/** Questions in vain among `others` frames of a conversation. */
function asked(dropped: number | null, others: number): Capture {
  const capture = new Capture();
  for (let i = 0; i < others; i++) echo(capture.at(i * 0.01), HOST, PEER, { sequence: i });
  capture.at(0.2).ask(A, '10.0.0.1', '10.0.0.2').at(0.201).answer(B, '10.0.0.2', A, '10.0.0.1');
  capture.at(1).askAgain(3, A, '10.0.0.1', '10.0.0.9').at(20).ask(B, '10.0.0.2', '10.0.0.1');
  capture.dropped = dropped;
  return capture;
}

describe('in a capture', () => {
  const only = { select: ['arp/unanswered', 'capture/dropped-frames'] };

  it('lost frames count by their part of all', async () => {
    const of = async (dropped: number | null) =>
      Object.fromEntries(inShort(await asked(dropped, 1000).findings(only)).map(([id, sure]) => [id, sure]));
    expect(await of(null)).toEqual({ 'arp/unanswered': 'certain' });
    expect(await of(3)).toEqual({ 'capture/dropped-frames': 'certain', 'arp/unanswered': 'certain' });
    expect(await of(300)).toEqual({ 'capture/dropped-frames': 'certain', 'arp/unanswered': 'likely' });
  });

  it('they count without the rule that tells of them', async () => {
    const [finding] = await asked(300, 1000).findings({ select: ['arp/unanswered'] });
    expect(finding.confidence).toBe('likely');
  });

  it('frames that a filter of the run leaves out are no reason to doubt', async () => {
    const [finding] = await asked(3, 1000).findings({ select: ['arp/unanswered'], filter: 'arp' });
    expect([finding.confidence, finding.caveats]).toEqual(['certain', []]);
    const [doubted] = await asked(300, 1000).findings({ select: ['arp/unanswered'], filter: 'arp' });
    expect(doubted.confidence).toBe('likely');
  });
});

/** What a rule says of a fixture whose capturing side lost so many frames more. */
async function withDrops(fixture: Parameters<typeof captureOf>[0], dropped: number) {
  const { vantage } = expectationOf(fixture);
  const [namespace, device] = (vantage ?? '').split('/');
  const analyzer = new Analyzer({
    select: [fixture.rule],
    context: contextOf(fixture),
    vantage: vantage ? { namespace, interface: device } : null,
  });
  const source = await openCapture(captureOf(fixture));
  const run = source.run.bind(source);
  source.run = async (...given) => {
    await run(...given);
    if (dropped > 0) source.info.dropped = dropped;
  };
  await analyzer.read(source);
  return analyzer.analysis().findings;
}

describe.each(RULES.filter(({ meta }) => meta.silence).map(({ meta }) => meta.id))('%s', (id) => {
  it('is less sure where the capture lost nearly everything', async () => {
    let lowered = 0;
    for (const fixture of fixtureCases(id)) {
      const before = await withDrops(fixture, 0);
      const after = await withDrops(fixture, 1e6);
      expect(after).toHaveLength(before.length);
      lowered += before.filter(({ confidence }) => confidence !== 'hint').length;
      for (const { confidence, caveats } of after) {
        expect(confidence).not.toBe('certain');
        expect(caveats.join()).toContain('1000000 frames were lost while capturing, 100 % of all');
      }
    }
    expect(lowered).toBeGreaterThan(0);
  });
});

it('rules whose names say that something is missing rest on silence', () => {
  const named = RULES.filter(({ meta }) =>
    /unanswered|no-offer|silent|no-reflection|isolat|one-way|incomplete|black-hole|filtered$/.test(meta.id),
  );
  expect(named.filter(({ meta }) => !meta.silence).map(({ meta }) => meta.id)).toEqual([]);
});
