import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';

/** Host A routes through `gateway`. */
const routed = (gateway: string) =>
  parseContext({
    kernel: '6.1',
    namespaces: {
      a: {
        'ip -d -j link': [{ ifindex: 2, ifname: 'eth0', link_type: 'ether', address: A, flags: ['UP'] }],
        'ip -j addr': [
          { ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local: '10.0.0.1', prefixlen: 24 }] },
        ],
        'ip -j route': [{ dst: 'default', gateway, dev: 'eth0' }],
      },
    },
  });

const rules = async (capture: Capture, context?: ReturnType<typeof routed>) =>
  (await capture.findings(context ? { context } : {})).map(({ rule, explains }) => [
    rule,
    ...explains.map((each) => each.rule),
  ]);

describe('arp/gateway-unanswered', () => {
  it('speaks when the routes of the asking host name the target, and explains the symptom', async () => {
    const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.0.254');
    expect(await rules(capture, routed('10.0.0.254'))).toEqual([['arp/gateway-unanswered', 'arp/unanswered']]);
  });

  it('keeps still when they name another', async () => {
    const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.0.253');
    expect(await rules(capture, routed('10.0.0.254'))).toEqual([['arp/unanswered']]);
  });

  it('speaks when two hosts whose answers would be seen ask in vain', async () => {
    const capture = new Capture()
      .ask(C, '10.0.0.3', '10.0.0.1')
      .answer(A, '10.0.0.1', C, '10.0.0.3')
      .answer(C, '10.0.0.3', A, '10.0.0.1');
    capture.answer(C, '10.0.0.3', B, '10.0.0.2');
    for (const time of [1, 2.02, 3.04])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.254').ask(B, '10.0.0.2', '10.0.0.254');
    expect((await rules(capture)).filter(([rule]) => rule === 'arp/gateway-unanswered')).toHaveLength(2);
  });

  it('keeps still on a bystander’s port, where nobody’s answers are seen', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02, 3.04])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.254').ask(B, '10.0.0.2', '10.0.0.254');
    expect(new Set((await rules(capture)).flat())).toEqual(new Set(['arp/unanswered']));
  });

  it('keeps still when the gateway answers another host', async () => {
    const capture = new Capture().ask(B, '10.0.0.2', '10.0.0.254').answer(C, '10.0.0.254', B, '10.0.0.2').at(1);
    capture.askAgain(3, A, '10.0.0.1', '10.0.0.254');
    expect(await rules(capture, routed('10.0.0.254'))).toEqual([['arp/unanswered']]);
  });
});
