import { describe, expect, it } from 'vitest';
import { BROADCAST, CookedCapture, OTHER, OUTGOING } from '../../support/cooked.js';
import { FAR, HOST, PEER, ROUTER } from '../../support/icmp.js';
import { echo, ping } from '../../support/ping.js';
import { ipv4 } from '../../support/tunnel.js';
import { advert } from '../../support/vrrp.js';
import { Capture, findingsOf, inShort, ip, mac } from '../../support/wire.js';

const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';
const only = { select: ['icmp/echo-unanswered'] };
/** A capture in which another host than the pinging one is heard. */
const heard = () => new Capture().ask(PEER.mac, PEER.ip, ROUTER.ip);
const said = async (capture: Capture) => inShort(await capture.findings(only));

describe('icmp/echo-unanswered, where some are answered', () => {
  it('counts the latest requests, though earlier ones were answered', async () => {
    const capture = ping(new Capture(), 8, { answered: (sequence) => sequence < 5 });
    expect(await said(capture)).toEqual([['icmp/echo-unanswered', 'likely', [9, 10, 11, 12]]]);
  });

  it('keeps still about answered pings, and one lost now and then', async () => {
    expect(await said(ping(new Capture(), 5, { answered: () => true }))).toEqual([]);
    expect(await said(ping(new Capture(), 60, { answered: (sequence) => sequence % 20 !== 0 }))).toEqual([]);
  });

  it('tells losses that are one in ten', async () => {
    const capture = ping(new Capture(), 12, { answered: (sequence) => sequence % 3 !== 0 });
    const [finding] = await capture.findings(only);
    expect(finding).toMatchObject({ count: 4, confidence: 'likely' });
  });

  it('is silent about a gap at each takeover of a virtual router, there and back', async () => {
    const lost = [11, 12, 13, 31, 32, 33];
    const recorded = (masters: readonly [router: string, from: number, to: number][]) => {
      const capture = new Capture();
      for (let i = 1; i <= 45; i++) {
        for (const [router, from, to] of masters) if (i >= from && i <= to) advert(capture.at(i), router);
        echo(capture.at(i + 0.5), HOST, FAR, { sequence: i });
        if (!lost.includes(i)) echo(capture.at(i + 0.51), FAR, HOST, { sequence: i, reply: true });
      }
      return capture;
    };
    const [a, b] = ['10.0.0.11', '10.0.0.12'];
    expect(
      await said(
        recorded([
          [a, 1, 10],
          [b, 14, 30],
          [a, 31, 45],
        ]),
      ),
    ).toEqual([]);
    // One takeover is no reason for two gaps, nor is a master that stays.
    expect(
      (
        await said(
          recorded([
            [a, 1, 10],
            [b, 14, 45],
          ]),
        )
      ).map(([, confidence]) => confidence),
    ).toEqual(['likely']);
    expect((await said(recorded([[a, 1, 45]]))).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints at one gap that passed, and not at a short one', async () => {
    const gap = (length: number) =>
      ping(new Capture(), 12, { answered: (sequence) => sequence < 3 || sequence >= 3 + length });
    expect((await said(gap(5))).map(([, confidence]) => confidence)).toEqual(['hint']);
    expect(await said(gap(4))).toEqual([]);
    const andOneMore = ping(new Capture(), 14, {
      answered: (sequence) => sequence > 1 && (sequence < 5 || sequence > 7),
    });
    expect(await said(andOneMore)).toEqual([]);
  });

  describe('of a target that announces itself', () => {
    /** Requests of which `lost` meet no reply, and an announcement of the target at each of these seconds, each from a new MAC. */
    const restarted = (lost: readonly number[], announced: readonly number[], times = 30) => {
      const capture = new Capture();
      for (let sequence = 1; sequence <= times; sequence++) {
        echo(capture.at(sequence), HOST, PEER, { sequence });
        if (!lost.includes(sequence)) echo(capture.at(sequence + 0.01), PEER, HOST, { sequence, reply: true });
        const which = announced.indexOf(sequence + 0.5);
        const from = `02:00:00:00:10:0${which}`;
        if (which >= 0) capture.at(sequence + 0.5).arp({ op: 1, from, spa: PEER.ip, tpa: PEER.ip });
      }
      return said(capture);
    };

    it('is silent about a gap at each of its starts, and tells where there are more', async () => {
      expect(await restarted([5, 6, 15, 16, 17], [6.5, 17.5])).toEqual([]);
      expect((await restarted([5, 6, 15, 16, 17], [6.5])).map(([, confidence]) => confidence)).toEqual(['likely']);
      expect((await restarted([5, 6, 15, 16, 17], [])).map(([, confidence]) => confidence)).toEqual(['likely']);
    });

    it('goes by what comes after the losses', async () => {
      expect(await restarted([27, 28, 29, 30], [30.5])).toEqual([]);
      expect((await restarted([26, 27, 28, 29, 30], [30.5])).map(([, confidence]) => confidence)).toEqual(['hint']);
      expect((await restarted([27, 28, 29, 30], [26.5])).map(([, confidence]) => confidence)).toEqual(['likely']);
    });

    it('tells of one that never answered', async () => {
      const never = Array.from({ length: 30 }, (_, i) => i + 1);
      expect((await restarted(never, [30.5])).map(([, confidence]) => confidence)).toEqual(['likely']);
    });
  });

  describe('of a guest that moves', () => {
    /** Requests 5 and later are lost at the old host, and `then` is seen there at 4.2 s after the first of them. */
    const moved = (lost: number, then: (capture: Capture) => Capture, way?: 'out') => {
      const ways = { request: {}, reply: way ? { way: { direction: way } } : {} };
      const capture = heard();
      for (let sequence = 1; sequence < 5 + lost; sequence++) {
        echo(capture.at(sequence), HOST, PEER, { sequence, ...ways.request });
        if (sequence < 5) echo(capture.at(sequence + 0.01), PEER, HOST, { sequence, reply: true, ...ways.reply });
      }
      return said(
        then(capture.at(4.2 + lost))
          .at(20)
          .ask(HOST.mac, HOST.ip, ROUTER.ip),
      );
    };
    const sure = async (findings: Promise<[string, string, number[]][]>) =>
      (await findings).map(([, confidence]) => confidence);

    it('takes its RARP for a move: silent about few requests, a hint about more', async () => {
      expect(await sure(moved(3, (capture) => capture.rarp(PEER.mac)))).toEqual([]);
      expect(await sure(moved(6, (capture) => capture.rarp(PEER.mac)))).toEqual(['hint']);
      expect(await sure(moved(3, (capture) => capture))).toEqual(['likely']);
      // Another guest moves.
      expect(await sure(moved(3, (capture) => capture.rarp(ROUTER.mac)))).toEqual(['likely']);
    });

    it('tells requests that go on in vain after it', async () => {
      const goesOn = (capture: Capture) => {
        capture.rarp(PEER.mac);
        for (const sequence of [8, 9, 10]) echo(capture.at(sequence), HOST, PEER, { sequence });
        return capture;
      };
      expect(await sure(moved(3, goesOn))).toEqual(['likely']);
    });

    it('takes its broadcasts from elsewhere for one, where directions are known', async () => {
      const asks = (direction: 'in' | 'out') => (capture: Capture) =>
        capture.ask(PEER.mac, PEER.ip, '10.0.0.77', { direction });
      expect(await sure(moved(3, asks('in'), 'out'))).toEqual([]);
      // It is still here.
      expect(await sure(moved(3, asks('out'), 'out'))).toEqual(['likely']);
    });

    it('knows its MAC where a capture keeps no destinations', async () => {
      const recorded = (rarp: boolean) => {
        const capture = new CookedCapture();
        const bytes = (from: typeof HOST, to: typeof HOST, sequence: number, type: number) => [
          ...mac(to.mac),
          ...mac(from.mac),
          8,
          0,
          ...ipv4(from.ip, to.ip, 1, [type, 0, 0, 0, 0, 7, 0, sequence], { id: sequence }),
        ];
        for (let sequence = 1; sequence <= 7; sequence++) {
          capture.frame(sequence, 2, OTHER, bytes(HOST, PEER, sequence, 8));
          if (sequence < 5) capture.frame(sequence + 0.1, 2, OUTGOING, bytes(PEER, HOST, sequence, 0));
        }
        const own = [...mac(PEER.mac), 0, 0, 0, 0];
        const announced = [...mac(BROADCAST_MAC), ...mac(PEER.mac), 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3, ...own, ...own];
        const asked = [...mac(BROADCAST_MAC), ...mac(HOST.mac), 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, ...mac(HOST.mac)];
        const last = [...asked, ...ip(HOST.ip), 0, 0, 0, 0, 0, 0, ...ip(ROUTER.ip)];
        return findingsOf(
          capture
            .frame(8, 2, BROADCAST, rarp ? announced : last)
            .frame(20, 2, BROADCAST, last)
            .file(),
          only,
        );
      };
      expect(await recorded(true)).toEqual([]);
      expect((await recorded(false)).map(({ confidence }) => confidence)).toEqual(['likely']);
    });
  });
});
