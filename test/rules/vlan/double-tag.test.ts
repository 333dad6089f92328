import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort } from '../../support/wire.js';
import { askTagged } from './tagged.js';

const findings = async (capture: Capture, options = {}) =>
  inShort((await capture.findings(options)).filter(({ rule }) => rule === 'vlan/double-tag'));

/** A host with eth0.10, which has an address; on it a device for tag 20, if wanted. */
const host = (hasInner: boolean) =>
  parseContext({
    namespaces: {
      host: {
        'ip -d -j link': [
          { ifindex: 2, ifname: 'eth0', flags: ['UP'] },
          { ifindex: 3, ifname: 'eth0.10', link: 'eth0', linkinfo: { info_kind: 'vlan', info_data: { id: 10 } } },
          ...(hasInner
            ? [{ ifindex: 4, ifname: 'q', link: 'eth0.10', linkinfo: { info_kind: 'vlan', info_data: { id: 20 } } }]
            : []),
        ],
        'ip -j addr': [
          { ifindex: 3, ifname: 'eth0.10', addr_info: [{ family: 'inet', local: '10.0.0.9', prefixlen: 24 }] },
        ],
      },
    },
  });
const vantage = { namespace: 'host', interface: 'eth0' };

describe('vlan/double-tag', () => {
  it('is a hint where the ids differ, and nothing is known of the host', async () => {
    const capture = askTagged(new Capture(), [0x8100, 10], [0x8100, 20]);
    expect(await findings(capture)).toEqual([['vlan/double-tag', 'hint', [1]]]);
  });

  it('is likely where both are the same, and takes the unanswered question in', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02, 3.04]) askTagged(capture.at(time), [0x8100, 10], [0x8100, 10]);
    const [finding, ...others] = await capture.findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'vlan/double-tag', confidence: 'likely', count: 3 });
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
  });

  it.each([0x88a8, 0x9100])('keeps still over an outer tag %i', async (tpid) => {
    expect(await findings(askTagged(new Capture(), [tpid, 10], [0x8100, 20]))).toEqual([]);
  });

  it('keeps still over one tag, and over a priority tag inside', async () => {
    expect(await findings(askTagged(new Capture(), [0x8100, 10]))).toEqual([]);
    expect(await findings(askTagged(new Capture(), [0x8100, 10], [0x8100, 0]))).toEqual([]);
  });

  it('is likely where nothing on the host takes the inner tag, and keeps still where something does', async () => {
    const capture = () => askTagged(new Capture(), [0x88a8, 10], [0x8100, 20]);
    expect(await findings(capture(), { context: host(false), vantage })).toEqual([['vlan/double-tag', 'likely', [1]]]);
    expect(await findings(capture(), { context: host(true), vantage })).toEqual([]);
  });

  it('tells each pair of VLANs', async () => {
    const capture = askTagged(askTagged(new Capture(), [0x8100, 10], [0x8100, 20]), [0x8100, 11], [0x8100, 20]);
    expect(await findings(capture)).toHaveLength(2);
  });
});
