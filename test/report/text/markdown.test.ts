import { describe, expect, it } from 'vitest';
import { Layout } from '../../../src/report/text/layout.js';
import { markdownLines } from '../../../src/report/text/markdown.js';

const shown = (source: string, width = 60, color = false) => markdownLines(source, new Layout(width, color));

describe('a page', () => {
  it('has its paragraphs filled anew', () => {
    expect(shown('One\ntwo **three**\n\nfour')).toEqual(['One two three', '', 'four']);
    for (const line of shown('word '.repeat(100), 40)) expect(line.length).toBeLessThanOrEqual(40);
  });

  it('has headings without marks', () => {
    expect(shown('# Title\ntext\n## Part')).toEqual(['Title', '', 'text', '', 'Part']);
    expect(shown('# Title', 60, true)[0]).toContain('\u001b[1m');
  });

  it('keeps code as it is, empty lines and marks in it too', () => {
    const long = `ip link set dev x ${'y'.repeat(80)}`;
    expect(shown(`\`\`\`sh\n# comment\n\n${long}\n\`\`\`\nafter`, 40)).toEqual([
      '    # comment',
      '    ',
      `    ${long}`,
      '',
      'after',
    ]);
  });

  it('has lists whose lines hang below their text', () => {
    expect(shown('- one two three four five six\n  seven\n- b\n  1. c', 20)).toEqual([
      '- one two three four',
      '  five six seven',
      '- b',
      '  1. c',
    ]);
  });

  it('has tables', () => {
    expect(shown('| a | b |\n| --- | --- |\n| 1 | **two** |')).toEqual(['a  b', '1  two']);
  });

  it('names targets of links that lead out', () => {
    expect(shown('[RFC 826](https://www.rfc-editor.org/rfc/rfc826) and [other](../arp/unanswered.md)', 100)).toEqual([
      'RFC 826 (https://www.rfc-editor.org/rfc/rfc826) and other',
    ]);
  });

  it('ends an open fence with the page', () => {
    expect(shown('```\ncode')).toEqual(['    code']);
  });
});
