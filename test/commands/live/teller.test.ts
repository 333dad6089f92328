import { describe, expect, it } from 'vitest';
import { TextTeller } from '../../../src/commands/live/teller.js';
import { analysis, finding } from '../../support/diagnosis.js';

const silence = finding({ rule: 'arp/unanswered', severity: 'warning', confidence: 'likely', title: 'nobody answers' });

function told(detail: 'quiet' | 'normal'): string[] {
  const said: string[] = [];
  const teller = new TextTeller({ write: (text: string) => said.push(text) > 0 } as never, {
    width: 80,
    color: false,
    detail,
  });
  teller.tell(analysis({ findings: [silence] }));
  teller.tell(analysis({ findings: [{ ...silence, count: 9 }] }));
  teller.tell(analysis({ findings: [] }));
  return said.join('').split('\n').slice(0, -1);
}

describe('what a live capture tells as text', () => {
  it('is a line each time where it is to be quiet', () => {
    const lines = told('quiet');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^ WARN +nobody answers +likely$/);
    expect(lines[1]).toBe('Taken back: nobody answers');
  });

  it('is the whole finding else', () => {
    expect(told('normal').length).toBeGreaterThan(4);
  });
});
