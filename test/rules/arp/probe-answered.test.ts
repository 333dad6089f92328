import { describe, expect, it } from 'vitest';
import { Capture, inShort } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const IP = '10.0.0.9';

const only = { select: ['arp/probe-answered'] };
const probed = (answerAt: number) =>
  new Capture().ask(A, '0.0.0.0', IP).at(answerAt).arp({ op: 2, from: B, to: A, spa: IP, tha: A, tpa: '0.0.0.0' });

describe('arp/probe-answered', () => {
  it('is information as long as the prober leaves the address alone', async () => {
    const findings = await probed(0.001).findings(only);
    expect(inShort(findings)).toEqual([['arp/probe-answered', 'certain', [1, 2]]]);
    expect(findings[0].severity).toBe('info');
  });

  it('is an error once the prober uses the address', async () => {
    const [finding] = await probed(0.001).at(5).ask(A, IP, '10.0.0.1').findings(only);
    expect(finding.severity).toBe('error');
  });

  it('keeps still when nobody answers, or only after the time for it', async () => {
    expect(await new Capture().ask(A, '0.0.0.0', IP).findings(only)).toEqual([]);
    expect(await probed(2.5).findings(only)).toEqual([]);
  });

  it('keeps still about a proxy that asks for the address itself', async () => {
    expect(await probed(0.001).at(1).ask(B, '10.0.0.254', IP).findings(only)).toEqual([]);
  });
});
