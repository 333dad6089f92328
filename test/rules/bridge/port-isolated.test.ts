import { describe, expect, it } from 'vitest';
import type { HostContext } from '../../../src/network/context/host-context.js';
import { bridged, guests, H1, H2 } from '../../support/bridge.js';
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

describe('bridge/port-isolated and virtual machines', () => {
  it('finds the taps of guests by what their bridge learned', async () => {
    const context = guests({ isolated });
    expect(await rules(context)).toEqual(['bridge/port-isolated certain']);
    const [finding] = await asks().findings({ context });
    expect(finding.remedy[0].commands).toEqual(['bridge link set dev tap2 isolated off']);
  });

  it('keeps still where the bridge learned nobody, or does not isolate', async () => {
    expect(await rules(guests({ isolated, learned: false }))).toEqual(['arp/unanswered likely']);
    expect(await rules(guests())).toEqual(['arp/unanswered likely']);
  });
});

describe('bridge/port-isolated and pings', () => {
  it('takes in the pings that were sent while the MAC was still remembered', async () => {
    const capture = new Capture();
    for (let sequence = 1; sequence <= 4; sequence++) {
      const payload = [8, 0, 0, 0, 0, 7, 0, sequence, ...new Array(56).fill(0)];
      capture
        .at(sequence)
        .ipv4({ from: H1, to: H2, source: '10.0.0.1', destination: '10.0.0.2', protocol: 1, id: sequence, payload });
    }
    const findings = await asks(3).findings({ context: bridged({ isolated }, { isolated }) });
    expect(findings.map(({ rule }) => rule)).toEqual(['bridge/port-isolated']);
    const both = await capture
      .at(6)
      .askAgain(3, H1, '10.0.0.1', '10.0.0.2')
      .findings({ context: bridged({ isolated }, { isolated }) });
    expect(both.map(({ rule }) => rule)).toEqual(['bridge/port-isolated']);
    expect(both[0].explains.map(({ rule }) => rule)).toContain('icmp/echo-unanswered');
  });
});
