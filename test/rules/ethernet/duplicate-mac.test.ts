import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, type Way } from '../../support/wire.js';

const RULE = 'ethernet/duplicate-mac';
const MAC = '02:00:00:00:00:aa';

/** Two machines with `macs`, on ports of one bridge or of two. */
const network = (second: string = MAC, otherBridge = false) => {
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
    'ip -j addr': [{ ifindex: index, ifname: 'eth0', addr_info: [{ family: 'inet', local, prefixlen: 24 }] }],
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
  return parseContext({
    namespaces: {
      h2: host(MAC, 2, '10.0.0.2'),
      h3: host(second, 3, '10.0.0.3'),
      sw: {
        'ip -d -j link': [bridge('br0', 8), bridge('br1', 9), port(2, 'br0'), port(3, otherBridge ? 'br1' : 'br0')],
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

  it('keeps still where only one speaks, or each in a VLAN of its own', async () => {
    expect(await rules(new Capture().ask(MAC, '10.0.0.2', '10.0.0.1'))).not.toContain(`${RULE} certain`);
    const apart = new Capture()
      .ask(MAC, '10.0.0.2', '10.0.0.1', { vlan: 7 })
      .ask(MAC, '10.0.0.3', '10.0.0.1', { vlan: 8 });
    expect(await rules(apart)).not.toContain(`${RULE} certain`);
  });

  it('keeps still about other MACs, other bridges, and without a context', async () => {
    expect(await rules(both(), network('02:00:00:00:00:ab'))).not.toContain(`${RULE} certain`);
    expect(await rules(both(), network(MAC, true))).not.toContain(`${RULE} certain`);
    expect((await both().findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });
});
