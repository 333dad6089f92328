import { describe, expect, it } from 'vitest';
import type { HostContext } from '../../../src/network/context/host-context.js';
import { bridged, H1, H2 } from '../../support/bridge.js';
import { ping } from '../../support/ping.js';
import { synAck, syns } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

const asks = (times = 3) => new Capture().askAgain(times, H1, '10.0.0.1', '10.0.0.2');
const rules = async (context: HostContext, capture = asks()) =>
  (await capture.findings({ context })).map(({ rule, confidence }) => `${rule} ${confidence}`);

describe('bridge/port-not-forwarding', () => {
  it.each([
    ['disabled', 'certain'],
    ['blocking', 'likely'],
    ['listening', 'likely'],
    ['learning', 'likely'],
  ])('speaks of a port in state %s, on either side', async (state, confidence) => {
    expect(await rules(bridged({}, { state }))).toEqual([`bridge/port-not-forwarding ${confidence}`]);
    expect(await rules(bridged({ state }, {}))).toEqual([`bridge/port-not-forwarding ${confidence}`]);
  });

  it('keeps silent of the port of a host that is heard behind it: it was closed later', async () => {
    const at = async (name: string, interface_: string, one: object, two: object) =>
      (
        await asks().findings({
          context: bridged(one, two),
          vantage: { namespace: name, interface: interface_ },
          select: ['bridge/port-not-forwarding'],
        })
      ).length;
    const disabled = { state: 'disabled' };
    expect(await at('h2', 'eth0', disabled, {})).toBe(0);
    expect(await at('sw', 'p-h2', disabled, {})).toBe(0);
    expect(await at('h1', 'eth0', disabled, {})).toBe(1);
    expect(await at('sw', 'p-h1', disabled, {})).toBe(1);
    expect(await at('h2', 'eth0', {}, disabled)).toBe(1);
  });

  it('names the port and the cure', async () => {
    const [finding] = await asks().findings({ context: bridged({}, { state: 'disabled' }) });
    expect(finding.title).toContain('p-h2 is disabled');
    expect(finding.remedy[0].commands).toEqual(['ip netns exec sw bridge link set dev p-h2 state 3']);
  });

  it('is one finding for a port, however many questions end there', async () => {
    const both = () => asks().at(10).askAgain(3, H2, '10.0.0.2', '10.0.0.1').at(20);
    const context = bridged({}, { state: 'disabled' });
    const [finding, ...others] = await both().findings({ context });
    expect(others).toEqual([]);
    expect(finding.summary).toContain('One more question is in vain for the same reason.');
    expect(finding.explains.map(({ rule }) => rule)).toContain('bridge/port-not-forwarding');
    const answered = both().ask(H2, '10.0.0.2', '10.0.0.1').answer(H1, '10.0.0.1', H2, '10.0.0.2').at(30);
    expect((await answered.findings({ context })).map(({ summary }) => summary.includes('One more'))).toEqual([false]);
  });

  it('tells ports that are down or without carrier', async () => {
    const [down] = await asks().findings({ context: bridged({}, { flags: [] }) });
    expect(down.remedy[0].commands).toEqual(['ip netns exec sw ip link set p-h2 up']);
    const [loose] = await asks().findings({ context: bridged({}, { flags: ['UP', 'NO-CARRIER'] }) });
    expect(loose.remedy[0].commands).toEqual(['ip netns exec h2 ip link set eth0 up']);
  });

  it('names the bridge, not its ports, where that is set down', async () => {
    const port = { state: 'disabled' };
    const [finding] = await asks().findings({ context: bridged(port, port, ['BROADCAST']) });
    expect(finding.title).toBe('10.0.0.1 cannot reach 10.0.0.2: the bridge br0 in sw between them is set down');
    expect(finding.remedy[0].commands).toEqual(['ip netns exec sw ip link set dev br0 up']);
  });

  describe('of ports that forward', () => {
    const learned = (mac: string, flags: string[] = []) => ({ fdb: [{ mac, flags }] });
    const locked = { settings: { locked: true } };

    it('is certain of the port of the target that gets no broadcasts', async () => {
      const deaf = { settings: { bcast_flood: false } };
      expect(await rules(bridged({}, deaf))).toEqual(['bridge/port-not-forwarding certain']);
      expect(await rules(bridged(deaf, {}))).toEqual(['arp/unanswered likely']);
      const [finding] = await asks().findings({ context: bridged({}, deaf) });
      expect(finding.remedy[0].commands).toEqual(['ip netns exec sw bridge link set dev p-h2 bcast_flood on']);
    });

    it('is certain of a locked port without an entry for the host, on either side', async () => {
      expect(await rules(bridged(learned(H1), locked))).toEqual(['bridge/port-not-forwarding certain']);
      expect(await rules(bridged(locked, learned(H2)))).toEqual(['bridge/port-not-forwarding certain']);
      // One that waits to be let in, and one that was.
      const waits = { ...locked, ...learned(H2, ['locked']) };
      expect(await rules(bridged(learned(H1), waits))).toEqual(['bridge/port-not-forwarding certain']);
      expect(await rules(bridged({}, { ...locked, ...learned(H2) }))).toEqual(['arp/unanswered likely']);
    });

    it('is likely where the context has no entries at all', async () => {
      expect(await rules(bridged({}, locked))).toEqual(['bridge/port-not-forwarding likely']);
    });

    it('keeps silent where the question is seen behind the port', async () => {
      const at = async (name: string, interface_: string, one: object, two: object) =>
        (
          await asks().findings({
            context: bridged(one, two),
            vantage: { namespace: name, interface: interface_ },
            select: ['bridge/port-not-forwarding'],
          })
        ).length;
      expect(await at('sw', 'p-h2', locked, learned(H2))).toBe(0);
      expect(await at('sw', 'p-h1', locked, learned(H2))).toBe(1);
      expect(await at('h2', 'eth0', {}, { settings: { bcast_flood: false } })).toBe(0);
    });

    describe('and are not flooded to', () => {
      const [one, two] = [
        { mac: H1, ip: '10.0.0.1' },
        { mac: H2, ip: '10.0.0.2' },
      ];
      const pings = (before = new Capture()) => ping(before, 3, { from: one, to: two });
      const unflooded = { settings: { flood: false } };
      const unlearned = { settings: { flood: false, learning: false } };

      it('is likely of pings to a MAC that the bridge has no entry for', async () => {
        const context = bridged(learned(H1), unflooded);
        expect(await rules(context, pings())).toEqual(['bridge/port-not-forwarding likely']);
        const [finding] = await pings().findings({ context });
        expect(finding.explains.map(({ rule }) => rule)).toEqual(['icmp/echo-unanswered']);
      });

      it('is so of SYNs to it, from the third on', async () => {
        const context = bridged(learned(H1), unflooded);
        const connects = (times: number) => syns(new Capture(), times, {}, 1, one, two);
        expect(await rules(context, connects(3))).toEqual(['bridge/port-not-forwarding likely']);
        const [finding] = await connects(3).findings({ context });
        expect(finding.summary).toContain('3 SYNs from 10.0.0.1');
        expect(finding.explains.map(({ rule }) => rule)).toEqual(['tcp/syn-unanswered']);
        const told = async (capture: Capture, where: HostContext) =>
          (await capture.findings({ context: where, select: ['bridge/port-not-forwarding'] })).length;
        expect(await told(connects(2), context)).toBe(0);
        expect(await told(connects(3), bridged({}, { ...unflooded, ...learned(H2) }))).toBe(0);
        expect(await told(connects(3), bridged(learned(H1), {}))).toBe(0);
        expect(await told(synAck(connects(3).at(3.5), {}, two, one), context)).toBe(0);
      });

      it('tells pings and SYNs to one host in one finding', async () => {
        const capture = syns(pings(), 3, {}, 20, one, two);
        const findings = await capture.findings({ context: bridged(learned(H1), unflooded) });
        expect(findings.map(({ rule }) => rule)).toEqual(['bridge/port-not-forwarding']);
        expect(findings[0].summary).toContain('pings and SYNs');
      });

      it('is so of a host that speaks only where the port does not learn', async () => {
        const speaks = () => pings(new Capture().ask(H2, two.ip, '10.0.0.77'));
        const told = async (context: HostContext) =>
          (await rules(context, speaks())).filter((rule) => rule.startsWith('bridge/port'));
        expect(await told(bridged(learned(H1), unlearned))).toEqual(['bridge/port-not-forwarding likely']);
        expect(await told(bridged(learned(H1), unflooded))).toEqual([]);
      });

      it('keeps silent where there is an entry, where it is flooded to, and where replies come', async () => {
        const select = ['bridge/port-not-forwarding'];
        const answered = () => ping(new Capture(), 3, { from: one, to: two, answered: (sequence) => sequence > 2 });
        expect(await pings().findings({ select, context: bridged({}, { ...unflooded, ...learned(H2) }) })).toEqual([]);
        expect(await pings().findings({ select, context: bridged(learned(H1), {}) })).toEqual([]);
        expect(await answered().findings({ select, context: bridged(learned(H1), unflooded) })).toEqual([]);
        const vantage = { namespace: 'h2', interface: 'eth0' };
        expect(await pings().findings({ select, vantage, context: bridged(learned(H1), unflooded) })).toEqual([]);
      });

      describe('where that is the port of who asks', () => {
        const far = { namespace: 'h2', interface: 'eth0' };
        const near = { namespace: 'h1', interface: 'eth0' };
        const known = learned(H2);
        const again = () => {
          const capture = new Capture();
          for (let i = 0; i < 4; i++)
            capture
              .at(i)
              .ask(H1, one.ip, two.ip)
              .at(i + 0.001)
              .answer(H2, two.ip, H1, one.ip);
          return capture;
        };
        const select = ['bridge/port-not-forwarding', 'arp/reply-not-accepted', 'icmp/echo-unanswered'];
        const said = async (capture: Capture, context: HostContext, vantage: typeof far) =>
          (await capture.findings({ select, context, vantage })).map(({ rule, confidence }) => `${rule} ${confidence}`);

        it('is certain of questions that are answered, and asked again', async () => {
          const context = bridged(unlearned, known);
          const [finding, ...others] = await again().findings({ select, context, vantage: far });
          expect(others).toEqual([]);
          expect(finding).toMatchObject({ rule: 'bridge/port-not-forwarding', confidence: 'certain', count: 4 });
          expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/reply-not-accepted']);
          expect(finding.remedy[0].commands).toEqual(['ip netns exec sw bridge link set dev p-h1 learning on']);
          for (const where of [
            bridged(unflooded, known),
            bridged({ ...unlearned, ...learned(H1) }, known),
            bridged({ settings: { learning: false } }, known),
            bridged({}, { ...unlearned, ...known }),
          ])
            expect(await said(again(), where, far)).not.toContain('bridge/port-not-forwarding certain');
          // What is seen at the asker itself got there.
          expect(await said(again(), context, near)).toEqual(['arp/reply-not-accepted hint']);
        });

        it('is so of questions in vain at the asker, and not behind the target', async () => {
          expect(await rules(bridged(unlearned, known))).toEqual(['bridge/port-not-forwarding certain']);
          expect(await said(asks(), bridged(unlearned, known), far)).toEqual([]);
        });

        it('is likely of pings whose replies have no way in', async () => {
          expect(await said(pings(), bridged(unlearned, known), near)).toEqual(['bridge/port-not-forwarding likely']);
          expect(await said(pings(), bridged(unflooded, known), near)).toEqual(['icmp/echo-unanswered certain']);
          expect(await said(pings(), bridged(unlearned, known), far)).toEqual(['icmp/echo-unanswered hint']);
        });
      });

      it('only hints where the context has no entries at all', async () => {
        expect(await rules(bridged({}, unflooded), pings())).toContain('bridge/port-not-forwarding hint');
      });
    });
  });

  it('keeps still where ports forward, in different bridges, after two requests, and when answered', async () => {
    expect(await rules(bridged({}, {}))).toEqual(['arp/unanswered likely']);
    expect(await rules(bridged({}, { state: 'disabled', master: 'br1' }))).toEqual(['arp/unanswered likely']);
    expect(await rules(bridged({}, { state: 'disabled' }), asks(2))).toEqual(['arp/unanswered hint']);
    const answered = asks().answer(H2, '10.0.0.2', H1, '10.0.0.1');
    expect(await rules(bridged({}, { state: 'disabled' }), answered)).toEqual([]);
  });
});
