import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, mac, type Way } from '../../support/wire.js';

const RULE = 'macvlan/vmac-needs-private';
const VIRTUAL = '00:00:5e:00:01:33';

const VIRTUAL_6 = '00:00:5e:00:02:33';
const OWN_6 = 'fe80::14';
const OTHER_6 = 'fe80::15';

const host = (mode: string, itsMac = VIRTUAL) =>
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
            address: itsMac,
            linkinfo: { info_kind: 'macvlan', info_data: { mode } },
          },
        ],
        'ip -j addr': [
          {
            ifindex: 2,
            ifname: 'eth0',
            addr_info: [
              { family: 'inet', local: '10.0.0.14', prefixlen: 24 },
              { family: 'inet6', local: OWN_6, prefixlen: 64 },
            ],
          },
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

  it('speaks of IPv6 as well, whose virtual MAC is another', async () => {
    const link = (end: number) => [0xfe, 0x80, ...new Array(13).fill(0), end];
    const group = [0xff, 2, ...new Array(13).fill(0), 0x12];
    const advert = (end: number) => [
      ...[0x33, 0x33, 0, 0, 0, 0x12, ...mac(VIRTUAL_6), 0x86, 0xdd],
      ...[0x60, 0, 0, 0, 0, 24, 112, 255, ...link(end), ...group],
      ...[0x31, 0x33, 150, 1, 0, 100, 0, 0, ...link(100)],
    ];
    const told = async (...ends: number[]) => {
      const capture = new Capture();
      for (let i = 0; i < 6; i++) for (const [j, end] of ends.entries()) capture.at(i + j / 2).raw(advert(end));
      const findings = await capture.findings({ context: host('bridge', VIRTUAL_6), select: ['macvlan/*', 'vrrp/*'] });
      return findings.map(({ rule, subject, explains }) => [rule, subject.source, explains.map((each) => each.rule)]);
    };
    expect(await told(0x15)).toEqual([[RULE, OTHER_6, []]]);
    expect(await told(0x14)).toEqual([]);
    expect(await told(0x14, 0x15)).toEqual([[RULE, OTHER_6, ['vrrp/split-brain']]]);
  });
});
