import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../../src/network/context/parse.js';
import { Capture } from '../../../support/wire.js';

const RULE = 'bridge/loop';

interface Cable {
  from: string;
  index: number;
  to: string;
  far: number;
}

/** Bridges br0 in namespaces of their own, joined by these cables. */
function bridges(...cables: Cable[]) {
  const names = [...new Set(cables.flatMap(({ from, to }) => [from, to]))];
  const namespaces = Object.fromEntries(
    names.map((name) => {
      const mine = cables.flatMap(({ from, index, to, far }) => [
        ...(from === name ? [{ index, far, other: to }] : []),
        ...(to === name ? [{ index: far, far: index, other: from }] : []),
      ]);
      const ports = mine.map(({ index, far, other }) => ({
        flags: ['UP', 'LOWER_UP'],
        ifindex: index,
        ifname: `p${index}`,
        link_index: far,
        link_netnsid: names.indexOf(other),
        address: `02:00:00:00:0${names.indexOf(name)}:${index}`,
        master: 'br0',
        linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge', info_slave_data: { state: 'forwarding' } },
      }));
      const bridge = { flags: ['UP'], ifindex: 2, ifname: 'br0', linkinfo: { info_kind: 'bridge' } };
      return [name, { 'ip -d -j link': [bridge, ...ports] }];
    }),
  );
  return parseContext({ namespaces });
}

async function cures(context: ReturnType<typeof bridges>): Promise<readonly (readonly string[])[]> {
  const capture = new Capture();
  for (let i = 0; i < 30; i++) capture.at(i * 0.0001).ask('02:00:00:00:00:01', '10.0.0.1', '10.0.0.2');
  const [finding] = await capture.findings({
    select: [RULE],
    context,
    vantage: { namespace: 'one', interface: 'p11' },
  });
  return finding.remedy.slice(0, 2).map(({ commands }) => commands);
}

const UNKNOWN = [['ip link set <second uplink> down'], ['ip link set <bridge> type bridge stp_state 1']];

describe('the second path of a loop', () => {
  it('is the last of two cables to one bridge', async () => {
    const context = bridges(
      { from: 'one', index: 11, to: 'two', far: 21 },
      { from: 'one', index: 12, to: 'two', far: 22 },
    );
    expect(await cures(context)).toEqual([
      ['ip netns exec one ip link set p12 down'],
      ['one', 'two'].map((name) => `ip netns exec ${name} ip link set br0 type bridge stp_state 1`),
    ]);
  });

  it('may lead by a third bridge', async () => {
    const context = bridges(
      { from: 'one', index: 11, to: 'two', far: 21 },
      { from: 'two', index: 23, to: 'three', far: 33 },
      { from: 'three', index: 34, to: 'one', far: 14 },
    );
    const [close, tree] = await cures(context);
    expect(close).toEqual(['ip netns exec one ip link set p14 down']);
    expect(tree).toHaveLength(3);
  });

  it('is not known where the bridges have one path', async () => {
    expect(await cures(bridges({ from: 'one', index: 11, to: 'two', far: 21 }))).toEqual(UNKNOWN);
  });
});
