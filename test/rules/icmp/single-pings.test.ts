import { describe, expect, it } from 'vitest';
import { FAR, HOST } from '../../support/icmp.js';
import { echo, error } from '../../support/ping.js';
import { Capture } from '../../support/wire.js';

/** One ping a minute, each under an identifier of its own; those that `answered` names are replied to. */
function watched(times: number, answered: (n: number) => boolean, more: { refused?: boolean } = {}): Capture {
  const capture = new Capture();
  for (let n = 0; n < times; n++) {
    echo(capture.at(n * 60), HOST, FAR, { id: 100 + n });
    if (answered(n)) echo(capture.at(n * 60 + 0.01), FAR, HOST, { id: 100 + n, reply: true });
    else if (more.refused)
      error(capture.at(n * 60 + 0.01), FAR, HOST, FAR, { type: 3, code: 1, payload: [8, 0, 0, 0, 0, 100 + n, 0, 1] });
  }
  return capture.at(times * 60).ask(HOST.mac, HOST.ip, '10.0.0.99');
}

const said = async (capture: Capture) =>
  (await capture.findings({ select: ['icmp/echo-unanswered'] })).map(({ confidence, count }) => [confidence, count]);

describe('icmp/echo-unanswered of one ping now and then', () => {
  it('is likely where replies came and do not any more', async () => {
    expect(await said(watched(8, (n) => n < 4))).toEqual([['likely', 4]]);
    expect(await said(watched(7, (n) => n < 4))).toEqual([['likely', 3]]);
  });

  it('only hints where nothing shows that the target was there', async () => {
    const [finding] = await watched(5, () => false).findings({ select: ['icmp/echo-unanswered'] });
    expect([finding.confidence, finding.count]).toEqual(['hint', 5]);
    expect(finding.caveats.join()).toContain('DHCP server');
    expect(finding.evidence).toHaveLength(5);
  });

  it('keeps still about two, about what was answered again, and about the latest that may still be', async () => {
    expect(await said(watched(6, (n) => n < 4))).toEqual([]);
    expect(await said(watched(9, (n) => n < 4 || n === 8))).toEqual([]);
    const recent = watched(6, (n) => n < 4).at(360.5);
    expect(await said(echo(recent, HOST, FAR, { id: 300 }).at(360.6).ask(HOST.mac, HOST.ip, '10.0.0.98'))).toEqual([]);
  });

  it('does not wait for the latest, which goes out when the capture ends', async () => {
    const capture = watched(8, (n) => n < 4).at(481);
    expect(await said(echo(capture, HOST, FAR, { id: 300 }))).toEqual([['likely', 4]]);
  });

  it('keeps still where errors answer', async () => {
    expect(await said(watched(8, (n) => n < 4, { refused: true }))).toEqual([]);
  });
});
