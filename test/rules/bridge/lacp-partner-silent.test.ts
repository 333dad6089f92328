import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, mac, type Way } from '../../support/wire.js';

const RULE = 'bridge/lacp-partner-silent';
const HOST = '02:00:00:00:0b:01';
const SWITCH = '02:00:00:00:0b:02';
const DEFAULTED = 0x45;
const IN_SYNC = 0x3d;

function lacp(capture: Capture, from: string, state: number, way: Way = {}): Capture {
  const actor = [1, 20, 255, 255, ...mac(from), 0, 15, 0, 255, 0, 1, state, 0, 0, 0];
  const partner = [2, 20, ...new Array(18).fill(0)];
  return capture.raw(
    [...mac('01:80:c2:00:00:02'), ...mac(from), 0x88, 0x09, 1, 1, ...actor, ...partner, ...new Array(68).fill(0)],
    way,
  );
}
const alone = (times: number, way?: Way) => {
  const capture = new Capture();
  for (let i = 0; i < times; i++) lacp(capture.at(i), HOST, DEFAULTED, way);
  return capture;
};
const rules = async (capture: Capture) =>
  (await capture.findings()).map(({ rule, confidence }) => `${rule} ${confidence}`);

describe('bridge/lacp-partner-silent', () => {
  it.each([
    [2, false],
    [3, true],
  ])('says of %i LACPDUs of one end: %s', async (times, speaks) => {
    expect((await rules(alone(times))).includes(`${RULE} certain`)).toBe(speaks);
  });

  it('keeps still if the partner is heard, or the port says so', async () => {
    expect(await rules(lacp(alone(4), SWITCH, IN_SYNC))).not.toContain(`${RULE} certain`);
    expect(await rules(lacp(alone(4), HOST, IN_SYNC))).not.toContain(`${RULE} certain`);
  });

  it('does not take another VLAN for the partner', async () => {
    expect(await rules(lacp(alone(4), SWITCH, IN_SYNC, { vlan: 9 }))).toContain(`${RULE} certain`);
  });

  it('gives the bond another mode without its ports, which it knows from the context', async () => {
    const port = (ifindex: number, ifname: string) => ({
      ifindex,
      ifname,
      flags: ['UP'],
      master: 'bond0',
      linkinfo: { info_slave_kind: 'bond' },
    });
    const context = parseContext({
      namespaces: {
        node: {
          'ip -d -j link': [
            port(2, 'eth0'),
            port(3, 'eth1'),
            { ifindex: 4, ifname: 'bond0', flags: ['UP'], linkinfo: { info_kind: 'bond' } },
          ],
        },
      },
    });
    const commandsAt = async (options: object) => (await alone(3).findings(options))[0].remedy.at(-1)?.commands;
    const known = [
      'ip link set bond0 down',
      'ip link set eth0 nomaster',
      'ip link set eth1 nomaster',
      'ip link set bond0 type bond mode active-backup',
      'ip link set eth0 down',
      'ip link set eth0 master bond0',
      'ip link set eth1 down',
      'ip link set eth1 master bond0',
      'ip link set bond0 up',
    ].map((command) => `ip netns exec node ${command}`);
    for (const device of ['eth0', 'bond0'])
      expect(await commandsAt({ context, vantage: { namespace: 'node', interface: device } })).toEqual(known);
    expect(await commandsAt({})).toContain('ip link set <each port> nomaster');
  });
});
