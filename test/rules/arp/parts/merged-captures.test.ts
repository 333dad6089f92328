import { describe, expect, it } from 'vitest';
import { Capture } from '../../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';
const IP = '10.0.0.9';
const only = { select: ['arp/duplicate-address'] };

describe('arp/duplicate-address and captures of two networks with the same addresses, merged', () => {
  const D = '02:00:00:00:00:04';
  /** At each site a host with .1 asks one with .9, by turns; at the second site by `asker`. */
  const sites = (asker: string, holder = D) => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++) {
      capture.at(20 * i).ask(A, '10.0.0.1', IP);
      capture.at(20 * i + 0.001).answer(B, IP, A, '10.0.0.1');
      capture.at(20 * i + 10).ask(asker, '10.0.0.1', IP);
      capture.at(20 * i + 10.001).answer(holder, IP, asker, '10.0.0.1');
    }
    return capture;
  };
  const told = async (capture: Capture) =>
    (await capture.findings(only)).map(({ confidence, subject }) => `${subject.ip} ${confidence}`).sort();

  it('only hints where whoever asks has two MACs as well', async () => {
    expect(await told(sites(C))).toEqual(['10.0.0.1 hint', '10.0.0.9 hint']);
    const [finding] = await sites(C).findings(only);
    expect(finding.caveats.join()).toContain('merged');
  });

  it('is likely where one station talks to both', async () => {
    expect(await told(sites(A))).toEqual(['10.0.0.9 likely']);
  });

  it('is likely where a third address is asked for that has one MAC', async () => {
    const capture = sites(C)
      .at(70)
      .ask(A, '10.0.0.1', '10.0.0.5')
      .at(70.001)
      .answer('02:00:00:00:00:05', '10.0.0.5', A, '10.0.0.1');
    expect(await told(capture)).toContain('10.0.0.1 likely');
  });

  it('only hints where some that are asked for are nobody, too', async () => {
    expect(await told(sites(C).at(70).ask(B, IP, '10.0.0.77'))).toEqual(['10.0.0.1 hint', '10.0.0.9 hint']);
  });

  it('takes two answers to one question for what they are', async () => {
    const capture = sites(C).at(70).ask(A, '10.0.0.1', IP);
    capture.at(70.001).answer(B, IP, A, '10.0.0.1').at(70.002).answer(D, IP, A, '10.0.0.1');
    expect(await told(capture)).toContain('10.0.0.9 likely');
  });

  describe('where nobody asks, and all announce', () => {
    /** At each site a host with .1 and one with .9 announce themselves, by turns. */
    const announcing = (rounds = 3, stations = [A, B, C, D]) => {
      const capture = new Capture();
      for (let i = 0; i < rounds; i++)
        stations.forEach((from, n) => {
          const ip = n % 2 === 0 ? '10.0.0.1' : IP;
          capture.at(20 * i + 10 * (n >> 1) + n / 10).arp({ op: 1, from, spa: ip, tpa: ip });
        });
      return capture;
    };

    it('only hints where every address has two MACs of its own', async () => {
      expect(await told(announcing())).toEqual(['10.0.0.1 hint', '10.0.0.9 hint']);
      const [finding] = await announcing().findings(only);
      expect(finding.caveats.join()).toContain('merged');
    });

    it('is likely where another address has one MAC, or there is no other', async () => {
      const other = announcing().at(100).arp({ op: 1, from: A, spa: '10.0.0.7', tpa: '10.0.0.7' });
      expect(await told(other)).toEqual(['10.0.0.1 likely', '10.0.0.9 likely']);
      const alone = new Capture();
      for (let i = 0; i < 6; i++) alone.at(10 * i).arp({ op: 1, from: i % 2 ? A : C, spa: IP, tpa: IP });
      expect(await told(alone)).toEqual(['10.0.0.9 likely']);
    });

    it('is likely where one of the two has both addresses', async () => {
      expect(await told(announcing(3, [A, A, C, D]))).toEqual(['10.0.0.1 likely', '10.0.0.9 likely']);
    });
  });
});
