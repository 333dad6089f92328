import { describe, expect, it } from 'vitest';
import { Capture, inShort, type Way } from '../../support/wire.js';

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

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const answered = (probe: Way, answer: Way) =>
      new Capture()
        .ask(A, '0.0.0.0', IP, probe)
        .at(0.001)
        .arp({ op: 2, from: B, to: A, spa: IP, tha: A, tpa: '0.0.0.0' }, answer)
        .findings(only);
    expect(await answered({ vlan: 10 }, { vlan: 20 })).toEqual([]);
    for (const way of [{ vlan: 10 }, { vni: 5 }]) expect(await answered(way, way)).toHaveLength(1);
  });
});

/** A probes for the address at 0 s, and B at `at`. */
const both = (at: number, wayB: Way = {}) => new Capture().ask(A, '0.0.0.0', IP).at(at).ask(B, '0.0.0.0', IP, wayB);

describe('arp/probe-answered of two that want one address', () => {
  it('is information as long as not both use it, and an error then', async () => {
    const [finding, ...others] = await both(0.7).findings();
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['arp/probe-answered', 'certain', [1, 2]]]);
    expect(finding.severity).toBe('info');
    expect(finding.title).toContain(`${A} and ${B} want ${IP}`);
    const one = () => both(0.7).at(5).ask(A, IP, '10.0.0.1');
    expect((await one().findings(only)).map(({ severity }) => severity)).toEqual(['info']);
    const two = one().at(6).ask(B, IP, '10.0.0.1');
    expect((await two.findings(only)).map(({ severity }) => severity)).toEqual(['error']);
  });

  it('speaks where another station asks from the address or announces it', async () => {
    for (const target of ['10.0.0.1', IP]) {
      const [finding] = await new Capture().ask(A, '0.0.0.0', IP).at(0.5).ask(B, IP, target).findings(only);
      expect(finding).toMatchObject({ severity: 'info', subject: { ip: IP, mac: A, holder: B } });
      expect(finding.title).toContain('is in use');
    }
  });

  it('says it is answered where it is', async () => {
    const capture = both(0.7).at(0.8).arp({ op: 2, from: B, to: A, spa: IP, tha: A, tpa: '0.0.0.0' });
    expect((await capture.findings(only)).map(({ title }) => title)).toEqual([
      `${IP} is in use: ${B} answers the probe of ${A}`,
    ]);
  });

  it.each<[string, Capture]>([
    ['later than two seconds', both(2.1)],
    ['in another VLAN', both(0.7, { vlan: 20 })],
    [
      'by a repeater that forwards probes with its own MAC',
      both(0.001).at(1.5).ask(A, '0.0.0.0', IP).at(1.501).ask(B, '0.0.0.0', IP),
    ],
    ['by the prober itself', new Capture().ask(A, '0.0.0.0', IP).at(1).ask(A, '0.0.0.0', IP).at(3).ask(A, IP, IP)],
  ])('keeps still where the same is asked %s', async (_, capture) => {
    expect(await capture.findings(only)).toEqual([]);
  });
});
