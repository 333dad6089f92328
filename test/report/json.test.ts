import { describe, expect, it } from 'vitest';
import { reportJson, reportNdjson } from '../../src/report/json.js';
import { analysis, finding } from '../support/diagnosis.js';

describe('json', () => {
  it('is the analysis', () => {
    const told = analysis({ findings: [finding()] });
    expect(JSON.parse(reportJson(told))).toEqual(told);
    expect(reportJson(told).endsWith('}\n')).toBe(true);
  });

  it('escapes what a terminal would obey, and means the same', () => {
    const told = analysis({
      findings: [finding({ title: '\u001b[31m \u007f \u009b31m \u202e \u200b \u2028 中文 \u{e0001}' })],
    });
    for (const text of [reportJson(told), reportNdjson(told)]) {
      expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|\p{Zl}/u);
      expect(text).toContain('中文');
    }
    expect(JSON.parse(reportJson(told))).toEqual(told);
  });
});

describe('ndjson', () => {
  it('is a line for each finding and one for the rest', () => {
    const told = analysis({ findings: [finding({ title: 'a' }), finding({ title: 'b' })] });
    const text = reportNdjson(told);
    expect(text.endsWith('\n')).toBe(true);
    const [a, b, last, ...others] = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(a).toEqual({ type: 'finding', ...told.findings[0] });
    expect(b).toEqual({ type: 'finding', ...told.findings[1] });
    const { findings, ...rest } = told;
    expect(last).toEqual({ type: 'summary', ...rest });
    expect(others).toEqual([]);
  });
});
