import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../../src/network/context/parse.js';
import { advertisement, icmpv6, ip6, solicitation } from '../../../support/nd.js';
import { Capture, inShort, type Way } from '../../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';
const only = { select: ['arp/duplicate-address'] };

const IP6 = 'fd00::2';
/** A solicits the address, and B and then C advertise it. */
function bothAdvertise({
  apart = 0.0003,
  way = {},
  wayC = way,
}: {
  apart?: number;
  way?: Way;
  wayC?: Way;
} = {}): Capture {
  const to = { mac: A, ip: 'fd00::1' };
  const capture = new Capture().raw(solicitation(A, 'fd00::1', IP6), way);
  capture.at(0.001).raw(advertisement(B, IP6, to), way);
  return capture.at(0.001 + apart).raw(advertisement(C, IP6, to), wayC);
}
const at = (namespaces: readonly [string, string]) =>
  parseContext({
    kernel: '6.1',
    namespaces: Object.fromEntries(
      [...new Set(namespaces)].map((name) => [
        name,
        {
          'ip -d -j link': [B, C].flatMap((address, i) =>
            namespaces[i] === name
              ? [{ ifindex: 2 + i, ifname: `eth${i}`, link_type: 'ether', address, flags: ['UP'] }]
              : [],
          ),
        },
      ]),
    ),
  });

describe('arp/duplicate-address of IPv6', () => {
  it('finds two advertisements after one solicitation likely, certain where the context has two hosts', async () => {
    const [finding, ...others] = await bothAdvertise().findings();
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['arp/duplicate-address', 'likely', [2, 3]]]);
    expect(finding.subject).toEqual({ ip: IP6, mac: B, rival: C });
    expect(finding.evidence.map(({ layer, length }) => [layer, length])).toEqual([
      ['icmpv6', 24],
      ['icmpv6', 24],
    ]);
    const found = await bothAdvertise().findings({ ...only, context: at(['one', 'two']) });
    expect(found.map(({ confidence }) => confidence)).toEqual(['certain']);
  });

  it('keeps still where both are of one host', async () => {
    expect(await bothAdvertise().findings({ ...only, context: at(['one', 'one']) })).toEqual([]);
  });

  it('keeps still after more than two seconds, and where the second answers another question', async () => {
    expect(await bothAdvertise({ apart: 2.1 }).findings(only)).toEqual([]);
    const moved = new Capture().raw(solicitation(A, 'fd00::1', IP6));
    const to = { mac: A, ip: 'fd00::1' };
    moved
      .at(0.001)
      .raw(advertisement(B, IP6, to))
      .at(1)
      .raw(solicitation(A, 'fd00::1', IP6));
    expect(
      await moved
        .at(1.001)
        .raw(advertisement(C, IP6, to))
        .findings(only),
    ).toEqual([]);
  });

  it('keeps still about advertisements that do not override, and virtual routers', async () => {
    const proxy = new Capture().raw(solicitation(A, 'fd00::1', IP6));
    for (const from of [B, C]) proxy.raw(icmpv6(from, A, IP6, 'fd00::1', [136, 0, 0, 0, 0x40, 0, 0, 0, ...ip6(IP6)]));
    expect(await proxy.findings(only)).toEqual([]);
    const to = { mac: A, ip: 'fd00::1' };
    const vrrp = new Capture().raw(solicitation(A, 'fd00::1', IP6)).raw(advertisement('00:00:5e:00:02:07', IP6, to));
    expect(await vrrp.raw(advertisement(C, IP6, to)).findings(only)).toEqual([]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    expect(await bothAdvertise({ way: { vlan: 1 }, wayC: { vlan: 2 } }).findings(only)).toEqual([]);
    for (const way of [{ vlan: 1 }, { vni: 5 }]) expect(await bothAdvertise({ way }).findings(only)).toHaveLength(1);
  });
});
