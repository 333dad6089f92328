import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort } from '../../support/wire.js';
import { askTagged, askTaggedFrom, B } from './tagged.js';

const findings = async (capture: Capture, options = {}) =>
  inShort((await capture.findings(options)).filter(({ rule }) => rule === 'vlan/tpid-mismatch'));

/** The target's machine: svlan (1000) with this protocol, or with each, on eth1; cvlan (100) on it, with 10.0.0.2. */
const target = (...protocols: string[]) =>
  parseContext({
    namespaces: {
      node: {
        'ip -d -j link': [
          { ifindex: 2, ifname: 'eth1', flags: ['UP'] },
          ...protocols.map((protocol, i) => ({
            ifindex: 3 + i,
            ifname: `svlan${i}`,
            link: 'eth1',
            linkinfo: { info_kind: 'vlan', info_data: { id: 1000, protocol } },
          })),
        ],
      },
    },
  });
const vantage = { namespace: 'node', interface: 'eth1' };

function asking(times: number, tpid: number): Capture {
  const capture = new Capture();
  for (let i = 0; i < times; i++) askTagged(capture.at(1 + 1.02 * i), [tpid, 1000], [0x8100, 100]);
  return capture;
}

describe('vlan/tpid-mismatch', () => {
  it('is certain where the only device for the VLAN has another protocol', async () => {
    const options = { context: target('802.1Q'), vantage };
    expect(await findings(asking(3, 0x88a8), options)).toEqual([['vlan/tpid-mismatch', 'certain', [1, 2, 3]]]);
  });

  it('works the other way round, too', async () => {
    const options = { context: target('802.1ad'), vantage };
    const [finding] = await asking(3, 0x8100).findings(options);
    expect(finding).toMatchObject({ rule: 'vlan/tpid-mismatch', confidence: 'certain' });
    expect(finding.remedy[0].commands).toEqual([
      'ip netns exec node ip link del svlan0',
      'ip netns exec node ip link add link eth1 name svlan0 type vlan proto 802.1Q id 1000',
    ]);
  });

  it('keeps still where the protocols agree, or there is a device for each', async () => {
    expect(await findings(asking(3, 0x88a8), { context: target('802.1ad'), vantage })).toEqual([]);
    expect(await findings(asking(3, 0x88a8), { context: target('802.1Q', '802.1ad'), vantage })).toEqual([]);
  });

  it('keeps still after two requests, and without context', async () => {
    expect(await findings(asking(2, 0x88a8), { context: target('802.1Q'), vantage })).toEqual([]);
    expect(await findings(asking(3, 0x88a8))).toEqual([]);
  });

  it('is likely where two stations mark one VLAN differently', async () => {
    const capture = asking(3, 0x88a8);
    askTaggedFrom(capture, B, [0x8100, 1000], [0x8100, 100]);
    expect(await findings(capture)).toEqual([['vlan/tpid-mismatch', 'likely', [1, 2, 3, 4]]]);
  });

  it('keeps still where one station is seen with both: something translates', async () => {
    const capture = askTagged(asking(1, 0x88a8), [0x8100, 1000], [0x8100, 100]);
    expect(await findings(capture)).toEqual([]);
  });

  it('keeps a single tag apart from an outer one of the same id', async () => {
    expect(await findings(askTaggedFrom(asking(1, 0x88a8), B, [0x8100, 1000]))).toEqual([]);
  });
});
