import { describe, expect, it } from 'vitest';
import { Capture, inShort, ip, mac } from '../../support/wire.js';

const P = '00:0c:29:00:00:01';
const only = { select: ['ethernet/same-mac'] };
const packet = { from: P, to: P, source: '10.0.0.1', destination: '10.0.0.2' };

describe('ethernet/same-mac', () => {
  it('is certain of frames that the wire brings back, and takes them for information', async () => {
    const findings = await new Capture().ipv4(packet).at(0.0001).ipv4(packet).findings(only);
    expect(inShort(findings)).toEqual([['ethernet/same-mac', 'certain', [1, 2]]]);
    expect(findings[0].severity).toBe('info');
  });

  it('waits for the copy of the latest frame', async () => {
    const capture = new Capture().ipv4(packet).at(0.0001).ipv4(packet).at(1);
    const findings = await capture.ipv4({ ...packet, id: 2 }).findings(only);
    expect(findings.map(({ severity, confidence }) => [severity, confidence])).toEqual([['info', 'certain']]);
    const more = await capture
      .at(2)
      .ipv4({ ...packet, id: 3 })
      .findings(only);
    expect(more.map(({ severity, confidence }) => [severity, confidence])).toEqual([['warning', 'certain']]);
  });

  it('only hints where nothing shows that it is the wire', async () => {
    const findings = await new Capture().ipv4(packet).findings(only);
    expect(findings.map(({ severity, confidence }) => [severity, confidence])).toEqual([['info', 'hint']]);
  });

  it.each([4, 6])('takes frames of the wire that go both ways over IPv%i for information', async (version) => {
    /** A frame of protocol 253, there or back, with a number of its own. */
    const frame = (isBack: boolean, id: number) => {
      const ends =
        version === 4 ? [ip('10.0.0.1'), ip('10.0.0.2')] : [1, 2].map((end) => [0xfd, ...new Array(14).fill(0), end]);
      const addresses = (isBack ? [...ends].reverse() : ends).flat();
      const header = version === 4 ? [0x45, 0, 0, 24, 0, id, 0, 0, 64, 253, 0, 0] : [0x60, 0, 0, 0, 0, 4, 253, 64];
      return [...mac(P), ...mac(P), ...(version === 4 ? [8, 0] : [0x86, 0xdd]), ...header, ...addresses, 0, 0, 0, id];
    };
    // The first comes back, which shows the wire; of the others no copy is in the capture.
    const capture = new Capture().raw(frame(false, 1)).at(0.0001).raw(frame(false, 1));
    for (let id = 2; id <= 6; id++) capture.at(id).raw(frame(false, id));
    const there = await capture.findings(only);
    expect(there.map(({ severity, confidence }) => [severity, confidence])).toEqual([['warning', 'certain']]);
    const both = await capture.at(7).raw(frame(true, 7)).findings(only);
    expect(both.map(({ severity, confidence }) => [severity, confidence])).toEqual([['info', 'certain']]);
  });

  it('warns of answers to self that overtake their request', async () => {
    const capture = new Capture();
    for (const time of [0, 1.02, 2.04])
      capture
        .at(time)
        .answer(P, '10.0.0.2', P, '10.0.0.1')
        .at(time + 0.001)
        .ask(P, '10.0.0.1', '10.0.0.2');
    const [finding] = await capture.findings(only);
    expect([finding.severity, finding.confidence]).toEqual(['warning', 'certain']);
  });

  it('keeps still about the loopback test of switches', async () => {
    const capture = new Capture().raw([...mac(P), ...mac(P), 0x90, 0, ...new Array(46).fill(0)]);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('counts frames of one MAC once, and keeps VLANs apart', async () => {
    const capture = new Capture()
      .ipv4(packet, { vlan: 1 })
      .ipv4({ ...packet, id: 2 }, { vlan: 1 })
      .ipv4(packet, { vlan: 2 });
    expect((await capture.findings(only)).map(({ count, segment }) => [count, segment.vlans]).sort()).toEqual([
      [1, [2]],
      [2, [1]],
    ]);
  });
});
