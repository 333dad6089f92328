import { describe, expect, it } from 'vitest';
import { reportJson, reportNdjson, safeJson } from '../../src/report/json.js';
import { analysis, finding } from '../support/diagnosis.js';

describe('json', () => {
  it('is the analysis', () => {
    const told = analysis({ findings: [finding()] });
    expect(JSON.parse(reportJson(told))).toEqual(told);
    expect(reportJson(told).endsWith('}\n')).toBe(true);
  });

  it('escapes what a terminal would obey, and means the same', () => {
    const nasty = '\u001b[31m \u007f \u009b31m \u202e txt \u2028 中文 \u200f';
    const text = safeJson({ nasty });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
    expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u200f]/);
    expect(text).toContain('中文');
    expect(JSON.parse(text)).toEqual({ nasty });
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
