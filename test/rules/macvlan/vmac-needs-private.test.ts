import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, type Way } from '../../support/wire.js';

const RULE = 'macvlan/vmac-needs-private';
const VIRTUAL = '00:00:5e:00:01:33';

const host = (mode: string, mac = VIRTUAL) =>
  parseContext({
    namespaces: {
      host: {
        'ip -d -j link': [
          { ifindex: 2, ifname: 'eth0', flags: ['UP'], address: '02:00:00:00:00:14' },
          {
            ifindex: 5,
            ifname: 'vrrp.51',
            link: 'eth0',
            flags: ['UP'],
            address: mac,
            linkinfo: { info_kind: 'macvlan', info_data: { mode } },
          },
        ],
        'ip -j addr': [
          { ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local: '10.0.0.14', prefixlen: 24 }] },
        ],
      },
    },
  });
const adverts = (times = 3, source = '10.0.0.15', way: Way = {}) => {
  const capture = new Capture();
  const payload = [0x21, 0x33, 150, 1, 0, 1, 0, 0, 10, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < times; i++)
    capture
      .at(i)
      .ipv4({ from: VIRTUAL, to: '01:00:5e:00:00:12', source, destination: '224.0.0.18', protocol: 112, payload }, way);
  return capture;
};
/** Both machines advertise, in turns; the one that captured from `own`. */
const both = (own = '10.0.0.14') => {
  const capture = new Capture();
  for (let i = 0; i < 6; i++)
    for (const [at, source] of [
      [i, own],
      [i + 0.5, '10.0.0.15'],
    ] as const)
      capture.at(at).ipv4({
        from: VIRTUAL,
        to: '01:00:5e:00:00:12',
        source,
        destination: '224.0.0.18',
        protocol: 112,
        payload: [0x21, 0x33, 150, 1, 0, 1, 0, 0, 10, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0],
      });
  return capture;
};
const rules = async (capture: Capture, mode = 'bridge', options = {}) =>
  (await capture.findings({ context: host(mode), ...options })).map(({ rule, confidence }) => `${rule} ${confidence}`);

describe('macvlan/vmac-needs-private', () => {
  it.each(['bridge', 'vepa'])('is certain in mode %s', async (mode) => {
    expect(await rules(adverts(), mode)).toContain(`${RULE} certain`);
  });

  it('keeps still in mode private, about fewer than three, and about its own', async () => {
    expect(await rules(adverts(), 'private')).not.toContain(`${RULE} certain`);
    expect(await rules(adverts(2))).not.toContain(`${RULE} certain`);
    expect(await rules(adverts(3, '10.0.0.14'))).not.toContain(`${RULE} certain`);
  });

  it('explains that both are masters, of its own machine and no other', async () => {
    const select = ['macvlan/*', 'vrrp/*'];
    const [finding, ...others] = await both().findings({ context: host('bridge'), select });
    expect([finding.rule, ...others]).toEqual([RULE]);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['vrrp/split-brain']);
    const strangers = await both('10.0.0.16').findings({ context: host('bridge'), select });
    expect(strangers.map(({ rule }) => rule)).toContain('vrrp/split-brain');
  });

  it('keeps still on the child itself, where they do arrive, and without a context', async () => {
    const vantage = { namespace: 'host', interface: 'vrrp.51' };
    expect(await rules(adverts(), 'bridge', { vantage })).not.toContain(`${RULE} certain`);
    expect((await adverts().findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });
});
