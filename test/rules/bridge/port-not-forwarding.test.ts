import { describe, expect, it } from 'vitest';
import type { HostContext } from '../../../src/network/context/host-context.js';
import { bridged, H1, H2 } from '../../support/bridge.js';
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

  it('keeps still where ports forward, in different bridges, after two requests, and when answered', async () => {
    expect(await rules(bridged({}, {}))).toEqual(['arp/unanswered likely']);
    expect(await rules(bridged({}, { state: 'disabled', master: 'br1' }))).toEqual(['arp/unanswered likely']);
    expect(await rules(bridged({}, { state: 'disabled' }), asks(2))).toEqual(['arp/unanswered hint']);
    const answered = asks().answer(H2, '10.0.0.2', H1, '10.0.0.1');
    expect(await rules(bridged({}, { state: 'disabled' }), answered)).toEqual([]);
  });
});
