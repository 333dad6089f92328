import { describe, expect, it } from 'vitest';
import { advertisement, icmpv6, solicitation } from '../../support/nd.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const IP_A = '10.0.0.1';
const IP_B = '10.0.0.2';
const only = { select: ['arp/reply-not-accepted'] };

/** A asks for B at these times, and each request is answered. */
function answered(times: readonly number[], way?: Way, capture = new Capture()): Capture {
  for (const time of times)
    capture
      .at(time)
      .ask(A, IP_A, IP_B, way)
      .at(time + 0.0001)
      .answer(B, IP_B, A, IP_A, way);
  return capture;
}

describe('arp/reply-not-accepted', () => {
  it('finds three answered requests at a kernel’s pauses likely', async () => {
    expect(inShort(await answered([0, 1.017, 2.041]).findings(only))).toEqual([
      ['arp/reply-not-accepted', 'likely', [1, 2, 3, 4, 5, 6]],
    ]);
  });

  it('finds it inside VXLAN', async () => {
    const found = await answered([0, 1.017, 2.041], { vni: 7 }).findings(only);
    expect(inShort(found)).toEqual([['arp/reply-not-accepted', 'likely', [1, 2, 3, 4, 5, 6]]]);
  });

  it('takes requests by the clock for a program’s', async () => {
    expect(inShort(await answered([0, 1, 2.001]).findings(only)).map(([, confidence]) => confidence)).toEqual(['hint']);
  });

  it('takes them for a program’s where one is late and the next early, but not where each is late', async () => {
    const said = async (times: readonly number[]) =>
      inShort(await answered(times).findings(only)).map(([, how]) => how);
    expect(await said([0, 1, 2.029, 3.001, 4])).toEqual(['hint']);
    expect(await said([0, 1.008, 2.016, 3.024, 4.032])).toEqual(['likely']);
  });

  it('takes requests with a target hardware address of ones for those of arping', async () => {
    const arping = (tha: string) => {
      const capture = new Capture();
      for (const time of [0, 1.017, 2.041])
        capture.at(time).arp({ op: 1, from: A, spa: IP_A, tha, tpa: IP_B }).answer(B, IP_B, A, IP_A);
      return capture;
    };
    const [finding] = await arping('ff:ff:ff:ff:ff:ff').findings(only);
    expect(finding).toMatchObject({ confidence: 'hint', caveats: [expect.stringContaining('arping')] });
    expect((await arping('00:00:00:00:00:00').findings(only))[0].confidence).toBe('likely');
  });

  it.each([
    ['two requests', [0, 1.02]],
    ['pauses that are too short', [0, 0.8, 1.6]],
    ['pauses that are too long', [0, 1.3, 2.6]],
    ['one pause that is', [0, 1.02, 2.4]],
  ])('keeps still about %s', async (_, times) => {
    expect(await answered(times).findings(only)).toEqual([]);
  });

  it('takes it back when the asker writes to the target, or through it', async () => {
    for (const destination of [IP_B, '192.0.2.1']) {
      const capture = answered([0, 1.017, 2.041]).at(2.1);
      capture.ipv4({ from: A, to: B, source: IP_A, destination });
      expect(await capture.findings(only)).toEqual([]);
    }
  });

  it('does not take it back for what the asker writes to others', async () => {
    const capture = answered([0, 1.017, 2.041]).at(2.1);
    capture.ipv4({ from: A, to: '02:00:00:00:00:03', source: IP_A, destination: '10.0.0.3' });
    expect(await capture.findings(only)).toHaveLength(1);
  });

  it('only hints where the answers alone are seen', async () => {
    const capture = new Capture();
    for (const time of [0, 1.017, 2.041]) capture.at(time).answer(B, IP_B, A, IP_A);
    expect(inShort(await capture.findings(only))).toEqual([['arp/reply-not-accepted', 'hint', [1, 2, 3]]]);
  });

  it('keeps still where nothing answers', async () => {
    expect(await new Capture().askAgain(3, A, IP_A, IP_B).at(6).ask(B, IP_B, IP_A).findings(only)).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    const capture = answered([0], { vlan: 1 });
    answered([1.017], { vlan: 2 }, capture);
    answered([2.041], { vlan: 1 }, capture);
    expect(await capture.findings(only)).toEqual([]);
  });

  describe('by neighbor discovery', () => {
    const [NA, NB] = ['fd00::1', 'fd00::2'];
    const solicited = (times: readonly number[], capture = new Capture()) => {
      for (const time of times)
        capture
          .at(time)
          .raw(solicitation(A, NA, NB))
          .at(time + 0.0001)
          .raw(advertisement(B, NB, { mac: A, ip: NA }));
      return capture;
    };
    const said = async (capture: Capture) => inShort(await capture.findings(only));

    it('finds three solicitations that are answered and come again likely', async () => {
      expect(await said(solicited([0, 1.017, 2.041]))).toEqual([
        ['arp/reply-not-accepted', 'likely', [1, 2, 3, 4, 5, 6]],
      ]);
      expect(await said(solicited([0, 1.02]))).toEqual([]);
      expect(await said(solicited([0, 2, 4]))).toEqual([]);
    });

    it('takes it back when the asker writes to the target or through it, and not when it only answers the target', async () => {
      const writes = (to: string, destination: string, message: number[]) =>
        said(
          solicited([0, 1.017, 2.041])
            .at(2.1)
            .raw(icmpv6(A, to, NA, destination, message)),
        );
      const ping = [128, 0, 0, 0, 0, 1, 0, 1];
      expect(await writes(B, NB, ping)).toEqual([]);
      expect(await writes(B, '2001:db8::1', ping)).toEqual([]);
      expect(await writes('02:00:00:00:00:03', 'fd00::3', ping)).toHaveLength(1);
      expect(
        await said(
          solicited([0, 1.017, 2.041])
            .at(2.1)
            .raw(advertisement(A, NA, { mac: B, ip: NB })),
        ),
      ).toHaveLength(1);
    });
  });
});
