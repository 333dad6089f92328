import { describe, expect, it } from 'vitest';
import { ping } from '../../support/ping.js';
import { PARENT, siblings } from '../../support/siblings.js';
import { syns } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

const RULE = 'macvlan/passthru-takes-parent';
const OUTSIDE = '02:00:00:00:00:77';
const asks = (times: number, spa = '10.0.0.14') => {
  const capture = new Capture();
  for (let i = 0; i < times; i++)
    capture
      .at(i * 1.02)
      .ask(PARENT, spa, '10.0.0.77')
      .at(i * 1.02 + 0.01)
      .answer(OUTSIDE, '10.0.0.77', PARENT, spa);
  return capture;
};
const rules = async (capture: Capture, kind: 'ipvlan' | 'macvlan' = 'ipvlan', mode = 'l2') =>
  (await capture.findings({ context: siblings({ kind, mode }) })).map(({ rule }) => rule);

describe('macvlan/passthru-takes-parent', () => {
  // A child is entered under its parent if it has its MAC: the recorded fixtures show that.
  it('keeps still about other children, and without a context', async () => {
    expect(await rules(asks(3))).not.toContain(RULE);
    expect(await rules(asks(3), 'macvlan', 'bridge')).not.toContain(RULE);
    expect((await asks(3).findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });

  it.each([
    [2, false],
    [3, true],
  ])('says of %i answered requests: %s', async (times, speaks) => {
    const context = siblings({ kind: 'macvlan', mode: 'passthru', shared: true });
    const found = (await asks(times).findings({ context })).map(({ rule, confidence }) => `${rule} ${confidence}`);
    expect(found.includes(`${RULE} certain`)).toBe(speaks);
  });

  it('keeps still about the address of the child itself', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'passthru', shared: true });
    const found = (await asks(3, '10.0.0.101').findings({ context })).map(({ rule }) => rule);
    expect(found).not.toContain(RULE);
  });

  it('makes the child anew first where it is in another namespace: its address there would not help the host', async () => {
    const context = siblings({ kind: 'macvlan', mode: 'passthru', shared: true });
    const found = (await asks(3).findings({ context })).find(({ rule }) => rule === RULE);
    expect(found?.remedy.map(({ commands }) => commands)).toEqual([
      [
        expect.stringMatching(/^ip netns exec ns1 ip link del /),
        expect.stringMatching(/^ip link add \S+ link \S+ netns ns1 type macvlan mode bridge$/),
        expect.stringMatching(/^ip netns exec ns1 ip link set \S+ up$/),
        expect.stringMatching(/^ip netns exec ns1 ip addr add 10.0.0.101\/\d+ dev /),
      ],
      [expect.stringContaining('ip addr del 10.0.0.14/24'), expect.stringContaining('ip addr add 10.0.0.14/24')],
    ]);
  });

  describe('of what is sent to the parent', () => {
    const context = siblings({ kind: 'macvlan', mode: 'passthru', shared: true });
    const outside = { mac: OUTSIDE, ip: '10.0.0.77' };
    const told = async (capture: Capture, how = {}) =>
      (await capture.findings({ context, ...how }))
        .filter(({ rule }) => rule === RULE)
        .map(({ title, confidence, explains }) => [
          title.split(' is ')[0],
          confidence,
          ...explains.map(({ rule }) => rule),
        ]);
    const pinged = (to: string, from = outside, mac = PARENT) =>
      ping(new Capture(), 3, { from, to: { mac, ip: to } })
        .at(20)
        .ask(OUTSIDE, outside.ip, '10.0.0.99');

    it('tells pings and SYNs in vain', async () => {
      expect(await told(pinged('10.0.0.14'))).toEqual([
        ['10.0.0.14 on eth0 in host', 'certain', 'icmp/echo-unanswered'],
      ]);
      const connecting = syns(new Capture(), 3, {}, 1, outside, { mac: PARENT, ip: '10.0.0.14' });
      expect(await told(connecting.at(30).ask(OUTSIDE, outside.ip, '10.0.0.99'))).toEqual([
        ['10.0.0.14 on eth0 in host', 'certain', 'tcp/syn-unanswered'],
      ]);
    });

    it('is less sure on the way there, to a router', async () => {
      expect((await told(pinged('10.0.0.14', outside, '02:00:00:00:00:fe'))).map(([, how]) => how)).toEqual(['likely']);
    });

    it('keeps still about the child, what the child sends, other modes, and answered pings', async () => {
      expect(await told(pinged('10.0.0.101'))).toEqual([]);
      expect(await told(pinged('10.0.0.14', { mac: PARENT, ip: '10.0.0.101' }, OUTSIDE))).toEqual([]);
      const bridge = { context: siblings({ kind: 'macvlan', mode: 'bridge' }) };
      expect(await told(pinged('10.0.0.14'), bridge)).toEqual([]);
      const answered = ping(new Capture(), 5, {
        from: outside,
        to: { mac: PARENT, ip: '10.0.0.14' },
        answered: () => true,
      });
      expect(await told(answered)).toEqual([]);
    });
  });
});
