import { describe, expect, it } from 'vitest';
import { solicitation } from '../../support/nd.js';
import { Capture } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const only = { select: ['arp/storm'] };

/** Asks for `count` addresses, `pause` seconds apart. */
function sweep(count: number, pause: number, capture = new Capture(), vlan?: number): Capture {
  const tags = vlan === undefined ? {} : { vlan };
  // One answer shows that answers would be seen.
  capture.at(0).ask(A, '10.0.0.1', '10.0.0.9', tags).at(0.001).answer(B, '10.0.0.9', A, '10.0.0.1', tags);
  for (let host = 0; host < count - 1; host++) capture.at(host * pause).ask(A, '10.0.0.1', `10.0.0.${host + 10}`, tags);
  return capture;
}

async function said(capture: Capture) {
  return (await capture.findings(only)).map(({ rule, confidence, count }) => [rule, confidence, count]);
}

describe('arp/storm', () => {
  it('tells 50 addresses asked for within ten seconds, and not 49', async () => {
    expect(await said(sweep(50, 0.01))).toEqual([['arp/storm', 'likely', 50]]);
    expect(await said(sweep(49, 0.01))).toEqual([]);
  });

  it('keeps still where they come slowly', async () => {
    expect(await said(sweep(100, 0.25))).toEqual([]);
  });

  it('only hints where no answer to it could be seen', async () => {
    const capture = new Capture();
    for (let host = 0; host < 60; host++) capture.at(host * 0.01).ask(A, '10.0.0.1', `10.0.0.${host + 10}`);
    expect(await said(capture)).toEqual([['arp/storm', 'hint', 60]]);
  });

  it('only hints where most are answered', async () => {
    const capture = sweep(60, 0.01);
    for (let host = 0; host < 40; host++) capture.at(0.7).answer(B, `10.0.0.${host + 10}`, A, '10.0.0.1');
    expect(await said(capture)).toEqual([['arp/storm', 'hint', 60]]);
  });

  it('leaves one broadcast that comes hundreds of times to bridge/loop', async () => {
    const capture = new Capture();
    for (let i = 0; i < 300; i++) capture.at(i / 10_000).ask(A, '10.0.0.1', '10.0.0.2');
    expect(await said(capture)).toEqual([]);
  });

  it('keeps two VLANs apart', async () => {
    expect(await said(sweep(30, 0.01, sweep(30, 0.01, new Capture(), 10), 20))).toEqual([]);
    expect(await said(sweep(60, 0.01, new Capture(), 10))).toEqual([['arp/storm', 'likely', 60]]);
  });

  it('tells a router that asks for IPv6 addresses by the dozen, as one that is scanned does', async () => {
    const asked = (count: number) => {
      const capture = new Capture();
      for (let host = 0; host < count; host++)
        capture
          .at(host * 0.01)
          .raw(solicitation(A, 'fd00::1', `fd00::${(0x1000 + host).toString(16)}`), { direction: 'out' });
      return capture.at(2).ask(B, '10.0.0.9', '10.0.0.8', { direction: 'in' });
    };
    const [finding, ...others] = await asked(60).findings(only);
    expect([finding.confidence, finding.count, finding.evidence[0].layer, others]).toEqual([
      'likely',
      60,
      'icmpv6',
      [],
    ]);
    expect(finding.summary).toContain('by neighbor discovery');
    expect(finding.remedy.flatMap(({ commands }) => commands).join()).toContain(
      'net.ipv6.neigh.default.gc_thresh3=65536',
    );
    expect(await asked(49).findings(only)).toEqual([]);
  });
});
