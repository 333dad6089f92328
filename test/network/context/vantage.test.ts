import { describe, expect, it } from 'vitest';
import { ContextError } from '../../../src/network/context/error.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { resolveVantage } from '../../../src/network/context/vantage.js';
import { vepaHost } from './host.js';

describe('resolveVantage', () => {
  const context = parseContext(vepaHost());
  const advice = (text: string, from = context): string => {
    try {
      resolveVantage(from, text);
    } catch (error) {
      if (error instanceof ContextError) return error.advice;
      throw error;
    }
    return 'found';
  };

  it('finds the device', () => {
    expect(resolveVantage(context, 'host/ens34')).toBe(context.device('host', 'ens34'));
  });

  it('takes any for all devices of a namespace', () => {
    expect(resolveVantage(context, 'host/any')).toBeNull();
    expect(advice('hots/any')).toContain('did you mean');
  });

  it.each(['host/ens3', 'hots/ens34', 'ens34', 'host ens34'])('suggests host/ens34 for %s', (text) => {
    expect(advice(text)).toContain('did you mean host/ens34?');
  });

  it('refuses an empty place, and any in an empty context', () => {
    expect(advice('')).toContain('did you mean');
    expect(advice('host/ens34', parseContext({ namespaces: {} }))).toContain('no devices');
  });
});
