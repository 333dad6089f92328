import { describe, expect, it } from 'vitest';
import { Capture, inShort } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';
const IP = '10.0.0.9';
const both = { select: ['arp/duplicate-address', 'arp/spoof'] };

/**
 * B asks as IP and C answers for IP, by turns, as a bond with these MACs does; C sends from IP, if `sends`, and tells its clients
 * again if `updates`.
 */
function balanced({ sends = true, updates = true, times = [1, 5] } = {}): Capture {
  const capture = new Capture();
  for (const time of times) {
    capture.at(time).ask(B, IP, '10.0.0.1').answer(A, '10.0.0.1', B, IP);
    capture
      .at(time + 1)
      .ask(A, '10.0.0.1', IP)
      .answer(C, IP, A, '10.0.0.1');
    if (sends) capture.ipv4({ from: C, to: A, source: IP, destination: '10.0.0.1', id: time });
    if (!updates) continue;
    // What it tells its clients once it has asked by broadcast (rlb_update_client): the MAC that was meant for them.
    capture
      .at(time + 2)
      .answer(C, IP, A, '10.0.0.1')
      .at(time + 2.001)
      .answer(C, IP, A, '10.0.0.1');
  }
  return capture;
}

describe('arp/duplicate-address, of a bond that balances (mode balance-alb)', () => {
  it('keeps still about a bond in mode balance-alb, which answers with the MAC of a slave and asks with its own', async () => {
    const capture = balanced();
    expect(await capture.findings(both)).toEqual([]);
  });

  it.each<[string, (capture: Capture) => Capture]>([
    ['asks as the address too', (capture) => capture.at(8).ask(C, IP, '10.0.0.77')],
    ['has another address', (capture) => capture.at(8).ask(C, '10.0.0.5', '10.0.0.77')],
    [
      'answers beside the other',
      (capture) => capture.at(8).ask(A, '10.0.0.1', IP).answer(B, IP, A, '10.0.0.1').answer(C, IP, A, '10.0.0.1'),
    ],
  ])('speaks where the second %s', async (_, change) => {
    const found = await change(balanced()).findings(both);
    expect(found.length).toBeGreaterThan(0);
  });

  it('speaks where the second sends nothing', async () => {
    expect(await balanced({ sends: false }).findings(both)).toHaveLength(1);
  });

  it('speaks where the second only answers and sends, but tells nobody again after what the first asks', async () => {
    const silent = () => balanced({ updates: false, times: [1, 11] });
    const later = (capture: Capture, seconds: number) => capture.at(seconds).ask(A, '10.0.0.1', '10.0.0.77');
    expect(inShort(await later(silent(), 16).findings(both))).toEqual([['arp/duplicate-address', 'likely', [6, 9]]]);
    // A bond would be about to.
    expect(await later(silent(), 13.9).findings(both)).toEqual([]);
  });

  it('speaks where it tells them again and again, whatever the first asks', async () => {
    const capture = balanced();
    for (let time = 12; time < 20; time += 2) capture.at(time).answer(C, IP, A, '10.0.0.1');
    expect((await capture.findings({ select: ['arp/spoof'] })).map(({ rule }) => rule)).toEqual(['arp/spoof']);
    // Once is no more than a bond that balances anew.
    const anew = balanced().at(12).answer(C, IP, A, '10.0.0.1').at(12.001).answer(C, IP, A, '10.0.0.1');
    expect(await anew.findings({ select: ['arp/spoof'] })).toEqual([]);
  });
});
