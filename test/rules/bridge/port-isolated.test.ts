import { describe, expect, it } from 'vitest';
import type { HostContext } from '../../../src/network/context/host-context.js';
import { bridged, H1, H2 } from '../../support/bridge.js';
import { Capture } from '../../support/wire.js';

const asks = (times = 3) => new Capture().askAgain(times, H1, '10.0.0.1', '10.0.0.2');
const rules = async (context: HostContext, capture = asks()) =>
  (await capture.findings({ context })).map(({ rule, confidence }) => `${rule} ${confidence}`);
const isolated = true;

describe('bridge/port-isolated', () => {
  it('speaks of two isolated ports of one bridge, with the cure', async () => {
    const context = bridged({ isolated }, { isolated });
    expect(await rules(context)).toEqual(['bridge/port-isolated certain']);
    const [finding] = await asks().findings({ context });
    expect(finding.remedy[0].commands).toEqual(['ip netns exec sw bridge link set dev p-h2 isolated off']);
  });

  it('keeps still where one port is isolated, or each in a bridge of its own', async () => {
    expect(await rules(bridged({ isolated }, {}))).toEqual(['arp/unanswered likely']);
    expect(await rules(bridged({}, { isolated }))).toEqual(['arp/unanswered likely']);
    expect(await rules(bridged({ isolated }, { isolated, master: 'br1' }))).toEqual(['arp/unanswered likely']);
  });

  it('keeps still after two requests, and when answered', async () => {
    const context = bridged({ isolated }, { isolated });
    expect(await rules(context, asks(2))).toEqual(['arp/unanswered hint']);
    expect(await rules(context, asks().answer(H2, '10.0.0.2', H1, '10.0.0.1'))).toEqual([]);
  });
});
