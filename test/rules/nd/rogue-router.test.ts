import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort, mac, u16, type Way } from '../../support/wire.js';

const only = { select: ['nd/rogue-router'] };
const A = { from: '02:00:00:00:00:fe', router: 0xfe, prefix: 0xa };
const B = { from: '02:00:00:00:00:ff', router: 0xff, prefix: 0xb };

interface Advertisement {
  from: string;
  /** Last byte of the link-local address. */
  router: number;
  /** Sixth byte of the prefix. */
  prefix: number;
  lifetime?: number;
  preferred?: number;
  hopLimit?: number;
  linkLocal?: number;
}

function advertise(
  capture: Capture,
  { from, router, prefix, lifetime = 1800, preferred = 255, hopLimit = 255, linkLocal = 0xfe80 }: Advertisement,
  way?: Way,
): Capture {
  const zeros = (count: number) => new Array<number>(count).fill(0);
  const option = [
    3,
    4,
    64,
    0xc0,
    0,
    0,
    0,
    255,
    0,
    0,
    0,
    preferred,
    0,
    0,
    0,
    0,
    0x20,
    1,
    0xd,
    0xb8,
    0,
    prefix,
    ...zeros(10),
  ];
  const message = [134, 0, 0, 0, 64, 0, ...u16(lifetime), ...zeros(8), ...option];
  const addresses = [...u16(linkLocal), ...zeros(13), router, 0xff, 2, ...zeros(13), 1];
  const packet = [0x60, 0, 0, 0, ...u16(message.length), 58, hopLimit, ...addresses, ...message];
  return capture.raw([...mac('33:33:00:00:00:01'), ...mac(from), 0x86, 0xdd, ...packet], way);
}

const both = (a: Partial<Advertisement>, b: Partial<Advertisement>, wayA?: Way, wayB?: Way) =>
  advertise(advertise(new Capture(), { ...A, ...a }, wayA).at(1), { ...B, ...b }, wayB);

describe('nd/rogue-router', () => {
  it('finds two routers of different prefixes likely', async () => {
    expect(inShort(await both({}, {}).findings(only))).toEqual([['nd/rogue-router', 'likely', [1, 2]]]);
  });

  it('finds them inside VXLAN', async () => {
    expect(await both({}, {}, { vni: 5 }, { vni: 5 }).findings(only)).toHaveLength(1);
  });

  it('prints a guard for each of them where its bridge is, and has hosts forget it', async () => {
    const ports = ['02:00:00:00:00:fe', '02:00:00:00:00:ff'].map((mac, i) => ({ mac, ifname: `p${i}`, master: 'br0' }));
    const links = ['br0', 'p0', 'p1'].map((ifname, i) => ({
      ifindex: i + 1,
      ifname,
      ...(i === 0 ? { linkinfo: { info_kind: 'bridge' } } : { master: 'br0', linkinfo: { info_slave_kind: 'bridge' } }),
    }));
    const routes = [{ dst: 'default', gateway: 'fe80::ff', dev: 'eth0', protocol: 'ra' }];
    const host = { 'ip -d -j link': [{ ifindex: 2, ifname: 'eth0' }], 'ip -6 -j route': routes };
    const context = parseContext({
      namespaces: { sw: { 'ip -d -j link': links, 'bridge -j fdb': ports }, host1: host },
    });
    const [{ remedy }] = await both({}, {}).findings({ ...only, context });
    const guard = (mac: string) =>
      `ip netns exec sw nft add rule bridge raguard guard ether saddr ${mac} icmpv6 type nd-router-advert drop`;
    expect(remedy.slice(1, 5).map(({ commands }) => commands.at(-1))).toEqual([
      guard(A.from),
      'ip -6 route del default via fe80::fe dev <device>',
      guard(B.from),
      'ip netns exec host1 ip -6 route del default via fe80::ff dev eth0',
    ]);
  });

  it.each([
    ['one prefix', {}, { prefix: A.prefix }],
    ['a lifetime of 0', {}, { lifetime: 0 }],
    ['a prefix that is taken back', {}, { preferred: 0 }],
    ['one machine', {}, { from: A.from }],
    ['a forwarded advertisement', {}, { hopLimit: 64 }],
    ['a source that is not link-local', {}, { linkLocal: 0x2001 }],
    ['one router that offers two prefixes', {}, { router: A.router }],
  ])('keeps still about %s', async (_, a, b) => {
    expect(await both(a, b).findings(only)).toEqual([]);
  });

  it('takes it back when one of the two gives up', async () => {
    expect(await advertise(both({}, {}).at(2), { ...B, lifetime: 0 }).findings(only)).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    expect(await both({}, {}, { vlan: 1 }, { vlan: 2 }).findings(only)).toEqual([]);
  });
});
