import { describe, expect, it } from 'vitest';
import { advertisement, solicitation } from '../../support/nd.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const PROBE = solicitation(A, '::', 'fd00::7');
const only = { select: ['nd/dad-conflict'] };

function answeredAfter(seconds: number, from = B, probe?: Way, answer?: Way): Capture {
  return new Capture()
    .raw(PROBE, probe)
    .at(seconds)
    .raw(advertisement(from, 'fd00::7', null), answer);
}

describe('nd/dad-conflict', () => {
  it('is certain where another station advertises the address', async () => {
    const findings = await answeredAfter(0.001).findings(only);
    expect(inShort(findings)).toEqual([['nd/dad-conflict', 'certain', [1, 2]]]);
    expect(findings[0].subject).toEqual({ ip: 'fd00::7', mac: A, holder: B });
  });

  it('takes an answer within two seconds, and none after', async () => {
    expect(await answeredAfter(1.99).findings(only)).toHaveLength(1);
    expect(await answeredAfter(2.01).findings(only)).toEqual([]);
  });

  it('speaks of two stations that ask for one address at once', async () => {
    const capture = new Capture()
      .raw(PROBE)
      .at(0.3)
      .raw(solicitation(B, '::', 'fd00::7'));
    const findings = await capture.findings(only);
    expect(inShort(findings)).toEqual([['nd/dad-conflict', 'certain', [1, 2]]]);
    expect(findings[0].title).toContain('both want');
  });

  it('keeps still about the own announcement after detection, and about probing again', async () => {
    expect(await answeredAfter(1.5, A).findings(only)).toEqual([]);
    expect(await new Capture().raw(PROBE).at(1).raw(PROBE).findings(only)).toEqual([]);
  });

  it('keeps still about the own probe that comes back', async () => {
    expect(await new Capture().raw(PROBE).at(0.0002).raw(PROBE).findings(only)).toEqual([]);
  });

  it('keeps still about another station that gets the address long after', async () => {
    const capture = new Capture()
      .raw(PROBE)
      .at(60)
      .raw(solicitation(B, '::', 'fd00::7'));
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    expect(await answeredAfter(0.001, B, { vlan: 10 }, { vlan: 20 }).findings(only)).toEqual([]);
    expect(await answeredAfter(0.001, B, { vlan: 10 }, { vlan: 10 }).findings(only)).toHaveLength(1);
  });

  it('sees it inside VXLAN', async () => {
    expect(await answeredAfter(0.001, B, { vni: 7 }, { vni: 7 }).findings(only)).toHaveLength(1);
  });
});
