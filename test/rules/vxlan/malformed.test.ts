import { describe, expect, it } from 'vitest';
import { A, arpReply, arpRequest, B, endpoints, ONE, TWO, tunnelled } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['vxlan/malformed'] };
const question = arpRequest(A, '192.168.5.1', '192.168.5.2');
const answer = arpReply(B, '192.168.5.2', A, '192.168.5.1');
const GBP = [0x88, 0, 0, 7];

describe('vxlan/malformed', () => {
  it.each([
    ['a clear I flag', [0, 0, 0, 0], 'VNI is not valid'],
    ['reserved bits', [8, 0, 0, 1], 'bits are set that must be 0'],
  ])('is certain about %s', async (_, flags, words) => {
    const [finding] = await tunnelled(new Capture(), question, { flags }).findings(only);
    expect(finding.confidence).toBe('certain');
    expect(finding.title).toContain(words);
  });

  it('is certain about a group address as inner source', async () => {
    const inner = [...question.slice(0, 6), 1, 0, 0x5e, 0, 0, 1, ...question.slice(12)];
    expect(inShort(await tunnelled(new Capture(), inner).findings(only))).toEqual([
      ['vxlan/malformed', 'certain', [1]],
    ]);
  });

  it('keeps silent about plain VXLAN', async () => {
    expect(await tunnelled(new Capture(), question).findings(only)).toEqual([]);
  });

  it('keeps silent about answers of well-known services to a client on that port', async () => {
    expect(
      await tunnelled(new Capture(), question, { flags: [0x12, 0x34, 1, 0], sourcePort: 53 }).findings(only),
    ).toEqual([]);
  });

  describe('something else that has the port', () => {
    /** Media packets (RTP) whose bytes differ from one to the next. */
    const media = (capture: Capture) => {
      for (let i = 0; i < 40; i++) {
        const payload = Array.from({ length: 160 }, (_, at) => (at * 37 + i * 101) & 255);
        tunnelled(capture.at(i / 50), payload, { flags: [0x80, 0, i, i], vni: 0x10000 + i * 160, sourcePort: 30002 });
      }
      return capture;
    };

    it('is one hint', async () => {
      const findings = await media(new Capture()).findings(only);
      expect(findings.map(({ confidence, count }) => [confidence, count])).toEqual([['hint', 40]]);
      expect(findings[0].caveats.join()).toContain('by accident');
    });

    it('is certain where proper VXLAN goes between the two as well, or the context shows its device', async () => {
      const both = await tunnelled(media(new Capture()), answer, { from: TWO, to: ONE }).findings(only);
      expect(both.map(({ confidence }) => confidence)).toEqual(['certain']);
      const context = endpoints([{ name: 'two', address: TWO }]);
      const known = await media(new Capture()).findings({ ...only, context });
      expect(known.map(({ confidence }) => confidence)).toEqual(['certain']);
    });

    it('raises nothing else', async () => {
      expect((await media(new Capture()).findings()).filter(({ severity }) => severity !== 'info')).toHaveLength(1);
    });
  });

  it('only hints at a policy that does not come back', async () => {
    const capture = tunnelled(tunnelled(new Capture(), question, { flags: GBP }), answer, { from: TWO, to: ONE });
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['hint']);
  });

  it('keeps silent about a policy in both directions, or in the only direction there is', async () => {
    const one = tunnelled(new Capture(), question, { flags: GBP });
    expect(await one.findings(only)).toEqual([]);
    expect(await tunnelled(one, answer, { from: TWO, to: ONE, flags: GBP }).findings(only)).toEqual([]);
  });

  it('is certain where the context shows a receiver without the extension', async () => {
    const context = endpoints([{ name: 'two', address: TWO }]);
    const capture = tunnelled(new Capture(), question, { flags: GBP });
    expect((await capture.findings({ ...only, context })).map(({ confidence }) => confidence)).toEqual(['certain']);
  });

  it('keeps VLANs apart', async () => {
    const capture = tunnelled(new Capture(), question, { flags: [0, 0, 0, 0], way: { vlan: 9 } });
    tunnelled(capture, question, { way: { vlan: 8 } });
    expect((await capture.findings(only)).map(({ segment }) => segment.vlans)).toEqual([[9]]);
  });
});
