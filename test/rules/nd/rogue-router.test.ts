import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { advertise, advertisement, type RouterAdvertisement } from '../../support/nd.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const only = { select: ['nd/rogue-router'] };
const A = { from: '02:00:00:00:00:fe', router: 0xfe, prefix: 0xa };
const B = { from: '02:00:00:00:00:ff', router: 0xff, prefix: 0xb };

const LINK_LOCAL = 'fe80::fe';
const A_MAC = A.from;

/** A neighbor advertisement of the router at fe80::fe, to all, with flags R and O. */
function speaks(capture: Capture, from: string, flags = 0xa0): Capture {
  const bytes = advertisement(from, LINK_LOCAL, null);
  bytes[58] = flags;
  return capture.raw(bytes);
}

const both = (a: Partial<RouterAdvertisement>, b: Partial<RouterAdvertisement>, wayA?: Way, wayB?: Way) =>
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

describe('nd/rogue-router in the name of another', () => {
  const THIEF = '02:00:00:00:00:66';
  const told = async (capture: Capture) =>
    (await capture.findings(only)).map(({ confidence, subject }) => [confidence, subject.mac, subject.rivalMac]);

  it('is likely where another MAC advertises the address of a router by turns with it', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++) {
      advertise(capture.at(5 * i), A);
      for (let j = 1; j < 5; j++) speaks(capture.at(5 * i + j), THIEF);
    }
    expect(await told(capture)).toEqual([['likely', A_MAC, THIEF]]);
  });

  it('is likely where another MAC takes the router from hosts, with a lifetime of 0', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++) {
      advertise(capture.at(5 * i), { ...A, from: THIEF, lifetime: 0 });
      advertise(capture.at(5 * i + 1), A);
    }
    const [finding] = await capture.findings(only);
    expect(finding.subject).toEqual({ ip: LINK_LOCAL, mac: A_MAC, rivalMac: THIEF });
    expect(finding.summary).toContain('lifetime of 0');
  });

  it.each<[string, (capture: Capture) => void]>([
    [
      'an address that is handed over and taken back',
      (capture) => {
        for (const [i, from] of [A_MAC, THIEF, A_MAC].entries()) advertise(capture.at(i), { ...A, from });
      },
    ],
    [
      'a router with a virtual MAC',
      (capture) => {
        for (let i = 0; i < 8; i++) advertise(capture.at(i), { ...A, from: i % 2 ? '00:00:5e:00:02:01' : A_MAC });
      },
    ],
    [
      'a neighbour that says it is no router',
      (capture) => {
        for (let i = 0; i < 8; i++) {
          if (i % 2) speaks(capture.at(i), THIEF, 0x20);
          else advertise(capture.at(i), A);
        }
      },
    ],
    [
      'an address that no router advertises',
      (capture) => {
        for (let i = 0; i < 8; i++) speaks(capture.at(i), i % 2 ? THIEF : A_MAC);
      },
    ],
  ])('keeps still about %s', async (_, make) => {
    const capture = new Capture();
    make(capture);
    expect(await told(capture)).toEqual([]);
  });
});
