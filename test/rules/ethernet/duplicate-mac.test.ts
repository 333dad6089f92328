import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, mac, type Way } from '../../support/wire.js';

const RULE = 'ethernet/duplicate-mac';
const MAC = '02:00:00:00:00:aa';

/** Two machines with `macs`, on ports of one bridge or of two, each of which has a VXLAN device of the VNI given for it. */
const network = (second: string = MAC, otherBridge = false, first = MAC, vnis: readonly number[] = []) => {
  const flags = ['UP', 'LOWER_UP'];
  const host = (address: string, index: number, local: string) => ({
    'ip -d -j link': [
      {
        flags,
        ifindex: index,
        ifname: 'eth0',
        link_index: index + 10,
        link_netnsid: 0,
        address,
        linkinfo: { info_kind: 'veth' },
      },
    ],
    'ip -j addr': [
      {
        ifindex: index,
        ifname: 'eth0',
        addr_info: [
          { family: 'inet', local, prefixlen: 24 },
          { family: 'inet6', local: `fd00::${local.split('.')[3]}`, prefixlen: 64 },
          // Made of the MAC, on both.
          { family: 'inet6', local: 'fe80::ff:fe00:aa', prefixlen: 64 },
        ],
      },
    ],
  });
  const port = (index: number, master: string) => ({
    flags,
    ifindex: index + 10,
    ifname: `p${index}`,
    link_index: index,
    link_netnsid: index,
    master,
    address: `02:00:00:00:01:0${index}`,
    linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
  });
  const bridge = (ifname: string, ifindex: number) => ({
    flags,
    ifname,
    ifindex,
    address: `02:00:00:00:02:0${ifindex}`,
    linkinfo: { info_kind: 'bridge' },
  });
  const tunnel = (id: number, i: number) => ({
    flags,
    ifindex: 20 + i,
    ifname: `vx${i}`,
    master: `br${i}`,
    linkinfo: { info_kind: 'vxlan', info_data: { id, port: 4789 }, info_slave_kind: 'bridge' },
  });
  return parseContext({
    namespaces: {
      h2: host(first, 2, '10.0.0.2'),
      h3: host(second, 3, '10.0.0.3'),
      sw: {
        'ip -d -j link': [
          bridge('br0', 8),
          bridge('br1', 9),
          port(2, 'br0'),
          port(3, otherBridge ? 'br1' : 'br0'),
          ...vnis.map(tunnel),
        ],
      },
    },
  });
};
const both = (way: Way = {}) =>
  new Capture().ask(MAC, '10.0.0.2', '10.0.0.1', way).at(1).ask(MAC, '10.0.0.3', '10.0.0.1', way);
const rules = async (capture = both(), context = network()) =>
  (await capture.findings({ context })).map(({ rule, confidence }) => `${rule} ${confidence}`);

describe('ethernet/duplicate-mac', () => {
  it('is certain where both machines speak', async () => {
    expect(await rules()).toContain(`${RULE} certain`);
    expect(await rules(both({ vlan: 7 }))).toContain(`${RULE} certain`);
  });

  it('is certain where a tunnel joins the bridges of both', async () => {
    expect(await rules(both(), network(MAC, true, MAC, [7, 7]))).toContain(`${RULE} certain`);
    expect((await rules(both(), network(MAC, true, MAC, [7, 8]))).join()).not.toContain(RULE);
  });

  it('has the new MAC told to the neighbours, who would send to the old one for a minute', async () => {
    const found = (await both().findings({ context: network() })).find(({ rule }) => rule === RULE);
    const [, announce, , change] =
      /^(.*arp_notify=1)(.*)\n(.*address 02:00:.*)$/ms.exec(found?.remedy[0].commands.join('\n') ?? '') ?? [];
    expect(announce).toMatch(/sysctl -w net\.ipv4\.conf\.\w+\.arp_notify=1$/m);
    expect(change).toMatch(/ip link set dev \w+ address 02:00:/);
  });

  it('keeps still where only one speaks, or each in a VLAN of its own', async () => {
    expect(await rules(new Capture().ask(MAC, '10.0.0.2', '10.0.0.1'))).not.toContain(`${RULE} certain`);
    const apart = new Capture()
      .ask(MAC, '10.0.0.2', '10.0.0.1', { vlan: 7 })
      .ask(MAC, '10.0.0.3', '10.0.0.1', { vlan: 8 });
    expect(await rules(apart)).not.toContain(`${RULE} certain`);
  });

  it('is the cause of what the two ask of each other in vain', async () => {
    const capture = new Capture().ask(MAC, '10.0.0.3', '10.0.0.9').at(1).askAgain(3, MAC, '10.0.0.2', '10.0.0.3');
    const found = await capture
      .at(9)
      .ask('02:00:00:00:00:01', '10.0.0.1', '10.0.0.77')
      .findings({ context: network() });
    expect(found.map(({ rule }) => rule)).toEqual([RULE]);
    expect(found[0].explains.map(({ rule }) => rule)).toContain('arp/unanswered');
  });

  it('keeps still about other MACs, other bridges, and without a context', async () => {
    expect(await rules(both(), network('02:00:00:00:00:ab'))).not.toContain(`${RULE} certain`);
    expect(await rules(both(), network(MAC, true))).not.toContain(`${RULE} certain`);
    expect((await both().findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });

  it('speaks of IPv6 as well, but not by addresses that both made of their MAC', async () => {
    const frame = (source: readonly number[], id: number) => [
      ...[...mac('02:00:00:00:00:01'), ...mac(MAC), 0x86, 0xdd, 0x60, 0, 0, 0, 0, 4, 253, 64],
      ...[...source, 0xfd, ...new Array(14).fill(0), 1, 0, 0, 0, id],
    ];
    const own = (end: number) => [0xfd, ...new Array(14).fill(0), end];
    const made = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0xaa];
    expect(
      await rules(
        new Capture()
          .raw(frame(own(2), 1))
          .at(1)
          .raw(frame(own(3), 2)),
      ),
    ).toEqual([`${RULE} certain`]);
    expect(
      await rules(
        new Capture()
          .raw(frame(own(2), 1))
          .at(1)
          .raw(frame(made, 2)),
      ),
    ).toEqual([]);
  });

  it('keeps still about the MAC of a virtual router', async () => {
    const virtual = '00:00:5e:00:01:33';
    const capture = new Capture().ask(virtual, '10.0.0.2', '10.0.0.1').at(1).ask(virtual, '10.0.0.3', '10.0.0.1');
    expect((await rules(capture, network(virtual, false, virtual))).join()).not.toContain(RULE);
  });
});
