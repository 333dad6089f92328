import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { arpRequest, tunnelled } from '../../support/tunnel.js';
import { Capture } from '../../support/wire.js';

const RULE = 'bridge/port-not-enslaved';
const H1 = '02:00:00:00:00:01';
const H2 = '02:00:00:00:00:02';

/** h1 on a cable to `uplink` of `node`, h2 on a port of br0 of `node`. */
const network = ({
  master,
  address,
  up = true,
  without,
  routes = [],
  linkinfo = { info_kind: 'veth' },
}: {
  master?: string;
  address?: string;
  up?: boolean;
  without?: 'h1' | 'h2';
  routes?: object[];
  linkinfo?: object;
} = {}) => {
  const flags = ['UP', 'LOWER_UP'];
  const veth = { info_kind: 'veth' };
  const host = (mac: string, index: number, local: string, netnsid: number) => ({
    'ip -d -j link': [
      {
        flags,
        ifindex: index,
        ifname: 'eth0',
        link_index: index + 10,
        link_netnsid: netnsid,
        address: mac,
        linkinfo: veth,
      },
    ],
    'ip -j addr': [{ ifindex: index, ifname: 'eth0', addr_info: [{ family: 'inet', local, prefixlen: 24 }] }],
  });
  const port = { info_kind: 'veth', info_slave_kind: 'bridge' };
  return parseContext({
    namespaces: {
      ...(without === 'h1' ? {} : { h1: host(H1, 2, '10.0.0.1', 0) }),
      ...(without === 'h2' ? {} : { h2: host(H2, 3, '10.0.0.2', 0) }),
      node: {
        'ip -d -j link': [
          { flags, ifindex: 8, ifname: 'br0', address: '02:00:00:00:00:08', linkinfo: { info_kind: 'bridge' } },
          {
            flags: up ? flags : [],
            ifindex: 12,
            ifname: 'uplink',
            link_index: 2,
            link_netnsid: 1,
            address: '02:00:00:00:00:12',
            ...(master ? { master } : {}),
            linkinfo: master ? port : linkinfo,
          },
          {
            flags,
            ifindex: 13,
            ifname: 'p-h2',
            link_index: 3,
            link_netnsid: 2,
            master: 'br0',
            address: '02:00:00:00:00:13',
            linkinfo: port,
          },
        ],
        'ip -j route': routes,
        'ip -j addr': address
          ? [{ ifindex: 12, ifname: 'uplink', addr_info: [{ family: 'inet', local: address, prefixlen: 24 }] }]
          : [],
      },
    },
  });
};
const asks = (times = 3) => new Capture().askAgain(times, H1, '10.0.0.1', '10.0.0.2');
const AT_UPLINK = { vantage: { namespace: 'node', interface: 'uplink' } };
const rules = async (context = network(), capture = asks(), options = {}) =>
  (await capture.findings({ context, ...options })).map(({ rule, confidence }) => `${rule} ${confidence}`);

describe('bridge/port-not-enslaved', () => {
  it('takes ports of Open vSwitch and tunnel devices of its kind for no loose ends', async () => {
    const asked = async (linkinfo: object) => await rules(network({ linkinfo }), asks(), AT_UPLINK);
    expect(await asked({ info_kind: 'veth' })).toContain(`${RULE} certain`);
    for (const linkinfo of [
      { info_kind: 'openvswitch' },
      { info_kind: 'vxlan', info_data: { external: true, id: 0, port: 4789 } },
    ])
      expect((await asked(linkinfo)).join()).not.toContain(RULE);
  });

  it('takes an uplink that carries the questions in a tunnel for no loose end', async () => {
    const capture = new Capture();
    const outer = { from: '10.1.1.1', to: '10.1.1.2' };
    for (let i = 0; i < 4; i++) tunnelled(capture.at(1 + i), arpRequest(H1, '10.0.0.1', '10.0.0.2'), outer);
    const bare = network({ without: 'h1' });
    expect((await rules(bare, capture, AT_UPLINK)).join()).not.toContain(RULE);
  });

  it('is likely of a guest on a loose end beside the one bridge, where the context does not show whom it looks for', async () => {
    const capture = () => new Capture().askAgain(3, H1, '10.0.0.1', '10.0.0.9');
    expect(await rules(network({ without: 'h2' }), capture())).toEqual([`${RULE} likely`]);
    const others = async (options: object) => await rules(network({ without: 'h2', ...options }), capture());
    expect(await others({ master: 'br0' })).not.toContain(`${RULE} likely`);
    expect(await others({ address: '10.0.0.8' })).not.toContain(`${RULE} likely`);
    // A routed pod.
    expect(await others({ routes: [{ dst: '10.0.0.1', dev: 'uplink' }] })).not.toContain(`${RULE} likely`);
    const back = new Capture().askAgain(3, H2, '10.0.0.9', '10.0.0.1');
    expect(await rules(network({ without: 'h2' }), back)).toEqual([`${RULE} likely`]);
  });

  it('is certain at the device where the frames end, likely elsewhere', async () => {
    expect(await rules(network(), asks(), AT_UPLINK)).toEqual([`${RULE} certain`]);
    expect(await rules(network(), asks(), { vantage: { namespace: 'h1', interface: 'eth0' } })).toEqual([
      `${RULE} likely`,
    ]);
    expect(await rules()).toEqual([`${RULE} likely`]);
    const [finding] = await asks().findings({ context: network(), ...AT_UPLINK });
    expect(finding.remedy[0].commands).toEqual(['ip netns exec node ip link set uplink master br0']);
  });

  it('is likely where the question does not get out of the bridge to the device, either', async () => {
    const back = new Capture().askAgain(3, H2, '10.0.0.2', '10.0.0.1');
    const [finding] = await back.findings({ context: network(), vantage: { namespace: 'h2', interface: 'eth0' } });
    expect(finding).toMatchObject({ rule: RULE, confidence: 'likely' });
    expect(finding.summary).toContain('The question gets to the bridge br0 in node');
    expect(finding.remedy[0].commands).toEqual(['ip netns exec node ip link set uplink master br0']);
    expect((await rules(network({ address: '10.0.0.9' }), back)).join()).not.toContain(RULE);
  });

  it('looks beyond VXLAN: for a tap that is no port, and for the VXLAN device itself', async () => {
    const up = { flags: ['UP', 'LOWER_UP'] };
    const address = (last: number) => `02:00:00:00:09:${last.toString(16).padStart(2, '0')}`;
    const node = (n: number, mac: string, ip: string, { tap = true, vxlan = true, vni = 5 } = {}) => ({
      'ip -d -j link': [
        {
          ...up,
          ifindex: 3,
          ifname: 'vx0',
          address: address(n + 1),
          ...(vxlan ? { master: 'br0' } : {}),
          linkinfo: { info_kind: 'vxlan', info_data: { id: vni, port: 4789 } },
        },
        { ...up, ifindex: 4, ifname: 'br0', address: address(n + 2), linkinfo: { info_kind: 'bridge' } },
        {
          ...up,
          ifindex: 5,
          ifname: 'tap0',
          address: mac,
          linkinfo: { info_kind: 'veth' },
          link_index: 2,
          link_netnsid: n,
          ...(tap ? { master: 'br0' } : {}),
        },
      ],
      'ip -j netns list-id': [{ nsid: n, name: `g${n}` }],
      ip,
    });
    const guest = (n: number, mac: string, local: string) => ({
      'ip -d -j link': [
        {
          ...up,
          ifindex: 2,
          ifname: 'eth0',
          address: mac,
          linkinfo: { info_kind: 'veth' },
          link_index: 5,
          link_netnsid: n,
        },
      ],
      'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local, prefixlen: 24 }] }],
      'ip -j netns list-id': [{ nsid: n, name: `n${n}` }],
    });
    const context = (one: object, two: object) =>
      parseContext({
        namespaces: {
          n1: node(1, address(0x51), '10.0.0.1', one),
          n2: node(2, address(0x52), '10.0.0.2', two),
          g1: guest(1, H1, '10.0.0.1'),
          g2: guest(2, H2, '10.0.0.2'),
        },
      });
    const title = async (one: object, two: object) => {
      const [finding] = await asks().findings({ select: [RULE], context: context(one, two) });
      return finding?.title ?? null;
    };
    expect(await title({ tap: false }, {})).toContain('tap0 in n1 is no port of a bridge');
    expect(await title({}, { vxlan: false })).toContain('vx0 in n2 is no port of a bridge');
    expect(await title({}, {})).toBeNull();
    expect(await title({ tap: false }, { vni: 6 })).toBeNull();
  });

  it('keeps still about a port, a device with an address, and one that is down', async () => {
    for (const how of [{ master: 'br0' }, { address: '10.0.0.9' }, { up: false }])
      expect((await rules(network(how), asks(), AT_UPLINK)).join()).not.toContain(RULE);
  });

  it('keeps still after two requests, when answered, and about targets elsewhere of whoever is connected', async () => {
    expect((await rules(network(), asks(2), AT_UPLINK)).join()).not.toContain(RULE);
    expect(await rules(network(), asks().answer(H2, '10.0.0.2', H1, '10.0.0.1'))).toEqual([]);
    const connected = network({ master: 'br0' });
    expect((await rules(connected, new Capture().askAgain(3, H1, '10.0.0.1', '10.0.0.77'))).join()).not.toContain(RULE);
  });
});
